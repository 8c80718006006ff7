"""Offices for tests, over both databases. A test that takes `scene` is run twice."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fob_office.database.engine import create_file
from support.office import OfficeScene, office_scene
from support.postgresql import Cluster

DATABASES = ("sqlite", "postgresql")


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest) -> str | None:
    """A database without rows; None is SQLite in the state folder."""
    if request.param == "sqlite":
        return None
    cluster: Cluster = request.getfixturevalue("cluster")
    return cluster.shared_database()


@pytest.fixture(params=DATABASES)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without tables."""
    if request.param == "sqlite":
        create_file(tmp_path / "empty.db")
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    cluster: Cluster = request.getfixturevalue("cluster")
    with cluster.database() as url:
        yield url


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """The folder of an office."""
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def scene(state: Path, database_url: str | None) -> Iterator[OfficeScene]:
    """An office that was just made."""
    with office_scene(state, database_url) as made:
        yield made


@pytest.fixture
def sqlite_scene(state: Path) -> Iterator[OfficeScene]:
    """For what has nothing to do with the kind of database."""
    with office_scene(state) as made:
        yield made
