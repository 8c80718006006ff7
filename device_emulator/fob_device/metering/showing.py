"""What of the meter is shown on the device's own screen."""

from collections.abc import Iterator

from fob_device.metering.desk import MeterDesk
from fob_device.metering.meter import Meter
from fob_device.metering.store import KeptMeter
from fob_device.metering.wanted import UNITS
from fob_device.overview.meter import MeterOverview, ShownPiece, ShownRegisters
from fob_protocol.metering.amounts import amount_words
from fob_protocol.metering.indicium import Indicium
from fob_protocol.metering.transaction import unverified_transaction
from fob_protocol.metering.values import Registers
from fob_protocol.office.certificate import Usage
from fob_protocol.office.message import read


def overview(meter: Meter, desk: MeterDesk) -> MeterOverview | None:
    """As it is now; None where nobody keeps meters."""
    store = meter.joiner.store
    kept, order, joining = store.meter(), store.order(), store.joining()
    if kept is None and not meter.joiner.talker.known.listed(Usage.METERING):
        return None
    if kept is None:
        stage, name = ("joining", joining.name) if joining else ("none", "")
        return MeterOverview(stage, name, terms=desk.terms, doing=desk.doing, ended=desk.ended)
    mailer = kept.mailer
    kind = mailer.value_kind or UNITS
    return MeterOverview(
        stage="joining" if joining else "ready",
        name=mailer.name,
        serial=mailer.serial,
        value_kind=kind,
        registers=_registers(kind, mailer.registers),
        state=int(mailer.state or 0),
        payment=int(mailer.payment or 0),
        origins=mailer.origins,
        last=tuple(_pieces(kept)),
        order=order.words if order else "",
        is_asking=order is not None and order.transaction is None,
        fault=mailer.fault,
        allowance=store.allowance().daily,
        terms=desk.terms,
        doing=desk.doing,
        ended=desk.ended,
    )


def _registers(kind: str, registers: Registers) -> ShownRegisters:
    return ShownRegisters(
        amount_words(kind, registers.descending),
        amount_words(kind, registers.ascending),
        amount_words(kind, registers.owed) if registers.owed else "",
        registers.pieces,
        registers.counter,
    )


def _pieces(kept: KeptMeter) -> Iterator[ShownPiece]:
    """They were checked before they were kept."""
    if kept.last is None:
        return
    for indicated in unverified_transaction(kept.last).indicia:
        indicium = read(Indicium, indicated.indicium)
        words = amount_words(indicium.value_kind, indicium.amount)
        yield ShownPiece(words, indicium.mail_class, indicium.destination, indicium.date)
