"""`fob-office centre migrate`."""

from pathlib import Path

import click

from fob_office.centre.bus.directory import FILE as DIRECTORY
from fob_office.centre.bus.directory import read_entries
from fob_office.centre.bus.passes import Kind
from fob_office.centre.database.keeping import migrate_meters
from fob_office.centre.database.process import FILE
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
        entries = read_entries(folder / DIRECTORY)
    places = [folder / entry.name for entry in entries if entry.kind == Kind.DATABASE]
    urls = [settings.database] if settings.database else [f"sqlite:///{place / FILE}" for place in places]
    for url in urls:
        done = migrate_meters(url)
        cli.say(f"applied {', '.join(done)}" if done else "nothing to do")
