"""What stands in a transaction that the device has judged: for what is kept, shown and drawn here."""

from dataclasses import replace

from fob_daemon.metering.jobs import Done
from fob_daemon.metering.reports import Ended
from fob_daemon.metering.views import MeterState, Result
from fob_protocol.metering.indicium import Indicium
from fob_protocol.metering.kinds import Deed
from fob_protocol.metering.transaction import TransactionRecord, unverified_transaction
from fob_protocol.metering.values import Indicated
from fob_protocol.office.errors import OfficeError
from fob_protocol.office.message import read
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError


def transaction_of(record: bytes) -> TransactionRecord:
    """Raises CkrError DEVICE_ERROR for what is none."""
    try:
        return unverified_transaction(record)
    except OfficeError as error:
        raise CkrError(Ckr.DEVICE_ERROR, f"the device's answer: {error.why}") from None


def franked_of(transaction: TransactionRecord) -> tuple[Indicated, ...]:
    """The indicia that it made: a credit has the one that was given back by it."""
    return transaction.indicia if transaction.deed == Deed.FRANK else ()


def value_kind_of(transaction: TransactionRecord) -> str:
    """By its first indicium; empty where it has none."""
    if not transaction.indicia:
        return ""
    try:
        return read(Indicium, transaction.indicia[0].indicium).value_kind
    except OfficeError as error:
        raise CkrError(Ckr.DEVICE_ERROR, f"the device's answer: {error.why}") from None


def ended_of(result: Result | None, value_kind: str) -> Ended:
    """What is said of an order whose command did not hear of it; `value_kind` is its meter's. Raises CkrError."""
    if result is None:
        return Ended("", value_kind)
    it = transaction_of(result.transaction)
    kind = value_kind_of(it) or value_kind
    return Ended(Deed(it.deed).name.lower(), kind, it.counter, it.amount, len(it.indicia), it.serial)


def done_of(result: Result) -> Done:
    """What is kept of a result. Raises CkrError."""
    transaction = transaction_of(result.transaction)
    if transaction.counter > result.counter:
        raise CkrError(Ckr.DEVICE_ERROR, "the device's answer: a transaction that its meter has not come to")
    it = transaction
    return Done(it.serial, it.counter, it.amount, len(franked_of(it)), it.time, result.transaction)


def known_after(known: MeterState | None, result: Result) -> MeterState:
    """What is known of the device's meter when a result has come; one of a meter before it says nothing of it."""
    transaction = transaction_of(result.transaction)
    if known is not None and known.serial and known.serial != transaction.serial:
        return known
    if known is None or not known.serial:
        kind = value_kind_of(transaction)
        known = MeterState("ready", "", transaction.serial, kind, 0, 0, 0, 0, 0, 0, 0, 0, "", "", "")
    if result.counter < known.counter:
        return known
    return replace(
        known,
        value_kind=known.value_kind or value_kind_of(transaction),
        counter=result.counter,
        ascending=result.ascending,
        descending=result.descending,
        pieces=result.pieces,
        loads=result.loads,
        owed=result.owed,
        fault="",
    )


def result_of(record: bytes) -> Result:
    """As an answer had it, but for what is owed, which no transaction tells. Raises CkrError."""
    it = transaction_of(record)
    return Result(it.counter, it.ascending, it.descending, it.pieces, it.loads, 0, record)
