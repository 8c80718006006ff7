"""A device whose office has a data centre, and somebody who unlocks it and says yes."""

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final, TypeVar

from fob_device.metering.joining import Wish
from fob_device.metering.meter import Meter, Result
from fob_device.metering.rating import Weighed
from fob_device.metering.wanted import Plan, WantedFrank, WantedLoad, WantedPiece
from fob_protocol.metering.kinds import Payment
from fob_protocol.metering.mailer import Mailer
from fob_protocol.metering.requests import Ask
from fob_protocol.office.errors import OfficeError
from fob_protocol.office.message import read
from support.device_bench import MASTER
from support.integrity_bench import IntegrityBench
from support.metering_office import KIND, PASSWORD, MeteringOffice
from support.virtual_loop import run_virtually

T = TypeVar("T")

WISH: Final = Wish(KIND, Payment.PREPAID, None, ("20095",))
ORDER: Final = b"the first order!"
OTHER: Final = b"the second order"
ADDRESS: Final = "Ann Example, Street 1, 10115 Berlin"


def letter(grams: int = 20, destination: str = "10115", address: str = ADDRESS) -> WantedPiece:
    """Rated by the component."""
    return WantedPiece(Weighed(grams, "letter", "domestic"), 0, destination, address, None, "letter")


def frank(*pieces: WantedPiece, order: bytes = ORDER) -> WantedFrank:
    """One letter, or these."""
    return WantedFrank(order, "XRATE", pieces or (letter(),))


class MeterBench(IntegrityBench):
    """`plans` are what the person was asked about; `is_yes` is the answer."""

    office: MeteringOffice

    def __init__(self, folder: Path, office: MeteringOffice | None = None) -> None:
        super().__init__(folder, office or MeteringOffice())
        self.plans: list[Plan] = []
        self.unlocked = 0
        self.typed = 0
        # What signing up costs, as the question for the password said.
        self.costs: list[str] = []
        self.is_in_allowance: list[bool] = []

    @property
    def meter(self) -> Meter:
        return self.back_office.meter

    @property
    def mailer(self) -> Mailer:
        return self.meter.believing.meter().mailer

    @property
    def requests(self) -> list[bytes]:
        """The octets with their codes, of all that was asked with the key."""
        asked = []
        for body in self.office.said:
            try:
                asked.append(read(Ask, body).authenticated)
            except OfficeError:
                continue
        return asked

    async def signed_up(self) -> None:
        """With a meter that has EUR 50.00."""
        await self.validated()
        await self.join(WISH)
        await self.load(5000)
        self.meter.taken(b"money on a meter")
        self.plans.clear()
        self.office.said.clear()

    async def join(self, wish: Wish | None, password: str = PASSWORD) -> None:
        """Up or on."""

        async def typed(cost: str) -> str:
            self.costs.append(cost)
            self.typed += 1
            return password

        await self.meter.join("ann", wish, typed, MASTER)

    async def load(self, amount: int, order: bytes = b"money on a meter") -> Result:
        """Money."""
        return await self.meter.order(WantedLoad(order, amount), self.unlock, self.approve)

    async def frank(self, *pieces: WantedPiece, order: bytes = ORDER) -> Result:
        """Indicia."""
        return await self.meter.order(frank(*pieces, order=order), self.unlock, self.approve)

    async def unlock(self) -> bytes:
        """The person is there."""
        self.unlocked += 1
        return MASTER

    async def approve(self, plan: Plan, mailer: Mailer, is_allowed: bool) -> bool:
        """Yes."""
        if not is_allowed:
            self.plans.append(plan)
        return is_allowed


Story = Callable[[MeterBench], Coroutine[Any, Any, T]]


def on_meter_bench(folder: Path, story: Story[T], office: MeteringOffice | None = None, *, joined: bool = True) -> T:
    """A story of a device that has signed up, in virtual time."""

    async def whole() -> T:
        bench = MeterBench(folder, office)
        bench.switch_on()
        try:
            if joined:
                await bench.signed_up()
            return await story(bench)
        finally:
            await bench.switch_off()

    return run_virtually(whole())
