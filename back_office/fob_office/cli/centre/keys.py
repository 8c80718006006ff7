"""`fob-office centre keys`: by which keys tokens are verified away from the data centre (M15, M16)."""

from pathlib import Path
from typing import Final

import click

from fob_office.centre.operating.keys import export_keys
from fob_office.centre.operating.operator import Operator
from fob_office.cli.centre.asking import ask
from fob_office.cli.context import Cli, pass_cli, state_option
from fob_office.database.troubles import of_system
from fob_office.errors import OperatorError

_NOT_WRITTEN: Final = "the keys were not written"


@click.command()
@state_option
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@pass_cli
def keys(cli: Cli, state: Path, file: Path) -> None:
    """Public keys of all meters whose tokens are signatures into FILE, a new one; they are no secret."""
    part = file.with_name(f".{file.name}.part")
    if file.exists():
        raise OperatorError(_NOT_WRITTEN, f"{file} is there already", "choose another file")
    try:
        with part.open("wb") as opened:

            async def work(operator: Operator) -> tuple[int, bytes]:
                return await export_keys(operator, opened), operator.manufacturing

            count, manufacturing = ask(cli, state, _NOT_WRITTEN, work)
        part.replace(file)
    except OSError as error:
        why, command = of_system(error)
        raise OperatorError(_NOT_WRITTEN, why, command or "fob-office centre keys FILE") from None
    finally:
        part.unlink(missing_ok=True)
    cli.say(f"wrote {count} keys")
    cli.say(f"next:  fob-office verify --offline --keys {file} --key {manufacturing.hex()} FILE...    (anywhere)")
