"""What a mailer's device keeps of its meter, and how it judges what the data centre says (issue 7; M19, X5, X6).

Nothing here asks or stores anything: each function gives what is to be kept next, or raises MeterError.
"""

from collections.abc import Iterable
from typing import Annotated, Final

from msgspec import Meta
from msgspec.structs import replace

from fob_protocol.cose import sign1
from fob_protocol.cose.errors import CoseError
from fob_protocol.cose.headers import key_id
from fob_protocol.metering import chain
from fob_protocol.metering.answers import About, Franked, History, Loaded, Refunded, SignedUp
from fob_protocol.metering.chain import Link
from fob_protocol.metering.faults import MeterError, MeterFault, UnknownBoxError
from fob_protocol.metering.indicated import check_indicia
from fob_protocol.metering.kinds import Deed, MeterState, Payment
from fob_protocol.metering.limits import ORIGINS_LIMIT
from fob_protocol.metering.passes import Kind, read_pass
from fob_protocol.metering.requests import FrankRequest, LoadRequest, RefundRequest
from fob_protocol.metering.transaction import TransactionRecord, read_transaction
from fob_protocol.metering.values import Account, Amount, LoginName, Postcode, Registers, Serial, ValueKind
from fob_protocol.metering.witness import witness
from fob_protocol.office.errors import OfficeError
from fob_protocol.office.message import Count, Message, Name, Nonce, Octets32, Time, read_one_of

# Transaction boxes that signed for one meter, those of former years too.
BOXES_KEPT: Final = 64
# Requests of which it is known that they were done: more than fit into the time in which a data centre takes one.
ASKED_KEPT: Final = 64

Order = FrankRequest | LoadRequest | RefundRequest
_ORDERS: Final[tuple[type[Order], ...]] = (FrankRequest, LoadRequest, RefundRequest)
Done = Franked | Loaded | Refunded


class KnownBox(Message, frozen=True):
    """A transaction box, by its newest pass."""

    name: Name
    number: Count
    key: Octets32
    not_after: Time


class Asked(Message, frozen=True):
    """A request by its id, and the counter of the transaction that it was answered by."""

    request_id: Nonce
    counter: Count


class Mailer(Message, tag=1, frozen=True):
    """The newest that was believed. `link`: up to where the meter's transactions were followed.

    `asked` are the last requests that were done, the newest last; `fault` is one of LASTING, or empty.
    """

    name: LoginName
    account: Account
    serial: Serial
    registers: Registers
    value_kind: ValueKind | None = None
    state: MeterState | None = None
    payment: Payment | None = None
    origins: Annotated[tuple[Postcode, ...], Meta(max_length=ORIGINS_LIMIT)] = ()
    link: Link | None = None
    boxes: Annotated[tuple[KnownBox, ...], Meta(max_length=BOXES_KEPT)] = ()
    checkpoint: bytes | None = None
    fault: Annotated[str, Meta(max_length=32)] = ""
    # What signing up costs, as far as it was not paid when these registers were told. None: nobody has said yet.
    fee: Amount | None = None
    asked: Annotated[tuple[Asked, ...], Meta(max_length=ASKED_KEPT)] = ()

    @property
    def is_followed(self) -> bool:
        """Whether all that the meter did is known, and who signs for it."""
        return bool(self.boxes) and self.link is not None and self.link.counter >= self.registers.counter

    @property
    def fee_due(self) -> int:
        """What signing up costs, and was not paid yet (M30)."""
        return (self.fee or 0) if self.link is None else self.link.fee

    @property
    def next_after(self) -> int:
        """Which history is asked for next: what comes above this counter."""
        return self.registers.counter - 1 if self.link is None else self.link.counter


def read_order(octets: bytes) -> Order:
    """A request that was kept. Raises OfficeError MALFORMED."""
    return read_one_of(_ORDERS, octets)


def begun(name: str, answer: SignedUp, kept: Mailer | None) -> Mailer:
    """After a sign-up or sign-on. What was witnessed of the log before is witnessed on, where that held."""
    _check_registers(answer.registers)
    same = kept if kept is not None and kept.fault != MeterFault.LOG_REWRITTEN else None
    checkpoint, boxes = (same.checkpoint, same.boxes) if same else (None, ())
    return Mailer(name, answer.account, answer.serial, answer.registers, checkpoint=checkpoint, boxes=boxes)


