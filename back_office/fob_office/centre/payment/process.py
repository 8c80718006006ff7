"""The payment provider in its process: what it answers (fob_office.centre.commands.payment)."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, TypeVar

from fob_office.centre.boxes.box import Box
from fob_office.centre.boxes.identity import signing_key
from fob_office.centre.bus.answering import Table, row
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.bus.passes import Kind, Pass
from fob_office.centre.bus.signers import Signers
from fob_office.centre.commands.payment import Charge, PayBack, Receipted
from fob_office.centre.payment.emulated import EmulatedProvider
from fob_office.centre.payment.interface import PaymentRefusedError, Payments
from fob_office.centre.payment.ledger import Terms, open_ledger
from fob_office.centre.words import Word
from fob_protocol.cose import sign1
from fob_protocol.cose.errors import CoseError
from fob_protocol.metering.kinds import Deed
from fob_protocol.metering.limits import AMOUNT_LIMIT
from fob_protocol.metering.transaction import read_transaction
from fob_protocol.office.errors import OfficeError
from fob_protocol.office.patterns import SERIAL

FILE: Final = "payments.db"
_ACCOUNT_SIZE: Final = 16
_HASH_SIZE: Final = 32
_REQUEST_ID_SIZE: Final = 16
_NUMBER_LIMIT: Final = (1 << 53) - 1

AskedT = TypeVar("AskedT", Charge, PayBack)


@asynccontextmanager
async def payment_provider(box: Box) -> AsyncIterator[Table]:
    """The factory of kind PAYMENT: the emulated one. Raises OperatorError."""
    ledger = open_ledger(box.folder.path / FILE)
    provider = EmulatedProvider(ledger, signing_key(box.identity), box.surroundings, Terms())
    try:
        yield payment_table(provider, Signers(box.links.directory, box.me.trust, Kind.TRANSACTION))
    finally:
        # Its thread ends what it has begun.
        await asyncio.to_thread(provider.close)


def payment_table(payments: Payments, signers: Signers) -> Table:
    """Who may ask what of a provider. `signers`: the transaction boxes."""

    async def charge(_: Pass, asked: Charge) -> Receipted:
        return await _receipted(payments.charge, asked)

    async def pay_back(_: Pass, asked: PayBack) -> Receipted:
        _check_refund(asked, signers)
        return await _receipted(payments.pay_back, asked)

    return {Charge: row((Kind.FUNCTION,), charge), PayBack: row((Kind.FUNCTION,), pay_back)}


async def _receipted(done: Callable[[AskedT], Awaitable[bytes]], asked: AskedT) -> Receipted:
    _check(asked)
    try:
        return Receipted(await done(asked))
    except PaymentRefusedError as refused:
        raise BusRefusedError(Word.PAYMENT_REFUSED, str(refused)) from None


def _check_refund(asked: PayBack, signers: Signers) -> None:
    """The meter gave it up, as a transaction box says. Raises BusRefusedError TAMPERING."""
    try:
        said = read_transaction(signers.key(sign1.signer_of(asked.transaction)), asked.transaction)
    except (CoseError, OfficeError) as error:
        raise BusRefusedError(Word.TAMPERING, f"the refund: {error}") from None
    if (said.deed, said.serial, said.amount, said.request) != (
        Deed.REFUND, asked.serial, asked.amount, asked.request_id,
    ):  # fmt: skip
        raise BusRefusedError(Word.TAMPERING, "the transaction says something else")


def _check(asked: Charge | PayBack) -> None:
    """Raises BusRefusedError MALFORMED: no receipt could say it."""
    if len(asked.account) != _ACCOUNT_SIZE or len(asked.request) != _HASH_SIZE:
        raise BusRefusedError(Word.MALFORMED, "an account has 16 octets, and H of a request 32")
    if len(asked.request_id) != _REQUEST_ID_SIZE:
        raise BusRefusedError(Word.MALFORMED, "a request id has 16 octets")
    if re.fullmatch(SERIAL, asked.serial) is None or not 1 <= asked.number <= _NUMBER_LIMIT:
        raise BusRefusedError(Word.MALFORMED, "payments are numbered from 1, for a serial number")
    if not 1 <= asked.amount <= AMOUNT_LIMIT:
        raise BusRefusedError(Word.MALFORMED, f"an amount is between 1 and {AMOUNT_LIMIT}")
