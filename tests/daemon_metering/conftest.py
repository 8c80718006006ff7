"""A desk at a device whose data centre counts what is paid."""

from pathlib import Path

import pytest

from daemon_metering.bench import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "meter.db")
