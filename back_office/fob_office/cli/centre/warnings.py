"""`fob-office centre warnings`."""

from pathlib import Path

import click

from fob_office.centre.bus.passes import Kind
from fob_office.centre.commands.database import FetchWarnings, Warnings
from fob_office.centre.operating.operator import Operator
from fob_office.cli.centre.asking import ask
from fob_office.cli.context import Cli, json_option, pass_cli, state_option


@click.command()
@state_option
@json_option
@click.option("--after", type=click.IntRange(0), default=0, help="The last id that is known.")
@pass_cli
def warnings(cli: Cli, state: Path, after: int) -> None:
    """What was refused that should not have come: old records, changed ones, boxes that were put back."""

    async def fetch(operator: Operator) -> Warnings:
        return await operator.any(Kind.DATABASE, FetchWarnings(after))

    found = ask(cli, state, "the warnings are not known", fetch).warnings
    cli.table([
        {"id": number, "time": time, "word": word, "serial": serial, "why": why}
        for number, word, serial, why, time in found
    ])  # fmt: skip
