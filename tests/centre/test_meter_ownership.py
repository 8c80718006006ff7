"""Which box answers for a meter: views, failover, and slots that are handed over while they are used (M34)."""

import asyncio
from typing import Any

import msgspec
import pytest

from fob_office.centre.boxes.meter.ownership import next_held
from fob_office.centre.boxes.meter.points import CrashPoint
from fob_office.centre.boxes.meter.standing import STANDINGS, Rank, standing_key
from fob_office.centre.boxes.meter.taking import follows, gives_way
from fob_office.centre.boxes.views import Slot, View, slot_of
from fob_office.centre.bus.commands import Command
from fob_office.centre.bus.errors import AwayError, BusRefusedError
from fob_office.centre.bus.passes import Kind
from fob_office.centre.commands.meter import Changed, HandOver, HeldView, Keep, LastChange, TakeView
from fob_office.centre.limits import SLOTS
from support.centre_customer import Customer
from support.centre_meters import Meters

ALL = tuple(range(SLOTS))


@pytest.fixture
async def world() -> Meters:
    world = Meters()
    world.start("meter-1", "meter-2", "meter-3")
    await world.change_view("meter-1", "meter-2")
    return world


async def word(asked: Any) -> str:
    with pytest.raises(BusRefusedError) as refused:
        await asked
    return refused.value.word


@pytest.mark.clause("M34")
async def test_only_the_owner_answers(world: Meters, customer: Customer) -> None:
    command = customer.frank_command(80)
    before = world.state()
    assert await word(world.ask("meter-2", command)) == "moved"
    assert await word(world.ask("meter-3", command)) == "moved"
    world.start("meter-4")
    assert await word(world.ask("meter-4", command)) == "moved"
    assert {name: rows for name, rows in world.state().items() if rows} == before


@pytest.mark.clause("M34")
async def test_after_failover_old_records_are_refused_at_the_other_box(world: Meters, customer: Customer) -> None:
    for _ in range(4):
        await customer.frank(10)
    world.kill("meter-1")
    await world.change_view("meter-2", "meter-3")
    customer.box = "meter-2"
    for record in customer.records[:-2]:
        assert await word(world.ask("meter-2", customer.frank_command(1, record=record))) == "tampering"
    assert await word(world.ask("meter-2", customer.frank_command(1, record=customer.records[-2]))) == "behind"
    await customer.frank(10)
    assert customer.registers.ascending == 50


@pytest.mark.clause("M34")
async def test_an_owner_that_has_not_heard_of_the_new_view_answers_nobody(world: Meters, customer: Customer) -> None:
    last = customer.frank_command(80)
    await customer.change(last)
    signed = world.view("meter-2", "meter-3")
    for name in ("meter-2", "meter-3"):
        await world.ask(name, TakeView(signed), Kind.OPERATOR)
    assert await world.running["meter-3"].box.fetching.fetch_all()
    mine = customer.record
    customer.box = "meter-2"
    await customer.frank(80)
    customer.box = "meter-1"
    # It knows less now, says nothing of that, and does not cry wolf.
    assert await word(customer.look(record=mine)) == "moved"
    assert await word(customer.look()) == "moved"
    assert await word(world.ask("meter-1", last)) == "moved"
    assert await word(world.ask("meter-1", customer.frank_command(1, record=customer.records[1]))) == "moved"
    assert await word(world.ask("meter-1", LastChange("M-1"))) == "moved"
    assert await word(world.ask("meter-1", customer.frank_command(1, record=mine))) == "moved"


@pytest.mark.clause("M34")
async def test_a_serial_that_the_owner_has_never_seen_is_not_taken_on_trust(world: Meters, customer: Customer) -> None:
    world.disks["meter-1"].pop((STANDINGS, standing_key("M-1")))
    assert await word(customer.frank(80)) == "tampering"