def with_about(mailer: Mailer, about: About, manufacturing: bytes, now: int) -> Mailer:
    """After what the centre says of the meter and of its log. `manufacturing`: that box's public key (raw)."""
    _check_registers(about.registers)
    if about.registers.counter < mailer.registers.counter:
        raise MeterError(MeterFault.BROKEN_CHAIN, "the meter's counter went back")
    if mailer.value_kind not in (None, about.value_kind):
        raise MeterError(MeterFault.WRONG_METER, f"a meter of {about.value_kind}")
    if mailer.fee is not None and about.fee not in (0, mailer.fee_due):
        raise MeterError(MeterFault.WRONG_FEE, f"{about.fee} for signing up, where {mailer.fee_due} are due")
    mailer = _with_boxes(mailer, about.passes, manufacturing, now)
    keys = [box.key for box in mailer.boxes]
    return replace(
        mailer,
        registers=_newer(mailer.registers, about.registers),
        value_kind=about.value_kind,
        state=about.state,
        payment=about.payment,
        origins=about.origins,
        checkpoint=witness(manufacturing, keys, mailer.checkpoint, about.checkpoint, about.proof),
        fee=about.fee,
    )


def with_history(mailer: Mailer, history: History) -> Mailer:
    """After the next transactions; those that this device did not ask for may frank nothing."""
    link, registers = mailer.link, mailer.registers
    for signed in history.transactions:
        transaction = _transaction(mailer, signed)
        if link is None:
            link = chain.begin(transaction, mailer.registers, mailer.fee or 0)
            continue
        link = chain.follow(link, transaction)
        registers = _newer(registers, chain.left_by(transaction, registers.owed))
        _check_asked(mailer, transaction)
    # A page that is short may have been too long for one answer: nothing at all is the end.
    if not history.transactions and (link is None or link.counter < mailer.registers.counter):
        raise MeterError(MeterFault.WRONG_COUNTER, "the history ends before the meter's counter")
    return replace(mailer, link=link, registers=registers)


def _check_asked(mailer: Mailer, transaction: TransactionRecord) -> None:
    """Whether this device asked for it, and once: what was answered was followed before the next was asked."""
    counter = transaction.counter
    answered = next((one.counter for one in mailer.asked if one.request_id == transaction.request_id), None)
    if answered is None and transaction.deed == Deed.FRANK:
        why = f"transaction {counter} franked what this device did not ask for"
        raise MeterError(MeterFault.UNKNOWN_FRANK, why)
    if answered not in (None, counter):
        why = f"transaction {counter} does again what was asked once, and answered by {answered}"
        raise MeterError(MeterFault.DONE_TWICE, why)


def transactions(mailer: Mailer, history: History, after: int) -> list[TransactionRecord]:
    """What the meter did above a counter, for people: signed for, in its order.

    A data centre that lost some, and was restored from a backup, tells the others: counters show what is missing.
    """
    read = [_transaction(mailer, signed) for signed in history.transactions]
    last, left = after, None
    for transaction in read:
        chain.check_law(transaction)
        if transaction.counter <= last:
            raise MeterError(MeterFault.WRONG_COUNTER, f"{transaction.counter} comes behind {last}")
        if left is not None and transaction.counter == last + 1 and transaction.before != left:
            raise MeterError(MeterFault.BROKEN_CHAIN, f"{transaction.counter} does not begin with what was left")
        last, left = transaction.counter, transaction.after
    return read


def with_done(mailer: Mailer, order: Order, done: Done) -> Mailer:
    """After the answer to a request. What the centre did between is followed later: then `is_followed` is False.

    Raises UnknownBoxError too.
    """
    transaction = _transaction(mailer, done.transaction)
    if transaction.request_id != order.request_id:
        raise MeterError(MeterFault.WRONG_REQUEST, "the answer is about another request")
    _check_order(order, transaction)
    chain.check_law(transaction)
    _check_registers(done.registers)
    if not chain.is_of(transaction, done.registers):
        raise MeterError(MeterFault.WRONG_COUNTER, "the registers are not those of the transaction")
    if isinstance(order, FrankRequest):
        if not isinstance(done, Franked) or done.indicia != transaction.indicia:
            raise MeterError(MeterFault.WRONG_PIECES, "the indicia are not those of the transaction")
        check_indicia(order, transaction, mailer.value_kind, mailer.origins)
    chain.check_fee(transaction, mailer.fee_due)
    return replace(
        mailer,
        registers=_newer(mailer.registers, done.registers),
        fee=None if mailer.fee is None else mailer.fee - min(transaction.fee, mailer.fee),
        link=_followed(mailer.link, transaction),
        asked=(*mailer.asked, Asked(order.request_id, transaction.counter))[-ASKED_KEPT:],
    )


