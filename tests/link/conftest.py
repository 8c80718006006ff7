"""What the tests of the link run over: by cable and by radio, from the same code."""

from pathlib import Path

import pytest

from support.medium import MEDIA, Medium


@pytest.fixture(params=MEDIA)
def medium(request: pytest.FixtureRequest, tmp_path: Path) -> Medium:
    """A cable or the air, with nobody at either end yet."""
    return MEDIA[request.param](tmp_path)
