"""Databases and meter boxes for tests of the data centre. A test that takes `meters_url` is run twice."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from fob_office.centre.communication.asking import CentreAsker
from support.centre_customer import Customer
from support.centre_database import shared_url, sqlite_url
from support.centre_meters import Meters
from support.postgresql import Cluster
from support.running_centre import RunningCentre


@pytest.fixture(params=("sqlite", "postgresql"))
def meters_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of meters."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path)
    return shared_url(request.getfixturevalue("cluster"))


@pytest.fixture(params=("sqlite", "postgresql"))
def empty_meters_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    cluster: Cluster = request.getfixturevalue("cluster")
    with cluster.database() as url:
        yield url


@pytest.fixture
async def world() -> Meters:
    """Two meter boxes, of which the first owns all slots."""
    world = Meters()
    world.start("meter-1", "meter-2")
    await world.change_view("meter-1", "meter-2")
    return world


@pytest.fixture
async def customer(world: Meters) -> Customer:
    """With 1,000 on the meter."""
    customer = Customer(world)
    await customer.begin()
    await customer.load(1_000)
    return customer


@pytest.fixture
async def asker(centre: RunningCentre) -> AsyncIterator[CentreAsker]:
    """As a web worker asks; of tests with a `centre` that runs."""
    made = CentreAsker(centre.folder)
    yield made
    made.close()
