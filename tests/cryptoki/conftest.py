"""The desk that nearly every test of the engine works at."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cryptoki.desk import Client, Desk


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """A connected phone with three keys and a warm cache."""
    async with Desk.opened(tmp_path) as opened:
        yield opened


@pytest.fixture
def client(desk: Desk) -> Client:
    """One program."""
    return desk.client()
