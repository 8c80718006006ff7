"""What the tests of the link run over: by cable and by radio, from the same code."""

from pathlib import Path

import pytest

from support.medium import MEDIA, MakeMedium, Medium
from support.unwritten_packets import leave_packets_unwritten


@pytest.fixture(params=MEDIA)
def make_medium(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> MakeMedium:
    """Makes cables, or pieces of air, that keep what they have to in a folder."""
    leave_packets_unwritten(monkeypatch)
    return MEDIA[request.param]


@pytest.fixture
def medium(make_medium: MakeMedium, tmp_path: Path) -> Medium:
    """A cable or the air, with nobody at either end yet."""
    return make_medium(tmp_path)
