"""The crash table of docs/meter-protocol.md, section 5, line by line: what is left, and the way out (M33, M34)."""

import pytest

from fob_office.centre.boxes.meter.points import CrashPoint
from fob_office.centre.boxes.meter.standing import STANDINGS, read_standing, standing_key
from fob_office.centre.bus.commands import Command
from fob_office.centre.bus.errors import AwayError, BusRefusedError
from fob_office.centre.commands.meter import Changed, Keep
from support.centre_customer import Customer, behind
from support.centre_meters import Meters

KEY = (STANDINGS, standing_key("M-1"))
BEFORE_E, E_HERE, E_AT_SECOND, AFTER_E, BEFORE_H = CrashPoint


@pytest.fixture
async def world() -> Meters:
    world = Meters()
    world.start("meter-1", "meter-2", "meter-3")
    await world.change_view("meter-1", "meter-2")
    return world


async def dies(customer: Customer, name: str, point: CrashPoint, command: Command[Changed]) -> None:
    """A box is killed at this point of a change, which then is not answered."""
    customer.world.kill_at[name] = point
    with pytest.raises((AwayError, BusRefusedError)) as caught:
        await customer.change(command)
    if isinstance(caught.value, BusRefusedError):
        assert caught.value.word == "alone"
    assert customer.world.kill_at == {}


def counters(world: Meters) -> tuple[int, int]:
    """Of the standings of owner and second."""
    first, second = (read_standing(world.disks[name][KEY]).counter for name in ("meter-1", "meter-2"))
    return first, second


LEFT = {BEFORE_E: (2, 2), E_HERE: (3, 2), AFTER_E: (3, 3), BEFORE_H: (3, 3)}


@pytest.mark.clause("M33")
@pytest.mark.parametrize("point", LEFT)
async def test_the_owner_dies_and_the_same_request_comes_again(
    world: Meters, customer: Customer, point: CrashPoint
) -> None:
    command = customer.frank_command(80)
    await dies(customer, "meter-1", point, command)
    assert counters(world) == LEFT[point]
    world.start("meter-1")
    await customer.change(command)
    assert counters(world) == (3, 3)
    assert (customer.registers.ascending, customer.registers.descending) == (80, 920)
    await customer.frank(20)


@pytest.mark.clause("M33")
@pytest.mark.parametrize("point", LEFT)
async def test_the_owner_dies_and_another_request_comes(world: Meters, customer: Customer, point: CrashPoint) -> None:
    command = customer.frank_command(80)
    await dies(customer, "meter-1", point, command)
    world.start("meter-1")
    if point == BEFORE_E:
        await customer.frank(20)
        assert customer.registers.ascending == 20
        return
    with pytest.raises(BusRefusedError) as refused:
        await customer.frank(20)
    # Nobody hears of a standing before the second has it.
    assert counters(world) == (3, 3)
    assert behind(refused.value).act == command.act
    customer.store(behind(refused.value))
    await customer.frank(20)
    assert customer.registers.ascending == 100


@pytest.mark.clause("M34")
@pytest.mark.parametrize("point", LEFT)
async def test_the_owner_dies_and_the_second_goes_on(world: Meters, customer: Customer, point: CrashPoint) -> None:
    command = customer.frank_command(80)
    await dies(customer, "meter-1", point, command)
    await world.change_view("meter-2", "meter-3")
    customer.box = "meter-2"
    await customer.change(command)
    assert (customer.registers.counter, customer.registers.ascending) == (3, 80)
    await customer.frank(20)
    # The one that died comes back as second: what it was alone with gives way.
    world.start("meter-1")
    await world.change_view("meter-2", "meter-1")
    assert world.disks["meter-1"][KEY] == world.disks["meter-2"][KEY]
    await customer.frank(20)
    world.kill("meter-2")
    await world.change_view("meter-1", None)
    customer.box = "meter-1"
    await customer.frank(1)
    assert customer.registers.ascending == 121


@pytest.mark.clause("M34")
async def test_a_standing_that_nobody_was_answered_gives_way_though_nothing_comes_after_it(
    world: Meters, customer: Customer
) -> None:
    await dies(customer, "meter-1", E_HERE, customer.frank_command(80))
    await world.change_view("meter-2", None)
    world.start("meter-1")
    await world.change_view("meter-2", "meter-1")
    assert counters(world) == (2, 2)
    customer.box = "meter-2"
    await customer.frank(20)
    assert (counters(world), customer.registers.ascending) == ((3, 3), 20)


