"""A token for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.token_bench import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A new phone with both PINs."""
    bench = Bench(tmp_path / "token.db")
    yield bench
    bench.token.close()
