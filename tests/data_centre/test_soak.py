"""A short form of soak.py, which `make soak` runs with 10,000 kills."""

from pathlib import Path

import pytest

from data_centre.soak import soak

# Begun before others: programs, or a whole data centre.
pytestmark = pytest.mark.slow


@pytest.mark.clause("M20", "M29", "M33", "M34")
async def test_sixty_kills_make_and_lose_nothing(tmp_path: Path) -> None:
    kills, _ = await soak(tmp_path, 60, seed=23)
    assert kills.total() >= 60
    # All kinds of death came.
    assert len(kills) > 10
