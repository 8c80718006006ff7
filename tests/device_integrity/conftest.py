"""What these devices run is a few octets: the tree of whoever runs the tests may change meanwhile."""

import pytest

from fob_device.integrity.own_program import NAME
from fob_device.integrity.program import Program
from fob_device.office import switching
from support.integrity_bench import OWN


@pytest.fixture(autouse=True)
def small_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(switching, "own_program", lambda: Program(NAME, (0, 1, 0), None, lambda: OWN))
