"""`fob-office migrate`: the tables, as this version of the office needs them."""

from pathlib import Path

import click

from fob_office.cli.context import Cli, json_option, pass_cli, state_option
from fob_office.database.engine import open_engine
from fob_office.database.migrating import check_begun
from fob_office.database.migrating import migrate as migrate_tables
from fob_office.database.session import Database
from fob_office.office import check_reachable
from fob_office.settings import load_settings


@click.command()
@state_option
@json_option
@pass_cli
def migrate(cli: Cli, state: Path) -> None:
    """Bring the tables up to this version: all of it or nothing. Make a backup before."""
    settings = load_settings(state, cli.environment)
    database = Database(open_engine(settings.database_url))
    try:
        check_reachable(settings, database)
        check_begun(database)
        done = migrate_tables(database)
    finally:
        database.close()
    if cli.is_json:
        cli.data({"migrations": done})
    else:
        cli.say(f"ran {', '.join(done)}" if done else "nothing to do")
