"""A meter box whose folder was put back as a whole: who is told so, and who may be removed then (M22, M34)."""

from typing import Any

import pytest

from fob_office.centre.boxes.meter.points import CrashPoint
from fob_office.centre.boxes.meter.standing import CREDITS, STANDINGS, credit_key, standing_key
from fob_office.centre.boxes.views import Slot, View, slot_of
from fob_office.centre.bus.commands import Command
from fob_office.centre.bus.errors import AwayError, BusRefusedError
from fob_office.centre.bus.passes import Kind
from fob_office.centre.commands.meter import HeldMarks, HeldView, LastChange
from fob_office.centre.limits import SLOTS
from fob_office.centre.operating.knowing import PutBack, put_back_beside
from fob_protocol.metering.indicium import Indicium
from fob_protocol.office.message import read
from support.centre_customer import Customer
from support.centre_meters import Meters

SLOT_0 = next(serial for serial in map("S-{}".format, range(10_000)) if slot_of(serial) == 0)
PLACE = (STANDINGS, standing_key("M-1"))


class Operator:
    """Asking, of meter boxes alone."""

    def __init__(self, world: Meters) -> None:
        self._world = world

    async def one(self, name: str, command: Command[Any]) -> Any:
        return await self._world.ask(name, command, Kind.OPERATOR)

    async def any(self, kind: Kind, command: Command[Any]) -> Any:
        raise AssertionError("nobody else is asked")


async def put_back(world: Meters, name: str, disk: dict[tuple[str, bytes], bytes]) -> None:
    """While nothing runs: no view says that it was away."""
    names = tuple(world.running)
    for each in names:
        world.kill(each)
    world.disks[name] = dict(disk)
    world.start(*names)


async def beside(world: Meters, name: str, owner: str = "meter-1", second: str = "meter-2") -> PutBack | None:
    view = View(world.views, (Slot(owner, second),) * SLOTS)
    return await put_back_beside(Operator(world), name, view)


@pytest.mark.clause("M22", "M34")
async def test_an_owner_that_was_put_back_is_named_with_its_second_and_the_next_command(
    world: Meters, customer: Customer
) -> None:
    old = dict(world.disks["meter-1"])
    await customer.frank(1)
    await customer.frank(1)
    await put_back(world, "meter-1", old)
    with pytest.raises(BusRefusedError) as refused:
        await customer.frank(1)
    assert (refused.value.word, refused.value.why) == (
        "tampering",
        "meter-1 was put back to an older folder: its second meter-2 holds record 4 of M-1, where meter-1 has 2"
        "; next: fob-office centre box remove meter-1",
    )
    held = {name: await world.ask(name, HeldView(), Kind.OPERATOR) for name in ("meter-1", "meter-2")}
    assert {name: each.was_put_back for name, each in held.items()} == {"meter-1": True, "meter-2": False}


@pytest.mark.clause("M22", "M34")
async def test_the_box_that_knows_more_than_an_owner_that_was_put_back_is_not_removed(
    world: Meters, customer: Customer
) -> None:
    old = dict(world.disks["meter-1"])
    await customer.frank(1)
    await put_back(world, "meter-1", old)
    assert await beside(world, "meter-2") == PutBack("meter-1", "M-1", "meter-2")
    assert await beside(world, "meter-1") is None
    # Without it the other one answers for the meter as it stands, and for nothing older.
    await world.change_view("meter-2", None)
    customer.box = "meter-2"
    with pytest.raises(BusRefusedError, match="tampering"):
        await world.ask("meter-2", customer.frank_command(1, record=customer.records[0]))
    await customer.frank(1)


@pytest.mark.clause("M22", "M34")
async def test_the_owner_of_what_a_second_that_was_put_back_lacks_is_not_removed(
    world: Meters, customer: Customer
) -> None:
    old = dict(world.disks["meter-2"])
    given = (await customer.frank(80)).indicia[0]
    await customer.credit(given)
    await customer.frank(1)
    # The owner runs on: for all that it knows its second was told.
    world.kill("meter-2")
    world.disks["meter-2"] = old
    world.start("meter-2")
    assert await beside(world, "meter-1") == PutBack("meter-2", "M-1", "meter-1")
    assert await beside(world, "meter-2") is None
    # It is told of the newest transaction, and not that an indicium was given back before.
    await customer.frank(1)
    assert world.disks["meter-2"][PLACE] == world.disks["meter-1"][PLACE]
    made = read(Indicium, given.indicium)
    assert (CREDITS, credit_key("M-1", made.counter, made.piece)) not in world.disks["meter-2"]
    assert await beside(world, "meter-1") == PutBack("meter-2", "M-1", "meter-1")


@pytest.mark.clause("M34")
async def test_a_meter_that_was_begun_since_is_missed_too(world: Meters) -> None:
    old = dict(world.disks["meter-1"])
    customer = Customer(world)
    await customer.begin()
    await put_back(world, "meter-1", old)
    assert await beside(world, "meter-2") == PutBack("meter-1", "M-1", "meter-2")
    assert await beside(world, "meter-1") is None
    why = "meter-1 was put back to an older folder: its second meter-2 holds record 1 of M-1, where meter-1 has none"
    for asked in (customer.frank_command(1), LastChange("M-1")):
        with pytest.raises(BusRefusedError, match=why):
            await world.ask("meter-1", asked)


