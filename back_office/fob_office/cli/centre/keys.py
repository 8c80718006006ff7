"""`fob-office centre keys`: by which keys tokens are verified away from the data centre (M15, M16)."""

from pathlib import Path
from typing import Final

import click

from fob_office.centre.operating.keys import export_keys
from fob_office.centre.operating.operator import Operator
from fob_office.cli.centre.asking import ask
from fob_office.cli.centre.writing import READ_BY_ALL, new_file
from fob_office.cli.context import Cli, pass_cli, state_option

_NOT_WRITTEN: Final = "the keys were not written"


@click.command()
@state_option
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@pass_cli
def keys(cli: Cli, state: Path, file: Path) -> None:
    """Public keys of all meters whose tokens are signatures into FILE, a new one; they are no secret."""
    with new_file(file, READ_BY_ALL, _NOT_WRITTEN, "fob-office centre keys FILE") as opened:

        async def work(operator: Operator) -> tuple[int, bytes]:
            return await export_keys(operator, opened), operator.manufacturing

        count, manufacturing = ask(cli, state, _NOT_WRITTEN, work)
    cli.say(f"wrote {count} keys")
    cli.say(f"next:  fob-office verify --offline --keys {file} --key {manufacturing.hex()} FILE...    (anywhere)")
