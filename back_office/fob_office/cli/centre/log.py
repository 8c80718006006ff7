"""`fob-office centre log`: it leaves the data centre for whoever watches it (M6), and goes on after a restore."""

from functools import partial
from pathlib import Path
from typing import Final

import click

from fob_office.centre.bus.passes import Kind
from fob_office.centre.operating.log import (
    SigningKey,
    checkpoint_after,
    export_log,
    log_keys,
    newest_checkpoint,
    signing_keys,
)
from fob_office.centre.operating.operator import Operator
from fob_office.centre.operating.recovering import recover_log
from fob_office.cli.centre.asking import ask
from fob_office.cli.centre.writing import READ_BY_ALL, new_file, write_or_replace
from fob_office.cli.context import Cli, json_option, pass_cli, state_option
from fob_office.cli.progress import progress
from fob_office.errors import OperatorError, UsageError
from fob_office.secrets.private_file import OWNER_ONLY, read_regular
from fob_protocol.metering.log.checkpoint import Checkpoint, origin_of
from fob_protocol.metering.log.errors import LogError
from fob_protocol.metering.log.limits import CHECKPOINT_LIMIT

_FILE: Final = click.Path(path_type=Path, dir_okay=False)
_NOT_WRITTEN: Final = "the log was not written"
_NOT_KEPT: Final = "no checkpoint was written"
_NOT_KNOWN: Final = "the keys are not known"
# What a process signs that a witness looks at.
_SIGNS: Final = {Kind.TRANSACTION: "log", Kind.PAYMENT: "receipts"}
_REMOVED: Final = "(removed)"


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
    """The newest signed checkpoint into FILE: whoever keeps it is a witness.

    One that is there already is replaced by one of a log that goes on from it, and by no other.
    """
    kept = _kept(file)

    async def work(operator: Operator) -> tuple[bytes, Checkpoint] | None:
        if kept is None:
            return await newest_checkpoint(operator)
        any_database = partial(operator.any, Kind.DATABASE)
        return await checkpoint_after(any_database, origin_of(operator.manufacturing), log_keys(operator), kept)

    try:
        newest = ask(cli, state, _NOT_KEPT, work)
    except LogError as error:
        why = f"{file} is not replaced: {error}"
        command = "fob-office centre log checkpoint FILE    (another one; this one is for fob-log-verify)"
        raise OperatorError(_NOT_KEPT, why, command) from None
    if newest is None:
        raise OperatorError(_NOT_KEPT, "no checkpoint was signed yet", "the same command in a minute")
    write_or_replace(file, newest[0], READ_BY_ALL, _NOT_KEPT, "fob-office centre log checkpoint FILE")
    cli.say(f"wrote the checkpoint of size {newest[1].size}")


def _kept(file: Path) -> bytes | None:
    """What is in the checkpoint's place. Raises OperatorError."""
    if not file.is_file():
        return None
    try:
        return read_regular(file, CHECKPOINT_LIMIT + 1)
    except OSError as error:
        why = f"{file}: {error.strerror}"
        raise OperatorError(_NOT_KEPT, why, "fob-office centre log checkpoint FILE    (another one)") from None


@log.command()
@state_option
@json_option
@pass_cli
def keys(cli: Cli, state: Path) -> None:
    """Public keys of all transaction boxes that ever signed the log, for `fob-log-verify --key`; no secret.

    And the payment provider's, whose receipts of refunds stand in the log. Ask for them once, of whom you believe, and
    keep them: by the keys that a log lists itself anybody could have signed it. `until` its pass is good, and the same
    key has a pass after that; what it signed stays.
    """

    async def work(operator: Operator) -> tuple[SigningKey, ...]:
        return signing_keys(operator)

    cli.table([_row(cli, one) for one in ask(cli, state, _NOT_KNOWN, work)])
    cli.say("next:  fob-log-verify LOG CHECKPOINT... --key HEX ...    (each that signs the log)")


def _row(cli: Cli, key: SigningKey) -> dict[str, object]:
    row: dict[str, object] = {"name": key.name, "signs": _SIGNS[key.kind], "key": key.key.hex(), "until": key.until}
    if not cli.is_json and key.name is None:
        row |= {"name": _REMOVED, "until": ""}
    return row


@log.command()
@state_option
@click.argument("box")
@pass_cli
def recover(cli: Cli, state: Path, box: str) -> None:
    """After the database was restored: the transaction box BOX signs the log as it stands now.

    `warnings` name the boxes that do not; for any other nothing is done. The order stands in the log for ever, and who
    kept a newer checkpoint finds the break.
    """

    async def work(operator: Operator) -> Checkpoint:
        names = [entry.name for entry in operator.links.directory.of_kind(Kind.TRANSACTION)]
        if box not in names:
            why = f"it is no transaction box, of which there are {', '.join(names)}"
            raise UsageError(f"{box} does not go on", why, "fob-office centre warnings    (they name those that wait)")
        return await recover_log(operator, box)

    before = ask(cli, state, f"{box} does not go on", work)
    cli.say(f"{box} signs this log from now on; the last that it signed had {before.size} entries")
