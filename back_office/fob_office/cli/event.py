"""`fob-office event`: what was done."""

from pathlib import Path

import click

from fob_office.cli.context import Cli, json_option, page_options, pass_cli, state_option
from fob_office.events.service import events_after
from fob_office.events.views import EventView


@click.group()
def event() -> None:
    """What was done at the office: who, what, when."""


@event.command("list")
@state_option
@json_option
@page_options
@pass_cli
def list_(cli: Cli, state: Path, after: int, count: int) -> None:
    """Oldest first."""
    with cli.office(state) as office, office.database.read() as session:
        cli.table([EventView.model_validate(row).model_dump() for row in events_after(session, after, count)])
