"""Asked of transaction boxes: they vouch for money, for what was done, and for the log (M4, M6)."""

from fob_office.centre.bus.commands import Command, Reply


class Funded(Reply, frozen=True):
    """`fund` is a FundRecord as it was made."""

    fund: bytes


class FundPaid(Command[Funded], frozen=True):
    """The payment provider's receipt, which says whether it is for a load or for what is owed. FUNCTION."""

    receipt: bytes


class FundOwed(Command[Funded], frozen=True):
    """A load that is paid afterwards. FUNCTION.

    `due`: the meter box's Due. `permission`: for a load, or for a refill (`below`: the rule's). Refused as OrderCharge.
    """

    due: bytes
    permission: bytes
    below: int | None


class ChargeOrdered(Reply, frozen=True):
    """`order` is a ChargeOrder as it was signed."""

    order: bytes


class OrderCharge(Command[ChargeOrdered], frozen=True):
    """That money may be taken. FUNCTION.

    `due`: the meter box's Due. `permission`: for a load, for a refill (`below`: the rule's), or for a frank that lacks
    money, and whose pieces the due names; null: what is owed, and for signing up. `request_id`: the id of a request of
    the mailer's own; null: it follows from its H. Refused `tampering`, `stale`; of what nobody permitted the database
    has a warning.
    """

    due: bytes
    permission: bytes | None
    below: int | None
    request_id: bytes | None


class Attested(Reply, frozen=True):
    """`transaction` is a TransactionRecord as it was signed."""

    transaction: bytes


class Attest(Command[Attested], frozen=True):
    """What was done, to be signed. FUNCTION.

    `change`: a TransactionRecord with the code of the meter box that did it; `voucher`: the permission, fund record or
    order that it is for. Refused `tampering` for what no meter box did, or where they disagree in serial, deed, amount
    or time; the database has a warning then.
    """

    change: bytes
    voucher: bytes


class CheckpointSigned(Reply, frozen=True):
    """A checkpoint, signed."""

    checkpoint: bytes


class CheckpointHeld(Reply, frozen=True):
    """The newest that the box signed; null: none."""

    checkpoint: bytes | None


class HeldCheckpoint(Command[CheckpointHeld], frozen=True):
    """OPERATOR."""


class GoOn(Command[CheckpointSigned], frozen=True):
    """A LogOrder, and the frontier of the log that was put back: the checkpoint with the order as its last entry.

    OPERATOR. Refused `tampering`; `other-size` when the order names another checkpoint than the newest of this box.
    """

    order: bytes
    hashes: tuple[bytes, ...]


class SignCheckpoint(Command[CheckpointSigned], frozen=True):
    """`proof`: that this log goes on from its first `earlier` entries, which are those that the box signed. DATABASE.

    Refused `tampering` when it does not; `other-size` when the newest that the box signed is of another size, with the
    data of that checkpoint (null: it signed none), to prove from there.
    """

    earlier: int
    size: int
    root: bytes
    proof: tuple[bytes, ...]
