"""`fob-office centre migrate`."""

from pathlib import Path

import click

from fob_office.centre.bus.passes import Kind
from fob_office.centre.database.keeping import upgrade_meters
from fob_office.centre.database.process import FILE
from fob_office.centre.operating.here import names_here
from fob_office.centre.operating.operator import told
from fob_office.centre.places import centre_folder, load_centre
from fob_office.cli.context import Cli, pass_cli, state_option


@click.command()
@state_option
@pass_cli
def migrate(cli: Cli, state: Path) -> None:
    """Bring the meters' tables up to this version: all of it or nothing; may be run twice."""
    folder = centre_folder(state)
    settings = load_centre(folder)
    with told("the meters' tables were not changed"):
        names = names_here(folder, Kind.DATABASE)
    urls = [settings.database] if settings.database else [f"sqlite:///{folder / name / FILE}" for name in names]
    for url in urls:
        done = upgrade_meters(url)
        cli.say(f"applied {', '.join(done)}" if done else "nothing to do")
