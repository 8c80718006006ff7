"""A phone with a screen whose office has a data centre."""

import asyncio
from dataclasses import dataclass, field
from typing import Final

from fob_device.metering.wanted import Plan
from fob_device.overview.meter import MeterOverview
from fob_protocol.metering.kinds import Deed
from fob_protocol.metering.mailer import Mailer
from support.meter_bench import ORDER, frank, letter
from support.metering_office import KIND, PASSWORD, MeteringOffice
from support.office_scene import OfficeScene

FORM: Final = {
    "name": "ann", "password": PASSWORD, "again": PASSWORD, "origin": "20095", "kind": KIND, "payment": "1",
}  # fmt: skip


@dataclass(slots=True)
class MeterScene(OfficeScene):
    """Its office has a data centre."""

    office: MeteringOffice = field(default_factory=MeteringOffice)

    async def shows(self, words: str) -> str:
        """The words of the page, when it shows these."""
        news = asyncio.Event()
        stop = self.shown.on_change.add(news.set)
        try:
            async with asyncio.timeout(10):
                while words not in (seen := (await self.get("meter")).words):
                    await news.wait()
                    news.clear()
                return seen
        finally:
            stop()

    async def signed_up(self) -> None:
        """By the form on the screen, with EUR 50.00."""
        await self.configured_rates()
        await self.post("meter/form")
        await self.shows("Where you post")
        await self.post("meter/sign-up", FORM)
        await self.shows("You have a meter.")
        self.office.does(Deed.LOAD, 5000)

    async def configured_rates(self) -> None:
        """The rates run and are validated."""
        await self.until(lambda office: len(office.components) == 2 and not office.words and bool(office.copies))

    async def franked(self, order: bytes = ORDER) -> None:
        master_key = self.person.lock.master_key
        assert master_key is not None

        async def unlock() -> bytes:
            return master_key or b""

        async def approve(plan: Plan, mailer: Mailer, is_allowed: bool) -> bool:
            return is_allowed

        await self.door.office.meter.order(frank(letter(), letter(21, "20457"), order=order), unlock, approve)

    @property
    def meter(self) -> MeterOverview:
        overview = self.door.meter_overview()
        assert overview is not None
        return overview
