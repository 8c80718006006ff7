"""Databases for tests of the data centre. A test that takes `meters_url` is run twice."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.centre_database import shared_url, sqlite_url
from support.postgresql import Cluster


@pytest.fixture(params=("sqlite", "postgresql"))
def meters_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of meters."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path)
    return shared_url(request.getfixturevalue("cluster"))


@pytest.fixture(params=("sqlite", "postgresql"))
def empty_meters_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    cluster: Cluster = request.getfixturevalue("cluster")
    with cluster.database() as url:
        yield url
