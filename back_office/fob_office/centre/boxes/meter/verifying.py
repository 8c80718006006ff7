"""Steps a and g of the transaction: what others signed, verified; and the new record, signed (M7, M9 to M13, M23)."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeVar

import msgspec

from fob_office.centre.boxes.separation import Purpose
from fob_office.centre.boxes.vault import Vault
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.commands.meter import Act
from fob_office.centre.words import Word
from fob_protocol.cose import cbor, mac0
from fob_protocol.cose.cbor import Value
from fob_protocol.cose.errors import CborError, CoseError
from fob_protocol.cose.labels import Label
from fob_protocol.metering.epochs import epoch_of
from fob_protocol.metering.kinds import Deed
from fob_protocol.metering.limits import CLOCK_SKEW, PERMISSION_TIME, RECORD_LIMIT
from fob_protocol.metering.records import MeterRecord
from fob_protocol.metering.vouchers import FundRecord, KeyOrder, MeterOrder, Permission
from fob_protocol.office.hashing import digest
from fob_protocol.office.message import Message

MessageT = TypeVar("MessageT", bound=Message)

# A kilobyte each; the least recently made goes.
REMEMBERED: Final = 10_000

METER_ORDER: Final = "meter"
KEY_ORDER: Final = "key"


class Verified(NamedTuple):
    """A meter record, its octets, and H of it as it was signed."""

    record: MeterRecord
    octets: bytes
    signed_digest: bytes


@dataclass(frozen=True, slots=True)
class Asked:
    """What a permission has to say. No amount: any."""

    act: Act
    deed: Deed
    amount: int | None
    pieces: bytes | None


class Verifier:
    """With the masters of a meter box. All its methods raise BusRefusedError TAMPERING for a wrong code."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        # Records by their octets, read once: those that this box made come back with the next request.
        self._read: OrderedDict[bytes, MeterRecord] = OrderedDict()

    def remember(self, octets: bytes, record: MeterRecord) -> None:
        """What these octets say."""
        self._read[octets] = record
        if len(self._read) > REMEMBERED:
            self._read.popitem(last=False)

    def record(self, signed: bytes, now: int) -> Verified:
        """Raises EPOCH_ROLLBACK for one of an epoch that has not come yet."""
        said = _payload(signed)
        claimed = self._read.get(said) or _claimed(MeterRecord, said)
        octets = self._check(signed, Label.METER_RECORD, Purpose.RECORD, claimed.serial, claimed.epoch)
        _check_epoch(claimed.epoch, now)
        return Verified(claimed, octets, digest(signed))

    def sign(self, record: bytes, serial: str, epoch: int) -> bytes:
        """The octets of a record, under the key of its epoch."""
        return mac0.authenticate(self._vault.derive(Purpose.RECORD, serial, epoch), Label.METER_RECORD, [], record)

    def permission(self, signed: bytes, record: MeterRecord, asked: Asked, now: int) -> Permission:
        """The mailer asked for exactly this, just now. Raises NOT_AUTHENTICATED, STALE."""
        given = _claimed(Permission, _payload(signed))
        self._check(signed, Label.PERMISSION, Purpose.PERMISSION, given.account)
        said = (given.account, given.serial, given.request, given.deed, given.pieces)
        if said != (record.account, record.serial, asked.act.request, asked.deed, asked.pieces):
            raise BusRefusedError(Word.NOT_AUTHENTICATED, "the permission is for something else")
        if asked.amount is not None and given.amount != asked.amount:
            raise BusRefusedError(Word.NOT_AUTHENTICATED, "the permission is for another amount")
        if not now - PERMISSION_TIME <= given.time <= now + CLOCK_SKEW:
            raise BusRefusedError(Word.STALE, f"a permission is good for {PERMISSION_TIME} s")
        return given

    def fund(self, signed: bytes, record: MeterRecord, act: Act, now: int) -> FundRecord:
        """Money for this meter, for this request. Raises EPOCH_ROLLBACK."""
        fund = _claimed(FundRecord, _payload(signed))
        self._check(signed, Label.FUND_RECORD, Purpose.FUND, fund.serial, fund.epoch)
        _check_epoch(fund.epoch, now)
        if (fund.serial, fund.request) != (record.serial, act.request):
            raise BusRefusedError(Word.TAMPERING, "the fund record is of another meter, or for another request")
        return fund

    def meter_order(self, signed: bytes, act: Act) -> MeterOrder:
        """For this request."""
        order = _claimed(MeterOrder, _payload(signed))
        self._check(signed, Label.METER_ORDER, Purpose.ORDER, METER_ORDER)
        if order.request != act.request:
            raise BusRefusedError(Word.TAMPERING, "the order is for another request")
        return order

    def key_order(self, signed: bytes, record: MeterRecord) -> KeyOrder:
        """For this meter."""
        order = _claimed(KeyOrder, _payload(signed))
        self._check(signed, Label.KEY_ORDER, Purpose.ORDER, KEY_ORDER)
        if order.serial != record.serial:
            raise BusRefusedError(Word.TAMPERING, "the order is for another meter")
        return order

    def _check(self, signed: bytes, label: Label, purpose: Purpose, *context: Value) -> bytes:
        try:
            return mac0.check(self._vault.derive(purpose, *context), label, [], signed)
        except CoseError as error:
            raise BusRefusedError(Word.TAMPERING, f"{label}: {error}") from None


def newest_epoch(record: MeterRecord, now: int) -> int:
    """That of now, and never one before the record's own."""
    return max(record.epoch, epoch_of(now))


def _check_epoch(epoch: int, now: int) -> None:
    # Another box, whose clock is a little ahead, may have begun the next one.
    if epoch > epoch_of(now + CLOCK_SKEW):
        raise BusRefusedError(Word.EPOCH_ROLLBACK, "signed in an epoch that has not come yet")


def _payload(signed: bytes) -> bytes:
    """What was signed, before it is known by whom."""
    if len(signed) > RECORD_LIMIT:
        raise BusRefusedError(Word.TAMPERING, f"{len(signed)} octets; at most {RECORD_LIMIT}")
    try:
        return mac0.unchecked_payload(signed)
    except CoseError as error:
        raise BusRefusedError(Word.TAMPERING, str(error)) from None


def _claimed(kind: type[MessageT], octets: bytes) -> MessageT:
    """What it says, to know which key has to have made it.

    It is not encoded again to compare, as `read` does for what anybody may have made: the code is over these octets.
    """
    try:
        return msgspec.convert(cbor.decode(octets), kind)
    except (CborError, msgspec.ValidationError) as error:
        raise BusRefusedError(Word.TAMPERING, f"no {kind.__name__}: {error}") from None
