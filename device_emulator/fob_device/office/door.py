"""Where the phone meets its back office: commands, sessions, power. A device that is not whole says what is missing."""

import asyncio
from collections.abc import Callable
from typing import Final

from fob_device.integrity.own_program import NAME as OWN_PROGRAM
from fob_device.metering.desk import MeterDesk
from fob_device.metering.showing import overview as meter_overview
from fob_device.office.back_office import BackOffice
from fob_device.office.commands import handler_for
from fob_device.office.desk import OfficeDesk
from fob_device.office.naming import named
from fob_device.office.relay import Relay
from fob_device.office.showing import overview
from fob_device.overview.meter import MeterOverview
from fob_device.overview.office import OfficeOverview
from fob_device.security.back_office import Handler
from fob_device.security.context import Context
from fob_device.security.values import optional_octets, optional_whole, whole
from fob_protocol import catalogue
from fob_protocol.at.answer import Answer, Event
from fob_protocol.at.values import Values
from fob_protocol.catalogue import EVENT_RELAY, METER_COMMANDS
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.relay import Waiting

COMMANDS: Final = frozenset(
    spec.name
    for spec in (
        catalogue.RELAY, catalogue.RELAYED, catalogue.OFFICE, catalogue.CONFIGURE, catalogue.SERVERS,
        catalogue.REGISTER, catalogue.ENTITLED, catalogue.USE, catalogue.OPTIONS, catalogue.OPTION,
        catalogue.COPIES, catalogue.VALIDATE, catalogue.TICKET, catalogue.PRESENT, catalogue.LETTER, *METER_COMMANDS,
    )
)  # fmt: skip


class OfficeDoor:
    """A BackOfficeDoor. `announce` tells one computer something; `relay` is None on its own network."""

    def __init__(
        self,
        office: BackOffice,
        desk: OfficeDesk,
        meter_desk: MeterDesk,
        relay: Relay | None,
        announce: Callable[[Event, bytes], None],
    ) -> None:
        """In a running loop: from now on the device goes on by itself."""
        self.office = office
        self.desk = desk
        self.meter_desk = meter_desk
        self._relay = relay
        self._announce = announce
        self._running = asyncio.get_running_loop().create_task(office.run())

    def handler(self, name: str) -> Handler | None:
        """Of this command."""
        if name == catalogue.RELAY.name:
            return self._take
        return self._relayed if name == catalogue.RELAYED.name else handler_for(self.office, name)

    async def admit_keys(self) -> None:
        """Raises CkrError."""
        with named():
            await self.office.copies.admit_own()

    @property
    def integrity_value(self) -> bytes:
        """Of the device's own program."""
        return self.office.standings.integrity_value(OWN_PROGRAM)

    def session_began(self, computer: bytes) -> None:
        """It may carry a question that waits, and hears which copies are not good."""
        if self._relay is not None and self._relay.is_waiting:
            self._announce(Event(EVENT_RELAY), computer)
        for event in self.office.standings.news:
            self._announce(event, computer)
        self.office.wake()

    def session_ended(self, computer: bytes) -> None:
        """What it had to carry is for the others."""
        if self._relay is not None:
            self._relay.left(computer)

    def overview(self) -> OfficeOverview:
        """As it is now."""
        return overview(self.office, self.desk, has_relay=self._relay is not None)

    def meter_overview(self) -> MeterOverview | None:
        """As it is now."""
        return meter_overview(self.office.meter, self.meter_desk)

    def components(self) -> tuple[str, ...]:
        """What is installed."""
        return tuple(one.release.id for one in self.office.machine.running.found)

    def damage(self, component: str) -> None:
        """What stands on the disk, not what runs."""
        self.office.machine.damage(component)

    def lose_power(self) -> None:
        """Nothing goes on."""
        self._running.cancel()
        if self._relay is not None:
            self._relay.forget()
        self.desk.give_up()
        self.meter_desk.give_up()
        self.office.lose_power()

    async def _take(self, context: Context, values: Values) -> Answer:
        """+FOBRELAY."""
        return _answer(self._relay.take(context.pc_key) if self._relay else None)

    async def _relayed(self, context: Context, values: Values) -> Answer:
        """+FOBRELAYED."""
        number, status = whole(values[0]), whole(values[1])
        if self._relay is None:
            return _answer(None)
        self._relay.relayed(context.pc_key, number, status, optional_octets(values[2]), optional_whole(values[3]))
        return _answer(await self._relay.next_for(context.pc_key))


class UnfinishedDoor:
    """A BackOfficeDoor of a device that lacks something: it asks for nothing, and says why (C12)."""

    def __init__(self, why: str) -> None:
        self.why = why
        self.desk = None
        self.meter_desk = None

    def handler(self, name: str) -> Handler | None:
        """All say the same."""
        return self._refuse if name in COMMANDS else None

    async def admit_keys(self) -> None:
        """It knows no validation server."""

    @property
    def integrity_value(self) -> bytes:
        """None was ever told."""
        return b""

    def session_began(self, computer: bytes) -> None:
        """Nothing waits."""

    def session_ended(self, computer: bytes) -> None:
        """It carried nothing."""

    def overview(self) -> OfficeOverview:
        """What is missing."""
        return OfficeOverview("", "", "unfinished", self.why)

    def meter_overview(self) -> MeterOverview | None:
        """There is none."""
        return None

    def components(self) -> tuple[str, ...]:
        """None."""
        return ()

    def damage(self, component: str) -> None:
        """There is nothing to damage."""

    def lose_power(self) -> None:
        """Nothing goes on."""

    async def _refuse(self, context: Context, values: Values) -> Answer:
        raise CkrError(Ckr.GENERAL_ERROR, self.why)


def _answer(waiting: Waiting | None) -> Answer:
    return Answer() if waiting is None else Answer((waiting.values(),))
