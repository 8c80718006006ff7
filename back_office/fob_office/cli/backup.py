"""`fob-office backup`: a copy that works where it is put."""

from pathlib import Path

import click

from fob_office.backup import back_up
from fob_office.cli.context import Cli, json_option, pass_cli, state_option
from fob_office.secrets.master_key import credential
from fob_office.settings import load_settings


@click.command()
@state_option
@json_option
@click.argument("folder", type=click.Path(path_type=Path))
@pass_cli
def backup(cli: Cli, state: Path, folder: Path) -> None:
    """Copy the office into the new FOLDER while it runs. `fob-office run --state FOLDER` works with the copy.

    The copy holds the master key: keep it as safe as the office itself.
    """
    command = back_up(load_settings(state, cli.environment), folder)
    key = credential(cli.environment)
    if cli.is_json:
        cli.data({"folder": str(folder), "holds_master_key": key is None, "next": command})
        return
    cli.say(f"copied {state} to {folder}")
    if key is not None:
        cli.say(f"the master key is not in it: it is systemd's credential {key.name}")
    if command is not None:
        cli.say(f"next:  {command}")