@pytest.mark.clause("M22", "M34")
async def test_a_meter_that_nobody_has_begun_takes_no_room_at_the_second(world: Meters) -> None:
    before = world.state()
    with pytest.raises(BusRefusedError, match="no-meter"):
        await world.ask("meter-1", LastChange("M-9"))
    assert world.state() == before


@pytest.mark.clause("M33", "M34")
async def test_an_owner_that_was_cut_off_tells_its_second_before_it_is_removed(
    world: Meters, customer: Customer
) -> None:
    world.kill_at["meter-1"] = CrashPoint.E_HERE
    with pytest.raises(AwayError):
        await customer.frank(80)
    world.start("meter-1")
    assert world.disks["meter-2"][PLACE] != world.disks["meter-1"][PLACE]
    assert await beside(world, "meter-1") is None
    assert world.disks["meter-2"][PLACE] == world.disks["meter-1"][PLACE]


@pytest.mark.clause("M33", "M34")
async def test_what_nobody_was_answered_keeps_no_second_that_does_not_know_all(
    world: Meters, customer: Customer
) -> None:
    world.kill_at["meter-1"] = CrashPoint.E_HERE
    with pytest.raises(AwayError):
        await customer.frank(80)
    await world.change_view("meter-2", None)
    world.start("meter-1")
    await world.change_view("meter-2", "meter-1", fetch=False)
    assert await beside(world, "meter-1", "meter-2", "meter-1") is None


@pytest.mark.clause("M22", "M34")
@pytest.mark.parametrize("serial", ["M-1", SLOT_0], ids=["any slot", "slot 0"])
async def test_a_second_that_comes_back_keeps_what_an_owner_that_was_put_back_lacks(world: Meters, serial: str) -> None:
    """Two transactions more: no crash does that. With all else of the owner's it may take its place."""
    customer, other = Customer(world, serial), Customer(world, "M-2")
    for each in (customer, other):
        await each.begin()
        await each.load(1_000)
    old = dict(world.disks["meter-1"])
    given = (await customer.frank(80)).indicia[0]
    await customer.credit(given)
    await customer.frank(1)
    mine = {place: row for place, row in world.disks["meter-2"].items() if serial.encode() in place[1]}
    await put_back(world, "meter-1", old)
    # The box that knows is away, and the one that was put back goes on with what it was not put back of.
    world.kill("meter-2")
    await world.change_view("meter-1", None)
    await other.frank(5)
    world.start("meter-2")
    await world.change_view("meter-1", "meter-2")
    disk = world.disks["meter-2"]
    assert {place: disk[place] for place in mine} == mine
    assert disk[STANDINGS, standing_key("M-2")] == world.disks["meter-1"][STANDINGS, standing_key("M-2")]
    assert await beside(world, "meter-2") == PutBack("meter-1", serial, "meter-2")
    assert await beside(world, "meter-1") is None
    with pytest.raises(BusRefusedError, match="box remove meter-1"):
        await customer.frank(1)
    # By a view it takes the owner's place, who learns all again.
    await world.change_view("meter-2", "meter-1")
    assert {place: world.disks["meter-1"][place] for place in mine} == mine
    for each in (customer, other):
        each.box = "meter-2"
        await each.frank(1)
    with pytest.raises(BusRefusedError, match="no-refund"):
        await customer.credit(given)
    for record in customer.records[:-2]:
        with pytest.raises(BusRefusedError, match="tampering"):
            await world.ask("meter-2", customer.frank_command(1, record=record))


@pytest.mark.clause("M34")
async def test_a_box_that_has_no_slot_is_asked_nothing(world: Meters) -> None:
    world.kill("meter-1")
    assert await beside(world, "meter-1", "meter-2", "meter-3") is None


@pytest.mark.clause("M34")
async def test_what_is_done_meanwhile_keeps_nobody(world: Meters, customer: Customer) -> None:
    """A transaction after the owner was looked at, and before its second is."""

    before = False

    def look(name: str, command: Command[Any]) -> None:
        nonlocal before
        before = name == "meter-1" and isinstance(command, HeldMarks)

    world.before = look
    ask = type(world).ask

    async def busy(world: Meters, name: str, command: Command[Any], *how: Any) -> Any:
        nonlocal before
        reply = await ask(world, name, command, *how)
        if before:
            before = False
            await customer.frank(1)
        return reply

    world.ask = busy.__get__(world)  # type: ignore[method-assign]
    assert await beside(world, "meter-1") is None
    del world.ask


@pytest.mark.clause("M3")
async def test_marks_say_nothing_of_a_standing_but_which_it_is(world: Meters, customer: Customer) -> None:
    slot = PLACE[1][0]
    ((key, mark),) = (await world.ask("meter-1", HeldMarks(slot, STANDINGS, b""), Kind.OPERATOR)).marks
    assert key == PLACE[1]
    assert len(mark) < 32
    for wrong in (HeldMarks(slot, "view", b""), HeldMarks(SLOTS, STANDINGS, b"")):
        with pytest.raises(BusRefusedError, match="malformed"):
            await world.ask("meter-1", wrong, Kind.OPERATOR)
    with pytest.raises(BusRefusedError, match="not-yours"):
        await world.ask("meter-1", HeldMarks(slot, STANDINGS, b""), Kind.FUNCTION)
    with pytest.raises(BusRefusedError, match="no-meter"):
        await world.ask("meter-1", LastChange("M-9"))
