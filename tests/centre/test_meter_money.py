"""What a meter box does to registers: begins, loads, settles, gives back, and obeys operators (M8, M24, M29, M31)."""

from collections.abc import Awaitable, Callable

import pytest
from msgspec.structs import replace

from fob_office.centre.boxes.meter import accounting
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.bus.passes import Kind
from fob_office.centre.commands.meter import Begin, Changed, Made, Obey, TokensVerified, VerifyTokens
from fob_protocol.metering.indicium import Indicium, make_token
from fob_protocol.metering.kinds import Deed, MeterState
from fob_protocol.metering.records import Limits
from fob_protocol.metering.values import Registers
from fob_protocol.office.message import read
from support.centre_customer import Customer
from support.centre_meters import LIMITS, NOW, Meters
from support.octets import flipped

DAY = 86_400


async def refused(change: Awaitable[Changed]) -> str:
    """By which word."""
    with pytest.raises(BusRefusedError) as caught:
        await change
    return caught.value.word


@pytest.mark.clause("M8")
async def test_a_meter_begins_once(world: Meters) -> None:
    customer = Customer(world)
    act = world.act()
    command = Begin(world.meter_order("M-1", act), act)
    changed = await customer.change(command)
    assert customer.registers == Registers(1, 0, 0, 0, 0, 0)
    assert (changed.before, changed.deed, customer.meter.state) == (None, Deed.CREATE, MeterState.ACTIVE)
    assert await world.ask("meter-1", command) == changed
    before = world.state()
    other = world.act()
    assert await refused(world.ask("meter-1", Begin(world.meter_order("M-1", other), other))) == "tampering"
    assert await refused(world.ask("meter-1", Begin(command.order, other))) == "tampering"
    forged = flipped(command.order)
    assert await refused(world.ask("meter-1", Begin(forged, act))) == "tampering"
    assert world.state() == before
    await customer.load(10)
    assert await refused(world.ask("meter-1", command)) == "tampering"


@pytest.mark.clause("M29")
async def test_a_load_is_exact_and_leaves_the_ascending_register(customer: Customer) -> None:
    await customer.frank(300)
    before = customer.registers
    await customer.load(250)
    assert customer.registers == replace(
        before, counter=before.counter + 1, descending=before.descending + 250, loads=before.loads + 250
    )
    assert customer.meter.funds == 2


@pytest.mark.clause("M29")
async def test_what_is_owed_has_a_limit_and_is_settled(customer: Customer) -> None:
    await customer.load(5_000, is_paid=False)
    assert (customer.registers.owed, customer.registers.descending) == (5_000, 6_000)
    assert await refused(customer.load(1, is_paid=False)) == "over-limit"
    assert await refused(customer.load(5_001, is_settlement=True)) == "over-limit"
    before = customer.registers
    await customer.load(4_000, is_settlement=True)
    assert customer.registers == replace(before, counter=before.counter + 1, owed=1_000)
    await customer.load(1, is_paid=False)
    # Numbers are of what was paid.
    assert (customer.registers.owed, customer.meter.funds) == (1_001, 2)
    for number in (customer.meter.funds + 1, customer.registers.counter - 1, customer.registers.counter + 1):
        assert await refused(customer.load(1, is_paid=False, number=number)) == "tampering"


@pytest.mark.clause("M30", "M29")
async def test_what_signing_up_costs_comes_with_the_first_payment_once_and_on_no_register(world: Meters) -> None:
    customer, act = Customer(world), world.act()
    await customer.change(Begin(world.meter_order("M-1", act, fee=500), act))
    # What is paid later pays nothing yet.
    assert await refused(customer.load(300, is_paid=False, fee=500)) == "tampering"
    await customer.load(300, is_paid=False)
    for fee in (0, 499, 501):
        assert await refused(customer.load(1_000, fee=fee)) == "tampering"
    assert await refused(customer.load(0, fee=500)) == "tampering"
    await customer.load(1_000, fee=500)
    assert customer.registers == Registers(3, ascending=0, descending=1_300, pieces=0, loads=1_300, owed=300)
    assert customer.meter.fee == 0
    assert await refused(customer.load(1_000, fee=500)) == "tampering"
    await customer.load(1_000)


