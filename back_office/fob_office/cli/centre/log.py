"""`fob-office centre log`: it leaves the data centre for whoever watches it (M6), and goes on after a restore."""

from pathlib import Path
from typing import Final

import click

from fob_office.centre.operating.log import export_log, newest_checkpoint
from fob_office.centre.operating.operator import Operator
from fob_office.centre.operating.recovering import recover_log
from fob_office.cli.centre.asking import ask
from fob_office.cli.centre.writing import new_file
from fob_office.cli.context import Cli, pass_cli, state_option
from fob_office.cli.progress import progress
from fob_office.errors import OperatorError
from fob_office.secrets.private_file import OWNER_ONLY
from fob_protocol.metering.log.checkpoint import Checkpoint

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
    with new_file(file, OWNER_ONLY, _NOT_WRITTEN, "fob-office centre log export FILE") as opened:

        async def work(operator: Operator) -> int:
            newest = await newest_checkpoint(operator)
            with progress("Exporting the log", newest[1].size if newest is not None else 0) as told:
                return await export_log(operator, opened, told)

        count = ask(cli, state, _NOT_WRITTEN, work)
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


@log.command()
@state_option
@click.argument("box")
@pass_cli
def recover(cli: Cli, state: Path, box: str) -> None:
    """After the database was restored: the transaction box BOX signs the log as it stands now.

    `warnings` name the boxes that do not. The order stands in the log for ever, and who kept a newer checkpoint finds
    the break.
    """

    async def work(operator: Operator) -> Checkpoint | None:
        return await recover_log(operator, box)

    before = ask(cli, state, f"{box} does not go on", work)
    if before is None:
        cli.say(f"{box} signs this log: it has signed no other one")
    else:
        cli.say(f"{box} signs this log from now on; the last that it signed had {before.size} entries")
