"""Records and vouchers that boxes make and check for one another: COSE_Mac0 under keys of their masters (M9 to M13)."""

from typing import Final

import msgspec

from fob_office.centre.boxes.separation import Purpose
from fob_office.centre.boxes.vault import Vault
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.words import Word
from fob_protocol.cose import cbor, mac0
from fob_protocol.cose.cbor import Value
from fob_protocol.cose.errors import CborError, CoseError
from fob_protocol.cose.labels import Label
from fob_protocol.metering.epochs import epoch_of
from fob_protocol.metering.limits import CLOCK_SKEW, PERMISSION_TIME, RECORD_LIMIT
from fob_protocol.metering.transaction import TransactionRecord
from fob_protocol.metering.vouchers import Due, FundRecord, Permission
from fob_protocol.office.errors import OfficeError
from fob_protocol.office.message import Message, MessageT, read

# A transaction of 64 indicia has 22,000 octets.
CHANGE_LIMIT: Final = 32_768


def claimed(kind: type[MessageT], signed: bytes) -> MessageT:
    """What it says, to know which key has to have made it. Raises BusRefusedError TAMPERING."""
    return read_payload(kind, payload_of(signed))


def payload_of(signed: bytes, limit: int = RECORD_LIMIT) -> bytes:
    """What was signed, before it is known by whom. Raises BusRefusedError TAMPERING."""
    if len(signed) > limit:
        raise BusRefusedError(Word.TAMPERING, f"{len(signed)} octets; at most {limit}")
    try:
        return mac0.unchecked_payload(signed)
    except CoseError as error:
        raise BusRefusedError(Word.TAMPERING, str(error)) from None


def read_payload(kind: type[MessageT], payload: bytes) -> MessageT:
    """Raises BusRefusedError TAMPERING.

    It is not encoded again to compare, as `read` does for what anybody may have made: the code is over these octets.
    """
    try:
        return msgspec.convert(cbor.decode(payload), kind)
    except (CborError, msgspec.ValidationError) as error:
        raise BusRefusedError(Word.TAMPERING, f"no {kind.__name__}: {error}") from None


def check(vault: Vault, signed: bytes, label: Label, purpose: Purpose, *context: Value) -> bytes:
    """The payload. Raises BusRefusedError TAMPERING for a wrong code, NotHeldError."""
    try:
        return mac0.check(vault.derive(purpose, *context), label, [], signed)
    except CoseError as error:
        raise BusRefusedError(Word.TAMPERING, f"{label}: {error}") from None


def epoch_after(epoch: int, now: int) -> int:
    """Of a record that follows one of this epoch: that of now, and never one before (M11).

    One that has not come yet is by a box of this data centre, whose clock was ahead: nobody else has its key.
    """
    return max(epoch, epoch_of(now))


def sign(vault: Vault, message: Message, label: Label, purpose: Purpose, *context: Value) -> bytes:
    """As it is given out. Raises NotHeldError."""
    return mac0.authenticate(vault.derive(purpose, *context), label, [], message.octets())


def sign_checked(vault: Vault, message: Message, label: Label, purpose: Purpose, *context: Value) -> bytes:
    """One that holds what others said: it is read first as it will be.

    Raises BusRefusedError MALFORMED, NotHeldError.
    """
    try:
        read(type(message), message.octets())
    except (OfficeError, TypeError, ValueError) as error:
        raise BusRefusedError(Word.MALFORMED, f"no {type(message).__name__}: {error}") from None
    return sign(vault, message, label, purpose, *context)


def read_permission(vault: Vault, signed: bytes) -> Permission:
    """Whatever it is for, and however old. Raises BusRefusedError TAMPERING."""
    permission = claimed(Permission, signed)
    check(vault, signed, Label.PERMISSION, Purpose.PERMISSION, permission.account)
    return permission


def check_fresh(permission: Permission, now: int) -> None:
    """Raises BusRefusedError STALE."""
    if not now - PERMISSION_TIME <= permission.time <= now + CLOCK_SKEW:
        raise BusRefusedError(Word.STALE, f"a permission is good for {PERMISSION_TIME} s")


def read_fund(vault: Vault, signed: bytes) -> FundRecord:
    """Of whatever meter. Raises BusRefusedError TAMPERING."""
    fund = claimed(FundRecord, signed)
    check(vault, signed, Label.FUND_RECORD, Purpose.FUND, fund.serial, fund.epoch)
    return fund


def read_change(vault: Vault, signed: bytes) -> TransactionRecord:
    """What a meter box did, however long ago. Raises BusRefusedError TAMPERING."""
    change = read_payload(TransactionRecord, payload_of(signed, CHANGE_LIMIT))
    check(vault, signed, Label.CHANGE, Purpose.CHANGE, change.serial)
    return change


def read_due(vault: Vault, signed: bytes) -> Due:
    """What a meter box said of money, however long ago. Raises BusRefusedError TAMPERING."""
    due = claimed(Due, signed)
    check(vault, signed, Label.DUE, Purpose.CHANGE, due.serial)
    return due
