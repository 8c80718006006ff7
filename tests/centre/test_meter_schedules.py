"""Random schedules: mailers, boxes that are killed at any point, views that change, a database that lags (M33, M34).

After every answer the law of meters is checked by Customer.store, and at the end what boxes hold with what was stored.
"""

import asyncio
import random
from collections.abc import Callable

import pytest
from structlog.testing import capture_logs

from fob_office.centre.boxes.meter.points import CrashPoint
from fob_office.centre.boxes.views import slot_of
from fob_office.centre.bus.commands import Command
from fob_office.centre.bus.errors import AwayError, BusRefusedError
from fob_office.centre.commands.meter import Changed, LastChange, Made
from fob_protocol.metering.kinds import Deed, Freshness
from support.centre_customer import Customer, behind
from support.centre_meters import Meters

SCHEDULES = 80
STEPS = 20
SERIALS = ("M-1", "M-2", "M-3")
BOXES = frozenset(("meter-1", "meter-2", "meter-3"))
# Why a request is asked again later, and why it has failed for good.
AGAIN = frozenset(("alone", "moved", "incomplete"))
FAILED = frozenset(("insufficient-funds", "over-limit", "no-refund"))


class Schedule:
    """One run of three mailers and three boxes."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.world = Meters(seed, slots=frozenset(map(slot_of, SERIALS)))
        self.customers = [Customer(self.world, serial) for serial in SERIALS]
        self.indicia: dict[str, list[Made]] = {each.serial: [] for each in self.customers}
        self.owner, self.second = "meter-1", "meter-2"

    async def run(self) -> None:
        self.world.start(*sorted(BOXES))
        await self.world.change_view("meter-1", "meter-2")
        for each in self.customers:
            await each.begin(self.random.choice(tuple(Freshness)))
            await each.load(self.random.randrange(1, 2_000))
        for _ in range(STEPS):
            await self.random.choice((*3 * (self.use,), self.several, self.swap, self.stop, self.fail_over))()
        await self.mend()
        for each in self.customers:
            await self.ends_as_stored(each)

    async def use(self) -> None:
        """One mailer asks for something, and is answered, or goes away."""
        customer = self.random.choice(self.customers)
        make = self.request(customer)
        await self.until_done(customer, make, patience=self.random.choice((1, 2, 50)))

    async def several(self) -> None:
        """All of them at once."""
        await asyncio.gather(*(self.until_done(each, self.request(each), patience=2) for each in self.customers))

    async def stop(self) -> None:
        """A box is killed now, or will be at a named point."""
        name = self.random.choice((self.owner, self.second))
        if self.random.random() < 0.3:
            self.world.kill(name)
        else:
            self.world.kill_at[name] = self.random.choice(tuple(CrashPoint))

    async def fail_over(self) -> None:
        """The second becomes the owner, if it is complete; the other one its second."""
        await self.mend()
        self.world.kill(self.owner)
        self.owner, self.second = self.second, self.owner
        await self.world.change_view(self.owner, None)
        if self.random.random() < 0.5:
            await self.use()
        self.world.start(*sorted(BOXES - self.world.running.keys()))
        await self.world.change_view(self.owner, self.second)

    async def swap(self) -> None:
        """An operator lets owner and second change places, or another box be the second, while meters are used."""
        await self.mend()
        if self.random.random() < 0.5:
            self.owner, self.second = self.second, self.owner
        else:
            self.second = next(iter(sorted(BOXES - {self.owner, self.second})))
        await asyncio.gather(self.several(), self.several(), self.world.change_view(self.owner, self.second))

    async def mend(self) -> None:
        """All boxes run, and the second is complete."""
        self.world.kill_at.clear()
        self.world.start(*sorted(BOXES - self.world.running.keys()))
        assert await self.world.running[self.second].box.fetching.fetch_all()

    def request(self, customer: Customer) -> Callable[[], Command[Changed]]:
        """A new request, which can be made again with another record."""
        act = self.world.act()
        amount = self.random.randrange(1, 400)
        match self.random.randrange(6):
            case 0:
                return lambda: customer.load_command(amount, act=act)
            case 1:
                return lambda: customer.refund_command(amount, act=act)
            case 2 if self.indicia[customer.serial]:
                unused = self.random.choice(self.indicia[customer.serial])
                return lambda: customer.credit_command(unused, act=act)
        more = self.random.randrange(1, 40)
        return lambda: customer.frank_command(amount, more, act=act)

    async def until_done(self, customer: Customer, make: Callable[[], Command[Changed]], patience: int = 50) -> None:
        """As function servers do: what the database lacks is ended first."""
        for _ in range(patience):
            customer.box = self.owner
            try:
                changed = await self.world.ask(customer.box, make())
            except AwayError:
                self.world.start(*sorted(BOXES - self.world.running.keys()))
            except BusRefusedError as refused:
                if refused.word == "behind":
                    self.store(customer, behind(refused))
                elif refused.word in FAILED:
                    return
                elif refused.word not in AGAIN:
                    raise
                else:
                    self.world.start(*sorted(BOXES - self.world.running.keys()))
            else:
                if self.random.random() < 0.1:
                    # The function server dies before it has stored it.
                    return
                self.store(customer, changed)
                return

    def store(self, customer: Customer, changed: Changed) -> None:
        customer.store(changed)
        if changed.deed == Deed.FRANK:
            self.indicia[customer.serial] += changed.indicia

    async def ends_as_stored(self, customer: Customer) -> None:
        """Nothing is at the box that cannot be stored, and old records are old."""
        customer.box = self.owner
        last = await self.world.ask(self.owner, LastChange(customer.serial))
        if last.record != customer.record:
            self.store(customer, last)
        assert (await customer.look()).genuine == ()
        for record in customer.records[:-2]:
            with pytest.raises(BusRefusedError, match="tampering"):
                await customer.look(record=record)
        credited = [each.indicia[0] for each in customer.done.values() if each.deed == Deed.CREDIT]
        assert len(set(credited)) == len(credited)


@pytest.mark.clause("M33")
@pytest.mark.clause("M34")
@pytest.mark.parametrize("part", range(4))
async def test_whatever_dies_nothing_is_made_or_lost(part: int) -> None:
    with capture_logs():
        for seed in range(part * SCHEDULES // 4, (part + 1) * SCHEDULES // 4):
            await Schedule(seed).run()
