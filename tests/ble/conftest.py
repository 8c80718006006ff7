"""A message bus of the test's own, and bluetoothd on it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from support.fake_bluez import FakeBlueZ, fake_bluez, system_bus


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """The system bus."""
    with system_bus(tmp_path) as address:
        yield address


@pytest.fixture
async def bluez(address: str) -> AsyncIterator[FakeBlueZ]:
    """It knows no device."""
    async with fake_bluez(address) as bluez:
        yield bluez
