"""`fob-office centre log`: what leaves the data centre for whoever watches it (M6)."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click

from fob_office.centre.operating.log import export_log, newest_checkpoint
from fob_office.centre.operating.operator import Operator
from fob_office.cli.centre.asking import ask
from fob_office.cli.context import Cli, pass_cli, state_option
from fob_office.database.troubles import of_system
from fob_office.errors import OperatorError
from fob_office.secrets.private_file import OWNER_ONLY

_FILE: Final = click.Path(path_type=Path, dir_okay=False)
_NOT_WRITTEN: Final = "the log was not written"


@click.group()
def log() -> None:
    """The log of all that was done: `fob-log-verify` checks it without the data centre."""


@log.command()
@state_option
@click.argument("file", type=_FILE)
@pass_cli
def export(cli: Cli, state: Path, file: Path) -> None:
    """All of it into FILE, a new one."""
    part = file.with_name(f".{file.name}.part")
    if file.exists():
        raise OperatorError(_NOT_WRITTEN, f"{file} is there already", "choose another file")
    try:
        with open(part, "wb", opener=_private) as opened:

            async def work(operator: Operator) -> int:
                newest = await newest_checkpoint(operator)
                with _bar(newest[1].size if newest is not None else 0) as told:
                    return await export_log(operator, opened, told)

            count = ask(cli, state, _NOT_WRITTEN, work)
            opened.flush()
            os.fsync(opened.fileno())
        part.replace(file)
    except OSError as error:
        why, command = of_system(error)
        raise OperatorError(_NOT_WRITTEN, why, command or "fob-office centre log export FILE") from None
    finally:
        part.unlink(missing_ok=True)
    cli.say(f"wrote {count} entries")
    cli.say(f"next:  fob-log-verify {file}")


@log.command()
@state_option
@click.argument("file", type=_FILE)
@pass_cli
def checkpoint(cli: Cli, state: Path, file: Path) -> None:
    """The newest signed checkpoint into FILE: whoever keeps it is a witness."""
    newest = ask(cli, state, _NOT_WRITTEN, newest_checkpoint)
    if newest is None:
        raise OperatorError(_NOT_WRITTEN, "no checkpoint was signed yet", "the same command in a minute")
    file.write_bytes(newest[0])
    cli.say(f"wrote the checkpoint of size {newest[1].size}")


@contextmanager
def _bar(length: int) -> Iterator[Callable[[int], None]]:
    """On a terminal."""
    if not sys.stderr.isatty() or length == 0:
        yield lambda _: None
        return
    with click.progressbar(length=length, label="Exporting the log", file=sys.stderr) as bar:
        yield bar.update


def _private(name: str, flags: int) -> int:
    return os.open(name, flags, OWNER_ONLY)
