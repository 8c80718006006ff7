"""A device with a screen whose components come over a slow serial line, carried by the daemon's own relay."""

from pathlib import Path

from fob_daemon.control.interface import ControlEvent
from fob_daemon.device.back_office import BackOffice
from fob_daemon.device.timeouts import Timeouts
from fob_daemon.relay.outcome import Outcome
from fob_device.office.factory import factory_record, make_equipment, save_equipment
from fob_device.office.switching import connect_office
from fob_device.overview.office import OfficeOverview
from fob_protocol.relay import RelayStatus
from support.device_bench import SERIAL
from support.memory_line import SerialCable
from support.noise import Noise
from support.office_signers import HARDWARE, public
from support.reference_office import ReferenceOffice
from support.screen_world import ScreenWorld


class CountedOffice:
    """The daemon's Office. `asked` counts what came to it, by service."""

    def __init__(self, office: ReferenceOffice) -> None:
        self.asked: list[str] = []
        self._office = office

    async def post(self, service: str, question: bytes) -> Outcome:
        self.asked.append(service)
        return Outcome(RelayStatus.ANSWERED, self._office.answer(service, question), http=200)

    async def close(self) -> None:
        """Nothing is open."""


class SlowOffice(ScreenWorld):
    """`heard`: what the daemon's followers were told."""

    def __init__(self, folder: Path, office: ReferenceOffice, baud: int) -> None:
        super().__init__(folder, cable=SerialCable(Noise(), baud))
        self.office = CountedOffice(office)
        self.heard: list[ControlEvent] = []
        issuer, certificate = public(office.signers.issuer), office.signers.configuration.signed
        office.device = make_equipment(issuer, certificate, SERIAL, HARDWARE, self.random.randbytes)
        items = self.phone.memory.office_items
        save_equipment(items, office.device, factory_record(office.device, "Meter"))
        self._connect_office()

    @classmethod
    async def paired_and_unlocked(cls, folder: Path, office: ReferenceOffice, baud: int) -> "SlowOffice":
        """Nothing is carried before `carry`."""
        world = cls(folder, office, baud)
        await world.unlock()
        await world.begin()
        return world

    def carry(self) -> BackOffice:
        """From now on the daemon does."""
        return BackOffice(lambda: "meter", self.manager, Timeouts(), self.office, self.heard.append)

    @property
    def overview(self) -> OfficeOverview:
        """As the screen has it."""
        assert self.phone.office is not None
        return self.phone.office.overview()

    def restart_phone(self) -> None:
        """As a power cut."""
        super().restart_phone()
        self._connect_office()

    async def close(self) -> None:
        """The end of this world."""
        self.phone.lose_power()
        await super().close()

    def _connect_office(self) -> None:
        components = self._folder / "components"
        connect_office(self.phone, components, None, lambda words: None, self.random.randbytes)
