"""The transactions of one meter, one after another: what anybody can check who has none of its keys."""

from fob_protocol.metering.faults import MeterError, MeterFault
from fob_protocol.metering.kinds import Deed
from fob_protocol.metering.transaction import TransactionRecord
from fob_protocol.metering.values import Amount, Registers
from fob_protocol.office.message import Count, Message, Octets32


class Link(Message, frozen=True):
    """What the next transaction follows: the counter and registers of the one before, and H of the record it left.

    `fee` is what signing up costs, until it was paid (M30).
    """

    counter: Count
    ascending: Count
    loads: Count
    pieces: Count
    after: Octets32
    fee: Amount = 0


def begin(transaction: TransactionRecord, registers: Registers, fee: int) -> Link:
    """From the transaction that left these registers, and so much of the fee unpaid. Raises MeterError."""
    check_law(transaction)
    if not is_of(transaction, registers):
        raise MeterError(MeterFault.WRONG_COUNTER, "the registers are not those of the transaction that made them")
    return _link(transaction, fee)


def follow(link: Link, transaction: TransactionRecord) -> Link:
    """After the next transaction. Raises MeterError."""
    if transaction.counter != link.counter + 1:
        raise MeterError(MeterFault.WRONG_COUNTER, f"{transaction.counter} comes behind {link.counter}")
    if transaction.before != link.after:
        raise MeterError(MeterFault.BROKEN_CHAIN, f"{transaction.counter} does not begin with what {link.counter} left")
    check_law(transaction)
    if (transaction.ascending, transaction.loads, transaction.pieces) != _due(link, transaction):
        raise MeterError(MeterFault.UNLAWFUL, f"the registers of {transaction.counter} do not follow from its amount")
    check_fee(transaction, link.fee)
    return _link(transaction, link.fee - transaction.fee)


def check_law(transaction: TransactionRecord) -> None:
    """Raises MeterError UNLAWFUL."""
    if transaction.ascending + transaction.descending != transaction.loads:
        raise MeterError(MeterFault.UNLAWFUL, "ascending and descending are not what was loaded")


def check_fee(transaction: TransactionRecord, due: int) -> None:
    """Nobody pays for signing up what he was not told, or twice. Raises MeterError WRONG_FEE."""
    if transaction.fee == 0:
        return
    if transaction.deed not in (Deed.LOAD, Deed.SETTLE) or transaction.fee != due:
        why = f"transaction {transaction.counter} took {transaction.fee} for signing up, where {due} are due"
        raise MeterError(MeterFault.WRONG_FEE, why)


def is_of(transaction: TransactionRecord, registers: Registers) -> bool:
    """Whether a transaction left these registers; what is owed stands in none."""
    left = (transaction.counter, transaction.ascending, transaction.descending, transaction.pieces, transaction.loads)
    said = (registers.counter, registers.ascending, registers.descending, registers.pieces, registers.loads)
    return left == said


def left_by(transaction: TransactionRecord, owed: int) -> Registers:
    """The registers after it; what is owed is as it was told last, and no more than there is."""
    return Registers(
        transaction.counter, transaction.ascending, transaction.descending, transaction.pieces, transaction.loads,
        min(owed, transaction.loads),
    )  # fmt: skip


def _link(transaction: TransactionRecord, fee: int) -> Link:
    return Link(
        transaction.counter, transaction.ascending, transaction.loads, transaction.pieces, transaction.after, fee
    )


def _due(link: Link, transaction: TransactionRecord) -> tuple[int, int, int]:
    """What the ascending register, the sum of loads and the pieces have to be."""
    amount = transaction.amount
    match transaction.deed:
        case Deed.LOAD | Deed.CREDIT:
            return link.ascending, link.loads + amount, link.pieces
        case Deed.REFUND:
            return link.ascending, link.loads - amount, link.pieces
        case Deed.FRANK:
            return link.ascending + amount, link.loads, link.pieces + len(transaction.indicia)
    return link.ascending, link.loads, link.pieces
