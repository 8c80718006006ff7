"""After a backup of the meters' database was put back: an operator orders what boxes refuse to do by themselves.

The log shows it for ever; `fob-log-verify` and every device that kept a newer checkpoint still find the break.
"""

from collections.abc import Sequence
from typing import Final, Protocol

from fob_office.centre.bus.commands import Command, ReplyT
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.bus.passes import Kind
from fob_office.centre.commands.authentication import SeenMailer
from fob_office.centre.commands.database import NO_REQUEST, Fetch, FetchLogHead, NoteOrder
from fob_office.centre.commands.function import RestoreMailer
from fob_office.centre.commands.steel import OrderLog, OrderMailer
from fob_office.centre.commands.transaction import GoOn, HeldCheckpoint
from fob_office.centre.words import Word
from fob_protocol.cose import mac0, sign1
from fob_protocol.metering.log.checkpoint import Checkpoint
from fob_protocol.metering.log.tree import Frontier
from fob_protocol.metering.records import UserRecord
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


async def recover_log(operator: Asking, box: str) -> Checkpoint | None:
    """A transaction box signs the log as it stands now, with the order as its last entry.

    The checkpoint that it signed before; nothing when it signed none. Raises BusRefusedError, AwayError.
    """
    signed = (await operator.one(box, HeldCheckpoint())).checkpoint
    if signed is None:
        return None
    before = read(Checkpoint, sign1.unverified_payload(signed))
    for _ in range(_TRIES):
        head = await operator.any(Kind.DATABASE, FetchLogHead())
        root = Frontier(head.size, head.hashes).root
        order = await operator.any(Kind.STEEL, OrderLog(box, before.size, before.root, head.size, root))
        try:
            await operator.any(Kind.DATABASE, NoteOrder(order.order, head.size))
        except BusRefusedError as refused:
            if refused.word != Word.CONFLICT:
                raise
            continue
        await operator.one(box, GoOn(order.order, head.hashes))
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
