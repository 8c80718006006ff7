"""Databases for tests of the data centre. A test that takes `meters_url` is run twice."""

from pathlib import Path

import pytest

from support.centre_database import shared_url, sqlite_url


@pytest.fixture(params=("sqlite", "postgresql"))
def meters_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of meters."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path)
    return shared_url(request.getfixturevalue("cluster"))
