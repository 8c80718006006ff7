"""Where programs come from, and what each trio begins with."""

import asyncio
from collections.abc import Iterator

import pytest

from support.nursery import Nursery, nursery
from support.trio import Made, make_configured, make_generic, short_folder


@pytest.fixture(scope="module")
def programs() -> Iterator[Nursery]:
    """All of them loaded, once for a file of tests."""
    with nursery() as ready:
        yield ready


@pytest.fixture(scope="module")
def generic(programs: Nursery) -> Iterator[Made]:
    """On a serial line: paired, ordered, and not configured yet."""
    with short_folder() as folder:
        yield asyncio.run(make_generic(programs, folder, "serial"))


@pytest.fixture(scope="module")
def configured(programs: Nursery, generic: Made) -> Iterator[Made]:
    """The same after its first configuration."""
    with short_folder() as folder:
        yield asyncio.run(make_configured(programs, folder, generic))


@pytest.fixture(scope="module")
def generic_by_radio(programs: Nursery) -> Iterator[Made]:
    """As `generic`, over Bluetooth Low Energy."""
    with short_folder() as folder:
        yield asyncio.run(make_generic(programs, folder, "ble"))


@pytest.fixture(scope="module")
def configured_by_radio(programs: Nursery, generic_by_radio: Made) -> Iterator[Made]:
    """The same after its first configuration."""
    with short_folder() as folder:
        yield asyncio.run(make_configured(programs, folder, generic_by_radio))
