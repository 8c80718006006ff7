"""The transaction of the meter box, in its order (M20): what it gives and refuses, and that nothing changes then."""

import pytest

from fob_protocol.metering.values import Registers
from support.centre_customer import Customer
from support.centre_meters import Meters


@pytest.fixture
async def world() -> Meters:
    world = Meters()
    world.start("meter-1", "meter-2")
    await world.change_view("meter-1", "meter-2")
    return world


@pytest.fixture
async def customer(world: Meters) -> Customer:
    customer = Customer(world)
    await customer.begin()
    await customer.load(1_000)
    return customer


@pytest.mark.clause("M20")
async def test_a_batch_is_franked(customer: Customer) -> None:
    changed = await customer.frank(80, 160)
    assert customer.registers == Registers(counter=3, ascending=240, descending=760, pieces=2, loads=1_000, owed=0)
    assert (changed.amount, len(changed.indicia), changed.time) == (240, 2, customer.world.now)