@pytest.mark.clause("M30", "M29")
async def test_a_settlement_may_be_of_the_fee_alone(world: Meters) -> None:
    customer, act = Customer(world), world.act()
    await customer.change(Begin(world.meter_order("M-1", act, fee=500), act))
    await customer.load(0, is_settlement=True, fee=500)
    assert (customer.registers, customer.meter.fee) == (Registers(2, 0, 0, 0, 0, 0), 0)


@pytest.mark.clause("M29")
async def test_money_goes_back_but_not_what_is_owed(customer: Customer) -> None:
    await customer.load(500, is_paid=False)
    await customer.frank(300)
    assert await refused(customer.refund(701)) == "insufficient-funds"
    assert await refused(customer.refund(0)) == "insufficient-funds"
    changed = await customer.refund(700)
    assert (changed.deed, changed.amount, changed.indicia) == (Deed.REFUND, 700, ())
    assert customer.registers == Registers(5, ascending=300, descending=500, pieces=1, loads=800, owed=500)
    assert customer.meter.funds == 1, "what is charged meanwhile comes in under the next number"
    await customer.load(10, number=2)
    assert await refused(customer.load(10, number=2)) == "tampering"


@pytest.mark.clause("M27")
async def test_an_indicium_is_given_back_once(customer: Customer) -> None:
    first, second = (await customer.frank(80, 160)).indicia
    changed = await customer.credit(second)
    assert (changed.deed, changed.amount, changed.indicia) == (Deed.CREDIT, 160, (second,))
    assert customer.registers == Registers(4, ascending=240, descending=920, pieces=2, loads=1_160, owed=0)
    before = customer.world.state()
    assert await refused(customer.credit(second)) == "no-refund"
    assert customer.world.state() == before
    # The box says so itself, whatever stands in the database, and its second too.
    for box in ("meter-1", "meter-2"):
        asked = VerifyTokens(customer.records[0], (first, second))
        assert await customer.world.ask(box, asked, Kind.OPERATOR) == TokensVerified((True, True), (False, True))
    await customer.credit(first)
    assert await refused(customer.credit(first)) == "no-refund"


@pytest.mark.clause("M26")
async def test_what_this_meter_did_not_make_is_not_taken_back(customer: Customer) -> None:
    world = customer.world
    (made,) = (await customer.frank(80)).indicia
    indicium = read(Indicium, made.indicium)
    other = Customer(world, "M-2")
    await other.begin()
    await other.load(1_000)
    (others,) = (await other.frank(80)).indicia
    dearer, renamed = replace(indicium, amount=800), replace(indicium, serial="M-2")
    before = world.state()
    for wrong in (
        Made(made.indicium, bytes(16)),
        Made(dearer.octets(), made.token),
        Made(dearer.octets(), make_token(world.token_keys["M-2"], dearer)),
        Made(replace(indicium, key_version=2).octets(), made.token),
        # With its key, and about another meter.
        Made(renamed.octets(), make_token(world.token_keys["M-1"], renamed)),
        others,
    ):
        assert await refused(customer.credit(wrong)) == "no-refund"
        assert (await customer.look(wrong, made)).genuine == (False, True)
    assert world.state() == before


@pytest.mark.clause("M26")
async def test_every_altered_element_of_an_indicium_is_found(customer: Customer) -> None:
    (made,) = (await customer.frank(80)).indicia
    indicium = read(Indicium, made.indicium)
    altered = {
        "serial": "M-2", "counter": 4, "piece": 1, "amount": 81, "value_kind": "kwh-milli", "date": 2027_01_16,
        "origin": "10116", "destination": "20096", "addressee": bytes(16), "mail_class": "parcel", "ascending": 81,
        "key_version": 2,
    }  # fmt: skip
    assert set(altered) == set(Indicium.__struct_fields__)
    wrong = [Made(replace(indicium, **{name: value}).octets(), made.token) for name, value in altered.items()]
    wrong += [Made(b"", made.token), Made(made.indicium, b"")]
    assert (await customer.look(made, *wrong)).genuine == (True, *(False for _ in wrong))


