"""After a backup of the meters' database was put back: an operator orders what boxes refuse to do by themselves.

The log shows it for ever; `fob-log-verify` and every device that kept a newer checkpoint still find the break.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

from fob_office.centre.bus.commands import Command, ReplyT
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.bus.passes import Kind
from fob_office.centre.commands.authentication import SeenMailer
from fob_office.centre.commands.database import NO_REQUEST, Fetch, FetchLogHead, FetchOrders, LogHead, NoteOrder
from fob_office.centre.commands.function import RestoreMailer
from fob_office.centre.commands.steel import OrderLog, OrderMailer
from fob_office.centre.commands.transaction import GoOn, HeldCheckpoint
from fob_office.centre.words import Word
from fob_office.errors import OperatorError
from fob_protocol.cose import mac0, sign1
from fob_protocol.cose.errors import CoseError
from fob_protocol.metering.log.checkpoint import Checkpoint
from fob_protocol.metering.log.tree import Frontier
from fob_protocol.metering.records import UserRecord
from fob_protocol.metering.vouchers import LogOrder
from fob_protocol.office.errors import OfficeError
from fob_protocol.office.hashing import digest
from fob_protocol.office.message import read

# The log may grow between two looks.
_TRIES: Final = 8


class Asking(Protocol):
    """An Operator."""

    async def any(self, kind: Kind, command: Command[ReplyT]) -> ReplyT:
        """Raises BusRefusedError."""

    async def one(self, name: str, command: Command[ReplyT]) -> ReplyT:
        """Raises BusRefusedError, AwayError."""


async def recover_log(operator: Asking, box: str) -> Checkpoint:
    """A transaction box signs the log as it stands now, with the order as its last entry.

    The checkpoint that it signed before. An order for this that stands there already, of somebody who was cut off or is
    at it, is carried out, and no other is given. Raises OperatorError: there is nothing to recover, and nothing was
    done; BusRefusedError, AwayError.

    No race leaves an order that is not obeyed: all is judged by the first entries of the log, which stay as they are,
    and the order becomes the entry right behind them, or none. Meanwhile the box signs neither this log, which does not
    go on from what it signed, nor by another order, which would stand among those entries.
    """
    # Before the log is looked at: a box in good order has signed no more than there is then.
    before = await _signed_by(operator, box)
    standing = _Standing(operator, box, before)
    for _ in range(_TRIES):
        head = await operator.any(Kind.DATABASE, FetchLogHead())
        await _check_another(operator, box, before, head.size)
        if await standing.is_carried_out(head.size):
            return before
        if (due := await _noted(operator, box, before, head)) is not None:
            await _go_on(operator, box, due)
            return before
    raise BusRefusedError(Word.UNAVAILABLE, "the log grows faster than it can be read")


async def recover_mailer(operator: Asking, serial: str, boxes: Sequence[str]) -> int | None:
    """The record that was put back is followed by one above all that these authentication boxes (all there are) saw.

    Its counter, and the mailer signs on again; None: none of them saw a newer one. Raises BusRefusedError, AwayError.
    """
    found = await operator.any(Kind.DATABASE, Fetch(NO_REQUEST, serial))
    if found.user is None:
        raise BusRefusedError(Word.NO_METER, f"there is no meter {serial}")
    record = read(UserRecord, mac0.unchecked_payload(found.user))
    seen = max([(await operator.one(box, SeenMailer(record.account))).counter or 0 for box in boxes], default=0)
    if seen <= record.counter:
        return None
    counter = seen + 1
    order = await operator.any(Kind.STEEL, OrderMailer(record.account, digest(found.user), counter))
    await operator.any(Kind.FUNCTION, RestoreMailer(serial, order.order))
    return counter


class _Due(NamedTuple):
    """An order, and the log before it."""

    order: bytes
    head: LogHead


class _Standing:
    """Looks for the order that stands in the log already; through each entry once, however often it is asked."""

    def __init__(self, operator: Asking, box: str, before: Checkpoint) -> None:
        self._operator = operator
        self._box = box
        self._before = before
        self._looked_at = 0

    async def is_carried_out(self, size: int) -> bool:
        """What stands among so many entries and is no order, or of no steel box, is passed over.

        Raises BusRefusedError, AwayError.
        """
        while (due := await self._next(size)) is not None:
            try:
                await _go_on(self._operator, self._box, due)
            except BusRefusedError as refused:
                if refused.word != Word.TAMPERING:
                    raise
            else:
                return True
        return False

    async def _next(self, size: int) -> _Due | None:
        while self._looked_at < size:
            page = await self._operator.any(Kind.DATABASE, FetchOrders(self._looked_at))
            for number, order in page.orders:
                if _is_for(order, number, self._box, self._before):
                    self._looked_at = number + 1
                    return _Due(order, await self._operator.any(Kind.DATABASE, FetchLogHead(number)))
            self._looked_at = page.end
        return None


async def _noted(operator: Asking, box: str, before: Checkpoint, head: LogHead) -> _Due | None:
    """A new order, right behind these entries; None: there are others by now. Raises BusRefusedError."""
    root = Frontier(head.size, head.hashes).root
    ordered = await operator.any(Kind.STEEL, OrderLog(box, before.size, before.root, head.size, root))
    try:
        await operator.any(Kind.DATABASE, NoteOrder(ordered.order, head.size))
    except BusRefusedError as refused:
        if refused.word != Word.CONFLICT:
            raise
        return None
    return _Due(ordered.order, head)


async def _signed_by(operator: Asking, box: str) -> Checkpoint:
    """The newest checkpoint of the box. Raises OperatorError: it has none."""
    signed = (await operator.one(box, HeldCheckpoint())).checkpoint
    if signed is None:
        raise _nothing(box, "it has signed no log yet")
    return read(Checkpoint, sign1.unverified_payload(signed))


async def _check_another(operator: Asking, box: str, before: Checkpoint, size: int) -> None:
    """Raises OperatorError: the log, of this size, begins with all that the box signed."""
    if before.size > size:
        return
    then = await operator.any(Kind.DATABASE, FetchLogHead(before.size))
    if Frontier(then.size, then.hashes).root == before.root:
        raise _nothing(box, f"it signed {before.size} entries, and the log begins with just these")


def _nothing(box: str, why: str) -> OperatorError:
    command = "fob-office centre warnings    (they name the boxes that wait)"
    return OperatorError(f"{box} does not go on", f"{why}: nothing is to be recovered", command)


def _is_for(order: bytes, number: int, box: str, before: Checkpoint) -> bool:
    """Whether this entry of the log has the box go on from this checkpoint; the box checks whose order it is."""
    try:
        said = read(LogOrder, mac0.unchecked_payload(order))
    except (CoseError, OfficeError):
        return False
    return (said.box, said.before, said.root_before, said.size) == (box, before.size, before.root, number)


async def _go_on(operator: Asking, box: str, due: _Due) -> None:
    """By this order; somebody else may have been faster with it. Raises BusRefusedError."""
    try:
        await operator.one(box, GoOn(due.order, due.head.hashes))
    except BusRefusedError as refused:
        if refused.word != Word.OTHER_SIZE or refused.data is None:
            raise
        if read(Checkpoint, sign1.unverified_payload(refused.data)).size <= due.head.size:
            raise