@pytest.mark.clause("M34")
async def test_a_credit_that_nobody_was_answered_can_be_asked_for_again(world: Meters, customer: Customer) -> None:
    (made,) = (await customer.frank(80)).indicia
    world.kill_at["meter-1"] = E_HERE
    with pytest.raises(AwayError):
        await customer.credit(made)
    await world.change_view("meter-2", None)
    world.start("meter-1")
    await world.change_view("meter-2", "meter-1")
    await world.change_view("meter-1", "meter-2")
    await customer.credit(made)
    with pytest.raises(BusRefusedError, match="no-refund"):
        await customer.credit(made)


@pytest.mark.clause("M34")
async def test_the_second_dies_with_the_standing_and_takes_it_again(world: Meters, customer: Customer) -> None:
    command = customer.frank_command(80)
    await dies(customer, "meter-2", E_AT_SECOND, command)
    assert counters(world) == (3, 3)
    for _ in range(2):
        with pytest.raises(BusRefusedError, match="alone"):
            await customer.change(command)
    world.start("meter-2")
    await customer.change(command)
    assert (counters(world), customer.registers.ascending) == ((3, 3), 80)


@pytest.mark.clause("M34")
async def test_while_the_second_is_away_nothing_more_is_changed(world: Meters, customer: Customer) -> None:
    other = Customer(world, "M-2")
    await other.begin()
    await other.load(1_000)
    world.kill("meter-2")
    with pytest.raises(BusRefusedError, match="alone"):
        await customer.frank(80)
    before = world.state()
    for who in (customer, other):
        with pytest.raises(BusRefusedError, match="alone"):
            await who.frank(80)
    assert world.state() == before, "one meter is ahead by one, and no other one follows"
    world.start("meter-2")
    await other.frank(80)
    with pytest.raises(BusRefusedError, match="behind"):
        await customer.frank(20)


@pytest.mark.clause("M33")
@pytest.mark.parametrize("is_answered", [True, False])
async def test_after_e_and_before_the_database_the_request_is_answered_again(
    world: Meters, customer: Customer, is_answered: bool
) -> None:
    """The function server dies: it has heard the answer, or not."""
    command = customer.frank_command(80)
    if is_answered:
        first = await world.ask("meter-1", command)
    else:
        await dies(customer, "meter-1", BEFORE_H, command)
        world.start("meter-1")
        first = await world.ask("meter-1", command)
    assert await customer.change(command) == first
    assert customer.registers.ascending == 80


@pytest.mark.clause("M34")
async def test_an_owner_that_was_put_back_is_found_by_its_second(world: Meters, customer: Customer) -> None:
    old_disk, old_record = dict(world.disks["meter-1"]), customer.record
    await customer.frank(80)
    world.kill("meter-1")
    world.disks["meter-1"] = old_disk
    world.start("meter-1")
    # The database was put back too.
    customer.record = old_record
    kept = dict(world.disks["meter-2"])
    for _ in range(2):
        with pytest.raises(BusRefusedError, match=r"tampering: .*put back"):
            await world.ask("meter-1", customer.frank_command(20))
    assert world.disks["meter-2"] == kept
    # Another view makes it no better.
    await world.change_view("meter-1", "meter-2")
    with pytest.raises(BusRefusedError, match=r"tampering: .*put back"):
        await world.ask("meter-1", customer.frank_command(20))


@pytest.mark.clause("M34")
async def test_one_owner_that_was_put_back_for_one_meter_serves_the_others(world: Meters, customer: Customer) -> None:
    other = Customer(world, "M-2")
    await other.begin()
    await other.load(1_000)
    old = world.disks["meter-1"][KEY]
    await customer.frank(80)
    world.disks["meter-1"][KEY] = old
    world.kill("meter-1")
    world.start("meter-1")
    frank = other.frank_command(1)
    with pytest.raises(BusRefusedError, match=r"tampering"):
        await customer.frank(20)
    await other.change(frank)


@pytest.mark.clause("M33")
async def test_what_the_second_has_and_did_not_say_is_not_lost(world: Meters, customer: Customer) -> None:
    """The answer of the second is lost, and the owner dies too."""
    command = customer.frank_command(80)
    lost: list[str] = []

    def lose(name: str, asked: Command[Changed]) -> None:
        if isinstance(asked, Keep) and not lost:
            lost.append(name)
            world.kill_at["meter-2"] = E_AT_SECOND

    world.before = lose
    with pytest.raises(BusRefusedError, match="alone"):
        await customer.change(command)
    world.kill("meter-1")
    world.start("meter-2")
    await world.change_view("meter-2", None)
    customer.box = "meter-2"
    await customer.change(command)
    assert customer.registers.ascending == 80