@pytest.mark.clause("M24")
async def test_limits_for_a_piece_and_for_a_day(world: Meters) -> None:
    customer = Customer(world)
    await customer.begin(limits=Limits(piece=100, daily=250, credit=0, spent=0, day=0))
    await customer.load(1_000)
    assert await refused(customer.frank(101)) == "over-limit"
    await customer.frank(100, 100)
    assert await refused(customer.frank(51)) == "over-limit"
    await customer.frank(50)
    assert (customer.meter.limits.spent, customer.meter.limits.day) == (250, NOW // DAY)
    world.now += DAY
    await customer.frank(100, 100, 50)
    world.now -= DAY
    assert await refused(customer.frank(1)) == "over-limit", "a clock that is put back gives no second day"


@pytest.mark.clause("M31")
async def test_a_meter_is_stopped_resumed_and_withdrawn(customer: Customer) -> None:
    (made,) = (await customer.frank(80)).indicia
    await customer.obey(Deed.STOP)
    assert customer.meter.state == MeterState.STOPPED
    assert await refused(customer.frank(1)) == "stopped"
    assert await refused(customer.refund(1)) == "stopped"
    assert await refused(customer.credit(made)) == "stopped"
    # Owed is nothing more; what was taken before is the mailer's, and can go back from here.
    assert await refused(customer.load(1, is_paid=False)) == "stopped"
    await customer.load(10)
    await customer.obey(Deed.RESUME)
    await customer.frank(1)
    await customer.obey(Deed.WITHDRAW)
    await customer.load(5)
    for change in (
        customer.frank(1),
        customer.load(1, is_paid=False),
        customer.obey(Deed.RESUME),
        customer.obey(Deed.STOP),
    ):
        assert await refused(change) == "stopped"
    await customer.credit(made)
    await customer.refund(customer.registers.descending)
    assert customer.registers == Registers(11, ascending=81, descending=0, pieces=2, loads=81, owed=0)


@pytest.mark.clause("M31")
async def test_no_order_is_done_twice(customer: Customer) -> None:
    world = customer.world
    order = world.key_order("M-1", customer.registers.counter, Deed.STOP)
    command = Obey(customer.record, order, world.act())
    changed = await customer.change(command)
    assert await world.ask("meter-1", command) == changed
    await customer.obey(Deed.RESUME)
    before = world.state()
    assert await refused(world.ask("meter-1", Obey(customer.record, order, world.act()))) == "stale"
    later = world.key_order("M-2", customer.registers.counter, Deed.STOP)
    assert await refused(world.ask("meter-1", Obey(customer.record, later, world.act()))) == "tampering"
    assert await refused(customer.obey(Deed.LOAD)) == "tampering"
    assert await refused(customer.obey(Deed.CHANGE)) == "tampering"
    assert await refused(customer.obey(Deed.STOP, LIMITS)) == "tampering"
    assert world.state() == before


@pytest.mark.clause("M31")
async def test_an_operator_sets_limits_and_what_was_spent_stays(customer: Customer) -> None:
    await customer.frank(80)
    await customer.obey(Deed.CHANGE, Limits(piece=50, daily=100, credit=7, spent=0, day=9))
    assert customer.meter.limits == Limits(piece=50, daily=100, credit=7, spent=80, day=NOW // DAY)
    assert await refused(customer.frank(21)) == "over-limit"
    await customer.frank(20)


@pytest.mark.clause("M24")
async def test_registers_hold_no_more_than_they_can(customer: Customer) -> None:
    most = (1 << 53) - 1
    full = replace(customer.meter, registers=Registers(9, 0, most, 0, most, 0))
    with pytest.raises(BusRefusedError, match="over-limit"):
        accounting.credited(full, 1)
    unlawful = replace(customer.meter, registers=Registers(9, 1, 1, 0, 1, 0))
    changes: list[Callable[[], object]] = [
        lambda: accounting.credited(unlawful, 1),
        lambda: accounting.franked(unlawful, [1], NOW),
        lambda: accounting.refunded(unlawful, 1),
    ]
    for change in changes:
        with pytest.raises(BusRefusedError, match="tampering"):
            change()