@pytest.mark.clause("M34")
async def test_a_box_that_is_not_complete_refuses(world: Meters, customer: Customer) -> None:
    await world.change_view("meter-3", "meter-1", fetch=False)
    customer.box = "meter-3"
    assert await word(customer.frank(80)) == "incomplete"
    assert await word(world.ask("meter-3", HandOver(2, 0, STANDINGS, b""), Kind.METER, "meter-1")) == "incomplete"
    assert not await world.running["meter-1"].box.fetching.fetch_all()
    # The one that was second knows all; with it as owner the others learn again.
    await world.change_view("meter-2", "meter-1", fetch=False)
    assert await word(world.ask("meter-2", customer.frank_command(80))) == "incomplete", "it was nothing in between"


@pytest.mark.clause("M34")
async def test_views_are_taken_in_their_order(world: Meters, customer: Customer) -> None:
    missed, newest = world.view("meter-1", "meter-2"), world.view("meter-1", "meter-2")
    held = await world.ask("meter-2", HeldView(), Kind.OPERATOR)
    assert held.complete == ALL
    await world.ask("meter-2", TakeView(missed), Kind.OPERATOR)
    await world.ask("meter-2", TakeView(missed), Kind.OPERATOR)
    await world.ask("meter-2", TakeView(newest), Kind.OPERATOR)
    held = await world.ask("meter-2", HeldView(), Kind.OPERATOR)
    assert (held.view, held.complete) == (newest, ALL)
    assert await word(world.ask("meter-2", TakeView(missed), Kind.OPERATOR)) == "older-view"
    forged = bytearray(newest)
    forged[-1] ^= 1
    assert await word(world.ask("meter-2", TakeView(bytes(forged)), Kind.OPERATOR)) == "tampering"
    # Who missed one is complete in nothing.
    await world.ask("meter-1", TakeView(newest), Kind.OPERATOR)
    assert await word(customer.frank(80)) == "incomplete"


@pytest.mark.clause("M34")
async def test_an_owner_tells_its_second_of_the_view(world: Meters, customer: Customer) -> None:
    await world.ask("meter-1", TakeView(world.view("meter-1", "meter-2")), Kind.OPERATOR)
    await customer.frank(80)
    assert (await world.ask("meter-2", HeldView(), Kind.OPERATOR)).complete == ALL


@pytest.mark.clause("M34")
async def test_an_operator_may_let_a_box_go_on_alone(world: Meters, customer: Customer) -> None:
    world.kill("meter-2")
    assert await word(customer.frank(80)) == "alone"
    await world.change_view("meter-1", None)
    assert await word(customer.frank(20)) == "behind"
    world.start("meter-2")
    await world.change_view("meter-1", "meter-2")
    assert (
        world.disks["meter-1"][STANDINGS, standing_key("M-1")] == world.disks["meter-2"][STANDINGS, standing_key("M-1")]
    )


@pytest.mark.clause("M34")
async def test_what_is_told_of_other_slots_is_not_taken(world: Meters, customer: Customer) -> None:
    row = (STANDINGS, standing_key("M-1"), world.disks["meter-1"][STANDINGS, standing_key("M-1")])
    before = world.state()

    def keep(name: str, view: int, *rows: tuple[str, bytes, bytes], asker: str = "meter-1") -> Any:
        return word(world.ask(name, Keep(view, rows), Kind.METER, asker))

    assert await keep("meter-2", 1, row, asker="meter-3") == "older-view"
    assert await keep("meter-3", 1, row) == "older-view"
    assert await keep("meter-2", 0, row) == "older-view"
    assert await keep("meter-2", 2, row) == "newer-view"
    assert await keep("meter-2", 1, ("view", b"", b"")) == "malformed"
    assert await keep("meter-2", 1, (STANDINGS, b"", b"")) == "malformed"
    assert await word(world.ask("meter-1", HandOver(1, 0, STANDINGS, b""), Kind.METER, "meter-3")) == "older-view"
    assert await word(world.ask("meter-1", HandOver(1, 64, STANDINGS, b""), Kind.METER, "meter-2")) == "malformed"
    assert await word(world.ask("meter-1", HandOver(1, 0, "view", b""), Kind.METER, "meter-2")) == "malformed"
    assert world.state() == before


