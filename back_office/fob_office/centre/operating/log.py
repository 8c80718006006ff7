"""The log leaves the data centre: an export for `fob-log-verify`, and checkpoints for witnesses."""

from collections.abc import Awaitable, Callable, Collection, Iterator
from typing import BinaryIO, NamedTuple

from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.bus.passes import Kind
from fob_office.centre.commands.database import FetchLog, FetchLogState, LogPage, LogState
from fob_office.centre.database import exporting
from fob_office.centre.operating.operator import Operator
from fob_office.centre.words import Word
from fob_protocol.cose import sign1
from fob_protocol.metering.log.checkpoint import Checkpoint, origin_of, read_checkpoint
from fob_protocol.metering.log.errors import LogError, ProofError
from fob_protocol.metering.log.export import ExportHead
from fob_protocol.metering.log.proofs import verify_consistency
from fob_protocol.office.message import read


class SigningKey(NamedTuple):
    """A public key (raw) by which the log, or a receipt in it, was signed.

    `name` of the process, and `until` its pass is good; None: it was removed, and its key alone is known.
    """

    kind: Kind
    key: bytes
    name: str | None
    until: int | None


async def newest_checkpoint(operator: Operator) -> tuple[bytes, Checkpoint] | None:
    """As it was signed, and what it says, unchecked; None: there is none yet. Raises BusRefusedError."""
    signed = (await operator.any(Kind.DATABASE, FetchLogState(0))).checkpoint
    if signed is None:
        return None
    return signed, read(Checkpoint, sign1.unverified_payload(signed))


async def checkpoint_after(
    ask: Callable[[FetchLogState], Awaitable[LogState]], origin: str, keys: Collection[bytes], kept: bytes
) -> tuple[bytes, Checkpoint]:
    """The newest checkpoint of `origin`'s log, which begins with all that a kept one is of. `keys`: whose word counts.

    Raises LogError: it does not, or one of them is none; BusRefusedError.
    """
    before = read_checkpoint(keys, origin, kept)
    try:
        state = await ask(FetchLogState(before.size))
    except BusRefusedError as refused:
        if refused.word != Word.NO_SUCH_SIZE:
            raise
        raise LogError(f"it is of {before.size} entries, and the log is shorter by now") from None
    signed = state.checkpoint or b""
    newest = read_checkpoint(keys, origin, signed)
    try:
        verify_consistency(before.head, newest.head, state.proof)
    except ProofError as error:
        raise LogError(f"it is of {before.size} entries that are not in the log as it is by now: {error}") from None
    return signed, newest


async def export_log(operator: Operator, file: BinaryIO, told: Callable[[int], None]) -> int:
    """All entries, into an open file; how many. `told` so many more.

    Raises BusRefusedError, DirectoryError, OSError.
    """

    async def ask(asked: FetchLog) -> LogPage:
        page = await operator.any(Kind.DATABASE, asked)
        told(len(page.entries))
        return page

    head = ExportHead(origin_of(operator.manufacturing), log_keys(operator))
    return await exporting.export_log(ask, head, file.write)


def log_keys(operator: Operator) -> tuple[bytes, ...]:
    """Of all transaction boxes that ever signed here, raw. Raises DirectoryError."""
    return tuple(one.key for one in signing_keys(operator) if one.kind == Kind.TRANSACTION)


def signing_keys(operator: Operator) -> tuple[SigningKey, ...]:
    """Of all transaction boxes that ever signed here, and of the payment provider. Raises DirectoryError."""
    former = (SigningKey(Kind.TRANSACTION, bytes.fromhex(key), None, None) for key in operator.settings.former_log_keys)
    return (*_present(operator, Kind.TRANSACTION), *former, *_present(operator, Kind.PAYMENT))


def _present(operator: Operator, kind: Kind) -> Iterator[SigningKey]:
    directory = operator.links.directory
    for entry in directory.of_kind(kind):
        shown = directory.pass_of(entry.name)
        if shown.signing is not None:
            yield SigningKey(kind, shown.signing, shown.name, shown.not_after)
