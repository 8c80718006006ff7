"""`fob-office centre process`: one process of a data centre, on a machine without the rest of it."""

import sys
from pathlib import Path

import click

from fob_office.centre.boxes.process import run_box
from fob_office.centre.operating.operator import told
from fob_office.cli.context import Cli, pass_cli

_FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)


@click.group()
def process() -> None:
    """Processes that belong to another machine than their supervisor."""


@process.command()
@click.argument("folder", type=_FOLDER)
@click.option("--centre", type=_FOLDER, required=True, help="With a copy of the data centre's file `directory`.")
@pass_cli
def run(cli: Cli, folder: Path, centre: Path) -> None:
    """Run the process of FOLDER until SIGTERM or Ctrl-C, at its address in the directory. Status 3: tampered with."""
    with told(f"{folder.name} does not run"):
        sys.exit(run_box(folder.absolute(), centre.absolute(), surroundings=cli.surroundings))