@pytest.mark.clause("M34")
async def test_a_slot_is_handed_over_while_its_meters_are_used(world: Meters) -> None:
    """New standings come before, between and after the pages that show older ones."""
    customers = [Customer(world, f"M-{number}") for number in range(12)]
    for each in customers:
        await each.begin()
        await each.load(1_000)
    given = [(await each.frank(7)).indicia[0] for each in customers]
    world.kill("meter-2")
    await world.change_view("meter-1", "meter-3", fetch=False)
    for each, made in zip(customers[:4], given, strict=False):
        await each.credit(made)
    ask = type(world).ask
    pages = 0

    async def slow(world: Meters, name: str, command: Command[Any], *how: Any) -> Any:
        """After a page was read at the owner, and before it is written, its meters are used."""
        nonlocal pages
        reply = await ask(world, name, command, *how)
        if isinstance(command, HandOver):
            pages += 1
            for each in customers:
                if slot_of(each.serial) == command.slot:
                    await each.frank(1)
        return reply

    world.ask = slow.__get__(world)  # type: ignore[method-assign]
    assert await world.running["meter-3"].box.fetching.fetch_all()
    del world.ask
    assert pages >= 2 * SLOTS
    mine, theirs = (
        {place: row for place, row in world.disks[name].items() if place[0] != "view"}
        for name in ("meter-1", "meter-3")
    )
    assert mine == theirs
    world.kill("meter-1")
    await world.change_view("meter-3", None)
    for each, made in zip(customers[:4], given, strict=False):
        each.box = "meter-3"
        await each.frank(1)
        assert await word(each.credit(made)) == "no-refund"


@pytest.mark.clause("M34")
async def test_a_second_that_dies_while_it_fetches_begins_again(world: Meters, customer: Customer) -> None:
    world.kill("meter-2")
    await world.change_view("meter-1", "meter-3", fetch=False)
    world.before = lambda name, command: (
        world.kill("meter-3") if isinstance(command, HandOver) and command.slot == 40 else None
    )
    with pytest.raises(Exception, match="nobody hears"):
        await world.running["meter-3"].box.fetching.fetch_all()
    world.before = lambda name, command: None
    world.start("meter-3")
    assert len((await world.ask("meter-3", HeldView(), Kind.OPERATOR)).complete) == 40
    assert await world.running["meter-3"].box.fetching.fetch_all()
    assert (await world.ask("meter-3", HeldView(), Kind.OPERATOR)).complete == ALL


@pytest.mark.clause("M34")
async def test_what_was_told_in_an_earlier_view_is_fetched_again(world: Meters, customer: Customer) -> None:
    await world.change_view("meter-1", "meter-3", fetch=False)
    await customer.frank(1)
    await world.change_view("meter-1", None)
    await customer.frank(1)
    await world.change_view("meter-1", "meter-3")
    world.kill("meter-1")
    await world.change_view("meter-3", None)
    customer.box = "meter-3"
    await customer.frank(1)


@pytest.mark.clause("M34")
async def test_what_is_told_takes_the_place_of_what_nobody_was_answered(world: Meters, customer: Customer) -> None:
    """The one that died has not fetched anything yet."""
    world.kill_at["meter-1"] = CrashPoint.E_HERE
    with pytest.raises(AwayError):
        await customer.frank(80)
    await world.change_view("meter-2", None)
    world.start("meter-1")
    await world.change_view("meter-2", "meter-1", fetch=False)
    customer.box = "meter-2"
    await customer.frank(20)
    place = (STANDINGS, standing_key("M-1"))
    assert world.disks["meter-1"][place] == world.disks["meter-2"][place]


