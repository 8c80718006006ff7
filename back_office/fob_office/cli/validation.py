"""`fob-office validation`: the usage log of copies."""

from pathlib import Path

import click

from fob_office.cli.context import Cli, json_option, pass_cli, state_option
from fob_office.cli.copy import octets
from fob_office.validation.log import PAGE, lines_after
from fob_office.validation.views import validation_view


@click.group()
def validation() -> None:
    """Validations: what holders have asked of their copies, and what came of it."""


@validation.command("list")
@state_option
@json_option
@click.option("--copy", callback=octets(16), metavar="COPY", help="Only of this one.")
@click.option("--after", type=click.IntRange(0), default=0, help="The last id that is known.")
@click.option("--count", type=click.IntRange(1, PAGE), default=PAGE, show_default=True, help="At most so many.")
@pass_cli
def list_(cli: Cli, state: Path, copy: bytes | None, after: int, count: int) -> None:
    """Oldest first; kept for 400 days."""
    with cli.office(state) as office, office.database.read() as session:
        lines = lines_after(session, after, copy, count)
        cli.table([validation_view(office, line).model_dump() for line in lines])
