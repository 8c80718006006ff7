"""Step g of the transaction: what was done, for the transaction box, which signs nothing else (M4, M6)."""

from collections.abc import Iterable

from fob_office.centre.boxes import codes
from fob_office.centre.boxes.meter.standing import Standing
from fob_office.centre.boxes.separation import Purpose
from fob_office.centre.boxes.vault import Vault
from fob_office.centre.commands.meter import Made
from fob_protocol.cose.labels import Label
from fob_protocol.metering.kinds import Deed
from fob_protocol.metering.records import MeterRecord
from fob_protocol.metering.transaction import TransactionRecord
from fob_protocol.metering.values import Indicated
from fob_protocol.metering.vouchers import FundRecord
from fob_protocol.office.hashing import digest


def change_of(vault: Vault, standing: Standing, after: MeterRecord, signed: bytes, made: Iterable[Made]) -> bytes:
    """A TransactionRecord with its code. `after`: the record that was `signed`; `made`: indicia with their tokens."""
    registers = after.registers
    record = TransactionRecord(
        request_id=standing.act.request_id,
        serial=after.serial,
        deed=standing.deed,
        counter=registers.counter,
        amount=standing.amount,
        ascending=registers.ascending,
        descending=registers.descending,
        loads=registers.loads,
        pieces=registers.pieces,
        indicia=tuple(Indicated(each.indicium, each.token) for each in made),
        integrity=standing.act.integrity,
        time=standing.time,
        before=standing.before,
        after=digest(signed),
        fee=_fee(standing),
    )
    return codes.sign(vault, record, Label.CHANGE, Purpose.CHANGE, after.serial)


def _fee(standing: Standing) -> int:
    """What its payment was for besides, by the fund record, which this box checked."""
    if standing.deed not in (Deed.LOAD, Deed.SETTLE):
        return 0
    return codes.claimed(FundRecord, standing.voucher).fee
