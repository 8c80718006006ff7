"""A data centre for each test, which waits no longer than it has to."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.data_centre import SHORT_PAUSES, DataCentre, data_centre


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in SHORT_PAUSES.items():
        monkeypatch.setattr(name, seconds)


@pytest.fixture
async def centre(tmp_path: Path) -> AsyncIterator[DataCentre]:
    async with data_centre(tmp_path / "centre") as made:
        yield made