@pytest.mark.clause("M34")
async def test_an_owner_put_back_for_one_meter_is_refused_for_that_one(world: Meters, customer: Customer) -> None:
    """Though others are told in the same message."""
    others = [Customer(world, f"M-{number}") for number in range(2, 5)]
    for each in others:
        await each.begin()
        await each.load(100)
    place = (STANDINGS, standing_key("M-1"))
    old_row, old_record = world.disks["meter-1"][place], customer.record
    await customer.frank(80)
    world.disks["meter-1"][place] = old_row
    customer.record = old_record
    answers = await asyncio.gather(
        *(world.ask("meter-1", each.frank_command(1)) for each in (customer, *others)), return_exceptions=True
    )
    assert [isinstance(answer, Changed) for answer in answers] == [False, True, True, True]
    assert getattr(answers[0], "word", "") == "tampering"


@pytest.mark.clause("M20")
@pytest.mark.parametrize("second", ["meter-2", None])
async def test_several_requests_for_one_meter_are_done_one_after_another(
    world: Meters, customer: Customer, second: str | None
) -> None:
    await world.change_view("meter-1", second)
    commands = [customer.frank_command(100) for _ in range(5)]
    answers = await asyncio.gather(*(world.ask("meter-1", command) for command in commands), return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, BusRefusedError)]
    assert len(refused) == 4
    assert {each.word for each in refused} == {"behind"}


@pytest.mark.clause("M20")
async def test_requests_for_several_meters_share_messages_to_the_second(world: Meters) -> None:
    customers = [Customer(world, f"M-{number}") for number in range(20)]
    for each in customers:
        await each.begin()
        await each.load(100)
    keeps: list[int] = []
    world.before = lambda name, command: keeps.append(len(command.rows)) if isinstance(command, Keep) else None
    await asyncio.gather(*(each.frank(1) for each in customers))
    assert sum(keeps) == 20
    assert len(keeps) <= 3


def octets(view: int, counter: int) -> bytes:
    """The beginning of a standing."""
    return msgspec.msgpack.encode(Rank(view, counter))


@pytest.mark.clause("M34")
def test_which_standing_gives_way() -> None:
    old, mine = octets(1, 4), octets(1, 5)
    assert follows(None, mine)
    assert follows(mine, mine)
    assert follows(old, mine)
    assert not follows(mine, old)
    assert not follows(mine, octets(2, 5))
    # A second that is not complete, in view 2.
    assert gives_way(mine, old, 2)
    assert gives_way(mine, octets(2, 5), 2)
    assert not gives_way(octets(1, 6), old, 2)
    assert not gives_way(octets(2, 5), old, 2)
    assert gives_way(octets(1, 1), None, 2)
    assert not gives_way(octets(1, 2), None, 2)


@pytest.mark.clause("M34")
@pytest.mark.parametrize(
    ("before", "after", "stays"),
    [
        (("me", "b"), ("me", "c"), True),
        (("a", "me"), ("me", "a"), True),
        (("a", "me"), ("a", "me"), True),
        (("me", "b"), ("b", "me"), False),
        (("a", "me"), ("b", "me"), False),
        (("a", "me"), ("a", "b"), False),
    ],
)
def test_who_stays_complete(before: tuple[str, str], after: tuple[str, str], stays: bool) -> None:
    def view(number: int, slot: tuple[str, str]) -> View:
        return View(number, (Slot(*slot),) * SLOTS)

    held = next_held("me", None, view(1, ("me", "b")), b"1")
    assert held.complete == frozenset(ALL)
    first = type(held)(view(5, before), b"5", frozenset(ALL))
    assert next_held("me", first, view(6, after), b"6").complete == (frozenset(ALL) if stays else frozenset())
    assert next_held("me", first, view(7, after), b"7").complete == frozenset()
    assert next_held("me", None, view(6, after), b"6").complete == frozenset()
