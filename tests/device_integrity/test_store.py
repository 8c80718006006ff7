"""The rows of the copies: opened once, and again as soon as their octets are others."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fob_device.integrity.store import CopyStore
from fob_device.store.copy_rows import read_copy, write_copy
from fob_device.store.database import Database
from fob_device.store.errors import TokenFileError
from fob_device.token.device_root import DeviceRoot
from fob_protocol.integrity.held_copy import Awaited
from support.octets import flipped
from support.session import seeded

TABLE = "table"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[CopyStore]:
    Database.create(tmp_path / "token", lambda connection: None)
    database = Database.open(tmp_path / "token")
    yield CopyStore(database, DeviceRoot("serial", bytes(32), seeded(1)))
    database.close()


def put_row(store: CopyStore, sealed: bytes) -> None:
    """Past the store, as somebody with the file could."""
    with store.database.transaction() as connection:
        write_copy(connection, TABLE, sealed)


def row(store: CopyStore) -> bytes:
    return store.database.read(lambda connection: read_copy(connection, TABLE)) or b""


def test_what_was_kept_last_is_read(store: CopyStore) -> None:
    assert store.get(TABLE) is None
    for since in (1, 2, 3):
        store.keep(TABLE, Awaited(TABLE, since))
        assert store.get(TABLE) == store.get(TABLE) == Awaited(TABLE, since)


def test_a_row_is_opened_once(store: CopyStore) -> None:
    store.keep(TABLE, Awaited(TABLE, 1))
    assert store.get(TABLE) is store.get(TABLE)


@pytest.mark.clause("V25")
def test_a_row_that_was_altered_after_it_was_opened_is_refused_each_time(store: CopyStore) -> None:
    store.keep(TABLE, Awaited(TABLE, 1))
    store.get(TABLE)
    good = row(store)
    put_row(store, flipped(good))
    for _ in range(2):
        with pytest.raises(TokenFileError, match="the copy of table was altered"):
            store.get(TABLE)
    put_row(store, good)
    assert store.get(TABLE) == Awaited(TABLE, 1)


def test_an_older_row_that_is_put_back_is_read_as_it_is(store: CopyStore) -> None:
    store.keep(TABLE, Awaited(TABLE, 1))
    older = row(store)
    store.keep(TABLE, Awaited(TABLE, 2))
    assert store.get(TABLE) == Awaited(TABLE, 2)
    put_row(store, older)
    assert store.get(TABLE) == Awaited(TABLE, 1)
