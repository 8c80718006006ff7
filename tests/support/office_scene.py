"""A phone with a screen that is a device of a back office, which is in this process too and answers when it is let."""

import asyncio
import contextlib
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from fob_device.memory import Memory
from fob_device.office.door import OfficeDoor
from fob_device.office.factory import factory_record, make_equipment, save_equipment
from fob_device.office.progress import Told
from fob_device.office.switching import connect_office
from fob_device.overview.office import OfficeOverview
from fob_device.phone import Phone
from fob_protocol.office.configuration import Notice
from fob_protocol.office.envelope import Service
from support.device_bench import SERIAL, Post, releases
from support.office_signers import HARDWARE, public
from support.reference_office import ReferenceOffice
from support.screen_scene import Scene
from support.token_bench import ROOT_KEY

# Of what `releases` makes: the steps before each chunk. The table has two, of 8,192 and 3,808 octets; the others one.
STEPS: Final = (0, 9, 14, 16, 18)


class GatedPost(Post):
    """Carries while the gate is open. `closes_at`: closed before this question of a service (from 1)."""

    def __init__(self, office: ReferenceOffice) -> None:
        super().__init__(office)
        self.gate = asyncio.Event()
        self.gate.set()
        self.closes_at: tuple[Service, int] | None = None
        self._asked: list[str] = []

    async def carry(self, service: str, question: bytes, told: Told) -> bytes:
        self._asked.append(service)
        if self.closes_at == (service, self._asked.count(service)):
            self.gate.clear()
        await self.gate.wait()
        return await super().carry(service, question, told)


@dataclass(slots=True)
class OfficeScene(Scene):
    """`office` is what the device was made for. Nothing is asked before `begin`."""

    office: ReferenceOffice = field(default_factory=ReferenceOffice)
    carrier: GatedPost = field(init=False)

    def __post_init__(self) -> None:
        self.carrier = GatedPost(self.office)
        self.carrier.gate.clear()
        seeded = random.Random(5).randbytes
        memory = Memory.open(self.folder / "token.db", root_key=ROOT_KEY, random=seeded, clock=self.bench.clock)
        issuer, certificate = public(self.office.signers.issuer), self.office.signers.configuration.signed
        device = make_equipment(issuer, certificate, SERIAL, HARDWARE, seeded)
        save_equipment(memory.office_items, device, factory_record(device, "Meter"))
        memory.close()
        self.office.device = device

    @contextlib.contextmanager
    def switched_on(self) -> Iterator[Phone]:
        with Scene.switched_on(self) as phone:
            connect_office(phone, self.folder / "components", self.carrier, lambda words: None, random.randbytes)
            yield phone

    @property
    def overview(self) -> OfficeOverview:
        """As its screen has it."""
        assert self.phone.office is not None
        return self.phone.office.overview()

    @property
    def door(self) -> OfficeDoor:
        """Of the phone that is on."""
        assert isinstance(self.phone.office, OfficeDoor)
        return self.phone.office

    async def until(self, holds: Callable[[OfficeOverview], bool]) -> None:
        """Wait until the screen has it."""
        news = asyncio.Event()
        stop = self.shown.on_change.add(news.set)
        try:
            async with asyncio.timeout(10):
                while not holds(self.overview):
                    await news.wait()
                    news.clear()
        finally:
            stop()

    async def begin(self) -> None:
        """The office answers, and the device is at rest when it has what was ordered."""
        self.carrier.gate.set()
        await self.until(lambda office: not office.words and self.door.office.store.is_configured())

    async def configured(self) -> None:
        """Three components run."""
        self.office.order = releases(self.office)
        await self.begin()
        await self.until(lambda office: len(office.components) == len(self.office.order or ()))

    async def fetching(self, chunks: int) -> None:
        """So many are there, and the next one does not come."""
        self.office.order = releases(self.office)
        self.carrier.closes_at = (Service.CONTENT, chunks + 1)
        self.carrier.gate.set()
        await self.until(lambda office: (office.done, office.total) == (STEPS[chunks], STEPS[-1]))

    async def upgrade_waits(self) -> None:
        """It runs, and the office has told of a newer table."""
        await self.configured()
        self.office.notices = (Notice("table", (1, 0, 0), (1, 2, 0)),)
        assert self.door.desk is not None
        self.door.desk.look()
        await self.until(lambda office: office.ended is not None)

    async def refused(self) -> None:
        """The office has no order for it."""
        self.carrier.gate.set()
        await self.until(lambda office: office.trouble == "denied")
