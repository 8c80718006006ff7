"""Asked of the payment provider (M29). Each number of a serial is done once and said again.

Numbers of what goes back are of their own: they are counters of refunds.
"""

from fob_office.centre.bus.commands import Command, Done, Reply


class Receipted(Reply, frozen=True):
    """A Receipt as it was signed; of another request, when that one came first under this number."""

    receipt: bytes


class Charge(Command[Receipted], frozen=True):
    """Take what a transaction box ordered: its ChargeOrder, as it was signed. FUNCTION.

    Of each request once. Refused `payment-refused`, `tampering` (no transaction box ordered it), `stale`.
    """

    order: bytes


class PayBack(Command[Receipted], frozen=True):
    """Give back what a refund took out of a meter: `transaction`, as a transaction box signed it. FUNCTION.

    `record`: the meter record after it, as it was signed, of which the transaction has H: it says account, counter
    (the `number`) and request. Once for each, and only to the account that paid. Refused
    `payment-refused`, `tampering` (it is not what transaction and record say).
    """

    account: bytes
    serial: str
    number: int
    amount: int
    request_digest: bytes
    request_id: bytes
    transaction: bytes
    record: bytes


class Paid(Reply, frozen=True):
    """The receipt of what was done; null: nothing was."""

    receipt: bytes | None


class FetchPaid(Command[Paid], frozen=True):
    """What was taken under this number. FUNCTION."""

    serial: str
    number: int


class Open(Reply, frozen=True):
    """Receipts as they were signed, in the order of serials and numbers; none is the end."""

    receipts: tuple[bytes, ...]


class FetchOpen(Command[Open], frozen=True):
    """Money that was taken OPEN_TIME ago or more, and that nobody showed to have come onto its meter.

    Above a serial and a number. FUNCTION, OPERATOR.
    """

    serial: str
    number: int


class CameIn(Command[Done], frozen=True):
    """What was charged is on its meter, for good: the load or settlement, as a transaction box signed it. FUNCTION.

    Of what no transaction box signed, or of another amount than was taken by its request: `tampering`.
    """

    transaction: bytes


class Carded(Reply, frozen=True):
    """An account's card at the emulated provider; amounts in the value kind's least unit.

    `charged` and `paid_back`: all that ever was, in so many `payments`.
    """

    balance: int
    is_refused: bool
    charged: int
    paid_back: int
    payments: int


class FetchCard(Command[Carded], frozen=True):
    """Of an account, 16 octets. OPERATOR."""

    account: bytes


class SetCard(Command[Carded], frozen=True):
    """What a card has from now on, and whether all that goes in or out of it is refused; null: as before. OPERATOR."""

    account: bytes
    balance: int | None
    is_refused: bool | None
