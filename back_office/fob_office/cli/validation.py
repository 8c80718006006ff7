"""`fob-office validation`: the usage log of copies."""

from pathlib import Path

import click

from fob_office.cli.context import Cli, json_option, page_options, pass_cli, state_option
from fob_office.cli.values import octets
from fob_office.validation.log import lines_after
from fob_office.validation.views import validation_view


@click.group()
def validation() -> None:
    """Validations: what holders have asked of their copies, and what came of it."""


@validation.command("list")
@state_option
@json_option
@click.option("--copy", callback=octets(16), metavar="COPY", help="Only of this one.")
@page_options
@pass_cli
def list_(cli: Cli, state: Path, copy: bytes | None, after: int, count: int) -> None:
    """Oldest first; kept for 400 days."""
    with cli.office(state) as office, office.database.read() as session:
        lines = lines_after(session, after, copy, count)
        cli.table([validation_view(office, line).model_dump() for line in lines])
