"""Meter boxes with their stores on disks and their links over the bus, as their processes have them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from fob_office.centre.boxes.meter.box import meter_box
from fob_office.centre.boxes.views import Slot
from fob_office.centre.bus.answering import serve
from fob_office.centre.bus.asking import Links
from fob_office.centre.bus.commands import Command, ReplyT
from fob_office.centre.bus.errors import AwayError, BusRefusedError
from fob_office.centre.bus.passes import Kind
from fob_office.centre.commands.meter import HeldView, TakeView
from fob_office.centre.limits import SLOTS
from support.centre_boxes import Boxes
from support.centre_customer import Customer
from support.centre_meters import Meters


class Linked(Meters):
    """What asks goes over the bus; vouchers are signed with the masters that the boxes have."""

    function: Links
    operator: Links

    async def ask(
        self, name: str, command: Command[ReplyT], kind: Kind = Kind.FUNCTION, asker: str = "function-1"
    ) -> ReplyT:
        links = self.function if kind == Kind.FUNCTION else self.operator
        try:
            return await links.to(name).ask(command)
        except AwayError:
            # As function servers do: it may be there again, and the same request is not done twice.
            return await links.to(name).ask(command)


@pytest.fixture
async def boxes(tmp_path: Path) -> Boxes:
    boxes = Boxes(tmp_path)
    for name in ("meter-1", "meter-2"):
        boxes.make(Kind.METER, name)
    boxes.make(Kind.FUNCTION, "function-1")
    return boxes


@pytest.fixture
async def world(boxes: Boxes) -> AsyncIterator[Linked]:
    world = Linked(now=boxes.now)
    world.vault = boxes.open("meter-1").vault  # type: ignore[assignment]  # a software vault
    world.function, world.operator = boxes.open("function-1").links, boxes.open("operator-1").links
    yield world
    world.function.close()
    world.operator.close()


@asynccontextmanager
async def running(boxes: Boxes, name: str) -> AsyncIterator[None]:
    """A meter box that answers."""
    box = boxes.open(name)
    async with meter_box(box) as table, await serve(boxes.address(name), box.me, table):
        yield
    box.links.close()


async def take(boxes: Boxes, world: Linked, number: int, owner: str, second: str | None, *names: str) -> None:
    """A view for these boxes; the second fetches what it lacks by itself."""
    signed = boxes.manufacturing.next_view((Slot(owner, second),) * SLOTS, number)
    for name in names:
        await world.ask(name, TakeView(signed), Kind.OPERATOR)
    if second is not None:
        async with asyncio.timeout(20):
            while len((await world.ask(second, HeldView(), Kind.OPERATOR)).complete) < SLOTS:  # noqa: ASYNC110 - of another process
                await asyncio.sleep(0)


@pytest.mark.clause("M3")
@pytest.mark.clause("M34")
async def test_meters_outlive_processes_and_boxes(boxes: Boxes, world: Linked) -> None:
    customers = [Customer(world, f"M-{number}") for number in range(8)]
    async with running(boxes, "meter-2"):
        async with running(boxes, "meter-1"):
            await take(boxes, world, 0, "meter-1", "meter-2", "meter-1", "meter-2")
            for each in customers:
                await each.begin()
                await each.load(1_000)
            await asyncio.gather(*(each.frank(80, 20) for each in customers))
            unstored = customers[0].frank_command(1)
            changed = await world.ask("meter-1", unstored)
        # The process ends, and another one goes on with the same disk.
        async with running(boxes, "meter-1"):
            assert await customers[0].change(unstored) == changed
            await customers[1].frank(1)
        # It dies, and its second goes on alone.
        with pytest.raises(AwayError):
            await customers[2].frank(1)
        await take(boxes, world, 1, "meter-2", None, "meter-2")
        for each in customers:
            each.box = "meter-2"
            await each.frank(5)
        # It comes back, learns all as second, and is the owner again.
        async with running(boxes, "meter-1"):
            await take(boxes, world, 1, "meter-2", None, "meter-1")
            await take(boxes, world, 2, "meter-2", "meter-1", "meter-1", "meter-2")
            old = customers[3].frank_command(1, record=customers[3].records[0])
            await take(boxes, world, 3, "meter-1", "meter-2", "meter-1", "meter-2")
            for each in customers:
                each.box = "meter-1"
                await each.frank(5)
            with pytest.raises(BusRefusedError, match="tampering"):
                await world.ask("meter-1", old)
    assert [each.registers.ascending for each in customers] == [111, 111, *(110 for _ in customers[2:])]