def _followed(link: Link | None, transaction: TransactionRecord) -> Link | None:
    if link is None:
        return None
    if transaction.counter <= link.counter:
        raise MeterError(MeterFault.BROKEN_CHAIN, f"the meter's counter went back from {link.counter}")
    return chain.follow(link, transaction) if transaction.counter == link.counter + 1 else link


def _check_order(order: Order, transaction: TransactionRecord) -> None:
    """Whether it did what was asked."""
    deeds, amount = _due(order)
    if transaction.deed not in deeds:
        raise MeterError(MeterFault.WRONG_DEED, f"{transaction.deed.name.lower()} was not asked for")
    if amount is not None and transaction.amount != amount:
        raise MeterError(MeterFault.WRONG_AMOUNT, f"{transaction.amount}, where {amount} was asked for")
    if transaction.integrity != (order.integrity if isinstance(order, FrankRequest) else None):
        raise MeterError(MeterFault.WRONG_INTEGRITY, "another integrity value than was shown")


def _due(order: Order) -> tuple[tuple[Deed, ...], int | None]:
    """What a request comes to; the amount of an indicium given back is its own."""
    match order:
        case FrankRequest():
            return (Deed.FRANK,), sum(piece.amount for piece in order.pieces)
        case LoadRequest():
            return (Deed.LOAD, Deed.SETTLE), order.amount
        case RefundRequest(unused=None):
            return (Deed.REFUND,), order.amount
    return (Deed.CREDIT,), None


def _transaction(mailer: Mailer, signed: bytes) -> TransactionRecord:
    """Raises MeterError, UnknownBoxError."""
    try:
        signer = sign1.signer_of(signed)
    except CoseError as error:
        raise MeterError(MeterFault.WRONG_SIGNATURE, f"no transaction record: {error}") from None
    box = next((box for box in mailer.boxes if key_id(box.key) == signer), None)
    if box is None:
        raise UnknownBoxError("the transaction is signed by no box that is known")
    try:
        transaction = read_transaction(box.key, signed)
    except OfficeError as error:
        raise MeterError(MeterFault.WRONG_SIGNATURE, error.why) from None
    if transaction.time > box.not_after:
        raise UnknownBoxError(f"the pass of {box.name} was over")
    if transaction.serial != mailer.serial:
        raise MeterError(MeterFault.WRONG_METER, f"a transaction of {transaction.serial}")
    return transaction


def _with_boxes(mailer: Mailer, passes: Iterable[bytes], manufacturing: bytes, now: int) -> Mailer:
    """A box that was replaced has another name; one that is shown by an older pass than before is not believed."""
    boxes = {box.name: box for box in mailer.boxes}
    for signed in passes:
        try:
            shown = read_pass(manufacturing, signed)
        except OfficeError as error:
            raise MeterError(MeterFault.WRONG_SIGNATURE, error.why) from None
        if shown.kind is not Kind.TRANSACTION or shown.signing is None:
            raise MeterError(MeterFault.WRONG_SIGNATURE, f"the pass of {shown.name}, which signs no transactions")
        known = boxes.get(shown.name)
        if shown.not_after < now or (known is not None and shown.number < known.number):
            raise MeterError(MeterFault.WRONG_SIGNATURE, f"the pass of {shown.name} is over")
        boxes[shown.name] = KnownBox(shown.name, shown.number, shown.signing, shown.not_after)
    return replace(mailer, boxes=tuple(boxes.values())[-BOXES_KEPT:])


def _check_registers(registers: Registers) -> None:
    if not registers.is_lawful:
        raise MeterError(MeterFault.UNLAWFUL, "ascending and descending are not what was loaded")


def _newer(held: Registers, said: Registers) -> Registers:
    """Of one counter those that are held, but for what is owed: that stands in no transaction, and was said last."""
    if said.counter == held.counter:
        return replace(held, owed=min(said.owed, held.loads))
    return said if said.counter > held.counter else held
