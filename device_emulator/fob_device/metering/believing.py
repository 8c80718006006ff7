"""The meter as it was believed last: each answer is judged, kept, and only then counts."""

from collections.abc import Callable

from msgspec.structs import replace

from fob_device.metering.store import KeptMeter, MeterStore
from fob_protocol.at.answer import Event
from fob_protocol.catalogue import EVENT_METER
from fob_protocol.metering.faults import LASTING, MeterError, MeterFault
from fob_protocol.metering.mailer import Mailer


class Believing:
    """`tell` announces what changed to every computer, and to whoever looks at the screen."""

    def __init__(self, store: MeterStore, tell: Callable[[Event], None]) -> None:
        self._store = store
        self._tell = tell

    def meter(self) -> KeptMeter:
        """Raises MeterError NO_ACCOUNT."""
        meter = self._store.meter()
        if meter is None:
            raise MeterError(MeterFault.NO_ACCOUNT, "this device has not signed up or on")
        return meter

    def sound(self) -> KeptMeter:
        """For whoever wants to frank or load. Raises MeterError with a fault that lasts."""
        meter = self.meter()
        if meter.mailer.fault:
            raise MeterError(MeterFault(meter.mailer.fault), "the data centre was found wrong; sign on again")
        return meter

    def judged(self, meter: KeptMeter, judge: Callable[[Mailer], Mailer]) -> KeptMeter:
        """After an answer; a fault that lasts is kept. Raises MeterError."""
        try:
            return replace(meter, mailer=judge(meter.mailer))
        except MeterError as error:
            if error.fault in LASTING:
                self.keep(replace(meter, mailer=replace(meter.mailer, fault=error.fault.value)))
            raise

    def keep(self, meter: KeptMeter) -> KeptMeter:
        """On the disk, and then told."""
        self._store.keep_meter(meter)
        self.tell(meter)
        return meter

    def forget_sign_up(self) -> None:
        """The data centre knows nothing of it, as after an older backup: the same one is not answered from here."""
        meter = self._store.meter()
        if meter is not None and meter.signed_up is not None:
            self._store.keep_meter(replace(meter, signed_up=None))

    def tell(self, meter: KeptMeter) -> None:
        """To everybody who looks."""
        mailer, counted = meter.mailer, meter.mailer.registers
        values = (counted.counter, counted.descending, mailer.fault, counted.ascending, counted.pieces)
        self._tell(Event(EVENT_METER, values))
