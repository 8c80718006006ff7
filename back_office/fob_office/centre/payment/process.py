"""The payment provider in its process: what it answers (fob_office.centre.commands.payment)."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, TypeVar

from fob_office.centre.boxes.alarm import Alarm
from fob_office.centre.boxes.box import Box
from fob_office.centre.boxes.identity import signing_key
from fob_office.centre.bus.answering import Table, row
from fob_office.centre.bus.commands import Done
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.bus.passes import Kind, Pass
from fob_office.centre.bus.signers import Signers
from fob_office.centre.commands.payment import CameIn, Charge, FetchOpen, FetchPaid, Open, Paid, PayBack, Receipted
from fob_office.centre.following import ID_SIZE
from fob_office.centre.payment.cards import card_table
from fob_office.centre.payment.emulated import EmulatedProvider
from fob_office.centre.payment.interface import PaymentRefusedError, Payments
from fob_office.centre.payment.ledger import Terms, open_ledger
from fob_office.centre.words import Word
from fob_protocol.cose import mac0, sign1
from fob_protocol.cose.errors import CoseError
from fob_protocol.metering.kinds import Deed
from fob_protocol.metering.limits import ACCOUNT_SIZE, AMOUNT_LIMIT, CLOCK_SKEW, PERMISSION_TIME
from fob_protocol.metering.records import MeterRecord
from fob_protocol.metering.transaction import TransactionRecord, read_transaction
from fob_protocol.metering.vouchers import ChargeOrder, read_charge_order
from fob_protocol.office.errors import OfficeError
from fob_protocol.office.hashing import DIGEST_SIZE, digest
from fob_protocol.office.limits import COUNT_LIMIT
from fob_protocol.office.message import read
from fob_protocol.office.patterns import SERIAL

FILE: Final = "payments.db"
_FUNCTION: Final = (Kind.FUNCTION,)
# Seconds in which what was charged comes onto its meter, where nothing is cut.
OPEN_TIME: Final = 10

AskedT = TypeVar("AskedT", ChargeOrder, PayBack)
Warning_ = Callable[[Pass, BusRefusedError], Awaitable[None]]


@asynccontextmanager
async def payment_provider(box: Box) -> AsyncIterator[Table]:
    """The factory of kind PAYMENT: the emulated one. Raises OperatorError."""
    ledger = open_ledger(box.folder.path / FILE)
    terms = Terms()
    provider = EmulatedProvider(ledger, signing_key(box.identity), box.surroundings, terms)
    try:
        signers = Signers(box.links.directory, box.me.trust, Kind.TRANSACTION)
        alarm = Alarm(box.links, box.surroundings)
        payments = payment_table(provider, signers, box.surroundings.clock, alarm.warn)
        yield {**payments, **card_table(provider, terms)}
    finally:
        # Its thread ends what it has begun.
        await asyncio.to_thread(provider.close)


def payment_table(payments: Payments, signers: Signers, clock: Callable[[], int], warn: Warning_) -> Table:
    """Who may ask what of a provider. `signers`: the transaction boxes; `warn` is told of what nobody ordered."""

    async def charge(peer: Pass, asked: Charge) -> Receipted:
        try:
            order = _ordered(asked, signers, clock())
        except BusRefusedError as error:
            if error.word == Word.TAMPERING:
                # Whoever asks for this is the last one to tell of it.
                await warn(peer, error)
            raise
        return await _receipted(payments.charge, order)

    async def pay_back(_: Pass, asked: PayBack) -> Receipted:
        _check_refund(asked, signers)
        _check(asked)
        return await _receipted(payments.pay_back, asked)

    async def fetch_paid(_: Pass, asked: FetchPaid) -> Paid:
        return Paid(await payments.paid(asked.serial, asked.number))

    async def fetch_open(_: Pass, asked: FetchOpen) -> Open:
        return Open(tuple(await payments.open((asked.serial, asked.number), clock() - OPEN_TIME)))

    async def came_in(_: Pass, asked: CameIn) -> Done:
        said = _loaded(asked, signers)
        if not await payments.came_in(said.serial, said.request_id, said.amount + said.fee):
            why = f"{said.amount + said.fee} came onto {said.serial}, for which nothing of the kind was taken"
            raise BusRefusedError(Word.TAMPERING, why)
        return Done()

    return {
        Charge: row(_FUNCTION, charge),
        PayBack: row(_FUNCTION, pay_back),
        FetchPaid: row(_FUNCTION, fetch_paid),
        FetchOpen: row((*_FUNCTION, Kind.OPERATOR), fetch_open),
        CameIn: row(_FUNCTION, came_in),
    }


async def _receipted(done: Callable[[AskedT], Awaitable[bytes]], asked: AskedT) -> Receipted:
    try:
        return Receipted(await done(asked))
    except PaymentRefusedError as refused:
        raise BusRefusedError(Word.PAYMENT_REFUSED, str(refused)) from None


def _loaded(asked: CameIn, signers: Signers) -> TransactionRecord:
    """It is on its meter, as a transaction box says. Raises BusRefusedError TAMPERING."""
    try:
        said = read_transaction(signers.key(sign1.signer_of(asked.transaction)), asked.transaction)
    except (CoseError, OfficeError) as error:
        raise BusRefusedError(Word.TAMPERING, f"nobody loaded it: {error}") from None
    if said.deed not in (Deed.LOAD, Deed.SETTLE):
        raise BusRefusedError(Word.TAMPERING, "the transaction is no load")
    return said


def _check_refund(asked: PayBack, signers: Signers) -> None:
    """The meter gave it up, as a transaction box says, and for whom, as the record after it. Raises TAMPERING."""
    try:
        said = read_transaction(signers.key(sign1.signer_of(asked.transaction)), asked.transaction)
        after = read(MeterRecord, mac0.unchecked_payload(asked.record))
    except (CoseError, OfficeError) as error:
        raise BusRefusedError(Word.TAMPERING, f"the refund: {error}") from None
    if (said.deed, said.serial, said.amount, said.request_id, said.after) != (
        Deed.REFUND, asked.serial, asked.amount, asked.request_id, digest(asked.record),
    ):  # fmt: skip
        raise BusRefusedError(Word.TAMPERING, "the transaction says something else")
    # Its code was checked by the box that did it: the transaction has H of it.
    if (after.account, after.registers.counter, after.last) != (asked.account, asked.number, asked.request_digest):
        raise BusRefusedError(Word.TAMPERING, "the meter record says something else")


def _ordered(asked: Charge, signers: Signers, now: int) -> ChargeOrder:
    """A transaction box has seen who permits it. Raises BusRefusedError TAMPERING, STALE."""
    try:
        order = read_charge_order(signers.key(sign1.signer_of(asked.order)), asked.order)
    except (CoseError, OfficeError) as error:
        raise BusRefusedError(Word.TAMPERING, f"nobody ordered this charge: {error}") from None
    if not now - PERMISSION_TIME <= order.time <= now + CLOCK_SKEW:
        raise BusRefusedError(Word.STALE, f"an order is good for {PERMISSION_TIME} s")
    if order.number == 0 or not 1 <= order.amount + order.fee <= AMOUNT_LIMIT:
        raise BusRefusedError(Word.MALFORMED, f"an amount is between 1 and {AMOUNT_LIMIT}, and numbers begin with 1")
    return order


def _check(asked: PayBack) -> None:
    """Raises BusRefusedError MALFORMED: no receipt could say it."""
    if len(asked.account) != ACCOUNT_SIZE or len(asked.request_digest) != DIGEST_SIZE:
        raise BusRefusedError(Word.MALFORMED, f"an account has {ACCOUNT_SIZE} octets, and H of a request {DIGEST_SIZE}")
    if len(asked.request_id) != ID_SIZE:
        raise BusRefusedError(Word.MALFORMED, f"a request id has {ID_SIZE} octets")
    if re.fullmatch(SERIAL, asked.serial) is None or not 1 <= asked.number <= COUNT_LIMIT:
        raise BusRefusedError(Word.MALFORMED, "payments are numbered from 1, for a serial number")
    if not 1 <= asked.amount <= AMOUNT_LIMIT:
        raise BusRefusedError(Word.MALFORMED, f"an amount is between 1 and {AMOUNT_LIMIT}")
