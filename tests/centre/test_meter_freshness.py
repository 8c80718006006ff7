"""Freshness: of a meter's records one is the newest, and no other is taken (M21, M22)."""

import pytest
from structlog.testing import capture_logs

from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.commands.meter import LastChange
from fob_protocol.metering.kinds import Deed, Freshness
from support.centre_customer import Customer, behind
from support.centre_meters import Meters, altered, opened


@pytest.fixture(params=Freshness)
async def customer(world: Meters, request: pytest.FixtureRequest) -> Customer:
    customer = Customer(world)
    await customer.begin(request.param)
    await customer.load(1_000)
    return customer


@pytest.mark.clause("M21")
async def test_each_record_has_a_freshness_of_its_own(customer: Customer) -> None:
    for _ in range(5):
        customer.world.now += 1
        await customer.frank(1)
    later = [opened(record).freshness for record in customer.records[1:]]
    kind = later[0].kind
    counters = [opened(record).registers.counter for record in customer.records]
    assert counters == [1, 2, 3, 4, 5, 6, 7]
    randoms = [fresh.random for fresh in later if fresh.random is not None]
    times = [fresh.time for fresh in later if fresh.time is not None]
    assert len(set(randoms)) == (0 if kind is Freshness.COUNTER else 6)
    assert len(set(times)) == (6 if kind is Freshness.TIME else 0)
    assert {fresh.kind for fresh in later} == {kind}


@pytest.mark.clause("M21")
async def test_a_record_with_the_right_counter_and_another_freshness_is_refused(customer: Customer) -> None:
    fresh = customer.meter.freshness
    other = type(fresh)(fresh.kind, None if fresh.random is None else bytes(16), fresh.time)
    # Where the counter is all there is, the record is another by its content.
    forged = altered(customer.world, customer.record, freshness=other, time=customer.meter.time + 1)
    before = customer.world.state()
    with pytest.raises(BusRefusedError, match="tampering"):
        await customer.world.ask("meter-1", customer.frank_command(1, record=forged))
    assert customer.world.state() == before


@pytest.mark.clause("M22")
async def test_every_older_record_is_refused_and_warned_of(customer: Customer) -> None:
    for _ in range(6):
        await customer.frank(1)
    before = customer.world.state()
    for record in customer.records[:-2]:
        with capture_logs() as logs, pytest.raises(BusRefusedError) as refused:
            await customer.world.ask("meter-1", customer.frank_command(1, record=record))
        assert refused.value.word == "tampering"
        assert [line["log_level"] for line in logs] == ["warning"]
    # The one before the last may be an honest mistake: the standing comes with the refusal.
    with pytest.raises(BusRefusedError) as refused:
        await customer.world.ask("meter-1", customer.frank_command(1, record=customer.records[-2]))
    assert behind(refused.value).record == customer.records[-1]
    assert customer.world.state() == before
    await customer.frank(1)


@pytest.mark.clause("M22")
async def test_a_record_that_is_newer_than_the_standing_is_refused(customer: Customer) -> None:
    registers = customer.registers
    newer = altered(customer.world, customer.record, registers=type(registers)(9, 0, 9_999, 0, 9_999, 0))
    for change in (customer.frank_command(1, record=newer), customer.frank_command(5_000, record=newer)):
        with pytest.raises(BusRefusedError, match="tampering"):
            await customer.world.ask("meter-1", change)


@pytest.mark.clause("M33")
async def test_the_same_request_is_answered_the_same_again(customer: Customer) -> None:
    command = customer.frank_command(80)
    first = await customer.world.ask("meter-1", command)
    before = customer.world.state()
    assert await customer.world.ask("meter-1", command) == first
    # With the record after it too: its journal was read too early.
    customer.store(first)
    late = customer.frank_command(80, act=command.act)
    assert await customer.world.ask("meter-1", late) == first
    assert customer.world.state() == before


@pytest.mark.clause("M33")
async def test_another_request_is_told_what_the_database_lacks(customer: Customer) -> None:
    first = await customer.world.ask("meter-1", customer.frank_command(80))
    with pytest.raises(BusRefusedError) as refused:
        await customer.frank(20)
    assert behind(refused.value) == first
    customer.store(behind(refused.value))
    await customer.frank(20)
    assert customer.registers.ascending == 100


@pytest.mark.clause("M33")
async def test_one_request_is_not_another_deed(customer: Customer) -> None:
    """Per use, a load goes before a frank for one request of the mailer."""
    act = customer.world.act()
    await customer.load(50, act=act)
    command = customer.frank_command(50, act=act)
    changed = await customer.world.ask("meter-1", command)
    assert changed.deed == Deed.FRANK
    assert changed.before != customer.done[act.request_digest].before


async def test_an_operator_is_told_the_last_change(customer: Customer) -> None:
    changed = await customer.frank(80)
    assert await customer.world.ask("meter-1", LastChange("M-1")) == changed
    with pytest.raises(BusRefusedError, match="no-meter"):
        await customer.world.ask("meter-1", LastChange("M-2"))


@pytest.mark.clause("M26")
async def test_a_look_wants_the_newest_record(customer: Customer) -> None:
    (made,) = (await customer.frank(80)).indicia
    assert (await customer.look(made)).genuine == (True,)
    with pytest.raises(BusRefusedError, match="behind"):
        await customer.look(made, record=customer.records[-2])
    with pytest.raises(BusRefusedError, match="tampering"):
        await customer.look(made, record=customer.records[-3])
