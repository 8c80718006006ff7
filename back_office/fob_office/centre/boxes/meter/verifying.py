"""Steps a and g of the transaction: what others signed, verified; and the new record, signed (M7, M9 to M13, M23)."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final, NamedTuple

from fob_office.centre.boxes import codes
from fob_office.centre.boxes.orders import read_order
from fob_office.centre.boxes.separation import Purpose
from fob_office.centre.boxes.vault import Vault
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.commands.meter import Act
from fob_office.centre.words import Word
from fob_protocol.cose import mac0
from fob_protocol.cose.labels import Label
from fob_protocol.metering.kinds import Deed
from fob_protocol.metering.records import MeterRecord
from fob_protocol.metering.vouchers import Due, FundRecord, KeyOrder, MeterOrder, Permission
from fob_protocol.office.hashing import digest

# A kilobyte each; the least recently made goes.
REMEMBERED: Final = 10_000


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

    def record(self, signed: bytes) -> Verified:
        """By the key of its own epoch, whichever that is."""
        said = codes.payload_of(signed)
        claimed = self._read.get(said) or codes.read_payload(MeterRecord, said)
        octets = codes.check(self._vault, signed, Label.METER_RECORD, Purpose.RECORD, claimed.serial, claimed.epoch)
        return Verified(claimed, octets, digest(signed))

    def sign(self, record: bytes, serial: str, epoch: int) -> bytes:
        """The octets of a record, under the key of its epoch."""
        return mac0.authenticate(self._vault.derive(Purpose.RECORD, serial, epoch), Label.METER_RECORD, [], record)

    def due(self, record: MeterRecord, pieces: bytes | None, now: int) -> bytes:
        """What this record says of money, for a transaction box. `pieces`: those that were judged by it."""
        registers = record.registers
        due = Due(
            serial=record.serial,
            account=record.account,
            number=record.funds + 1,
            counter=registers.counter,
            descending=registers.descending,
            owed=registers.owed,
            fee=record.fee,
            time=now,
            pieces=None if pieces is None else digest(pieces),
        )
        return codes.sign(self._vault, due, Label.DUE, Purpose.CHANGE, record.serial)

    def permission(self, signed: bytes, record: MeterRecord, asked: Asked, now: int) -> Permission:
        """The mailer asked for exactly this, just now. Raises NOT_AUTHENTICATED, STALE."""
        given = codes.read_permission(self._vault, signed)
        said = (given.account, given.serial, given.request_digest, given.deed, given.pieces)
        if said != (record.account, record.serial, asked.act.request_digest, asked.deed, asked.pieces):
            raise BusRefusedError(Word.NOT_AUTHENTICATED, "the permission is for something else")
        if asked.amount is not None and given.amount != asked.amount:
            raise BusRefusedError(Word.NOT_AUTHENTICATED, "the permission is for another amount")
        codes.check_fresh(given, now)
        return given

    def fund(self, signed: bytes, record: MeterRecord, act: Act) -> FundRecord:
        """Money for this meter, for this request."""
        fund = codes.read_fund(self._vault, signed)
        if (fund.account, fund.serial, fund.request_digest) != (record.account, record.serial, act.request_digest):
            raise BusRefusedError(Word.TAMPERING, "the fund record is of another meter, or for another request")
        return fund

    def meter_order(self, signed: bytes, act: Act) -> MeterOrder:
        """For this request."""
        order = read_order(self._vault, MeterOrder, signed)
        if order.request_digest != act.request_digest:
            raise BusRefusedError(Word.TAMPERING, "the order is for another request")
        return order

    def key_order(self, signed: bytes, record: MeterRecord) -> KeyOrder:
        """For this meter."""
        order = read_order(self._vault, KeyOrder, signed)
        if order.serial != record.serial:
            raise BusRefusedError(Word.TAMPERING, "the order is for another meter")
        return order
