"""What a box was told to keep is there after any kill, and nobody changes it unseen."""

import asyncio
import os
import random
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fob_office.centre.boxes.errors import TamperedError
from fob_office.centre.boxes.folder import HARDWARE_KEY, BoxFolder, create_folder, open_folder
from fob_office.centre.boxes.rows import Row
from fob_office.centre.boxes.store import FILE, Store, StoreError, open_store

KILLS = 8


@pytest.fixture
def folder(tmp_path: Path) -> BoxFolder:
    return create_folder(tmp_path / "meter-1", "meter-1", os.urandom)


@pytest.fixture
def store(folder: BoxFolder) -> Iterator[Store]:
    with open_store(folder) as opened:
        yield opened


async def test_what_was_put_is_there_also_after_the_end(folder: BoxFolder) -> None:
    with open_store(folder) as store:
        assert store.get("standing", b"A") is None
        await store.put_all([Row("standing", b"A", b"1"), Row("seen", b"A", b"other")])
        assert (store.get("standing", b"A"), store.get("seen", b"A")) == (b"1", b"other")
        await store.put_all([Row("standing", b"A", b"2")])
    with open_store(open_folder(folder.path, "meter-1", os.urandom)) as store:
        assert (store.get("standing", b"A"), store.get("seen", b"A")) == (b"2", b"other")


async def test_all_that_wait_share_one_commit(store: Store) -> None:
    said: list[str] = []
    store._writing.set_trace_callback(said.append)
    await asyncio.gather(*(store.put_all([Row("standing", b"%d" % number, b"1")]) for number in range(500)))
    # One is being written while the others come.
    assert 1 <= said.count("COMMIT") <= 2
    assert [store.get("standing", b"%d" % number) for number in range(500)] == [b"1"] * 500


async def test_a_table_is_read_in_pages(store: Store) -> None:
    await store.put_all([Row("standing", b"%02d" % number, b"x") for number in range(30)])
    await store.put_all([Row("other", b"05x", b"y")])
    pages, last = [], b""
    while page := store.after("standing", last, 12):
        pages.append(len(page))
        last = page[-1].key
    assert (pages, last) == ([12, 12, 6], b"29")


async def test_memory_is_bounded_and_the_rest_is_read_from_the_disk(folder: BoxFolder) -> None:
    with open_store(folder, cache=10) as store:
        await store.put_all([Row("standing", b"%d" % number, b"%d" % number) for number in range(100)])
        for number in (*range(100), 0):
            assert store.get("standing", b"%d" % number) == b"%d" % number
            assert len(store._cache) <= 10


async def test_nothing_legible_stands_on_the_disk(folder: BoxFolder) -> None:
    with open_store(folder) as store:
        await store.put_all([Row("standing", b"A", b"what a box keeps")])
        octets = b"".join(path.read_bytes() for path in folder.path.glob(f"{FILE}*"))
        assert b"what a box keeps" not in octets


async def test_a_disk_that_is_full_is_told_and_nothing_is_half_written(store: Store) -> None:
    await store.put_all([Row("standing", b"A", b"1")])
    store._writing.execute("PRAGMA max_page_count = 1")
    with pytest.raises(StoreError, match=r"store.db: database or disk is full"):
        await store.put_all([Row("standing", b"A", b"2"), Row("standing", b"B", bytes(100_000))])
    assert store.get("standing", b"A") == b"1"
    store._writing.execute("PRAGMA max_page_count = 1000000")
    await store.put_all([Row("standing", b"A", b"2"), Row("standing", b"B", bytes(100_000))])
    assert store.get("standing", b"A") == b"2"


async def test_a_store_that_is_closed_says_so(folder: BoxFolder) -> None:
    store = open_store(folder)
    store.close()
    with pytest.raises(StoreError, match="closed"):
        await store.put_all([Row("standing", b"A", b"1")])


def test_a_kill_in_the_middle_of_writing_loses_nothing_that_was_answered(folder: BoxFolder) -> None:
    """A writer is killed at any moment, again and again; of each pair of rows there are both or none."""
    moments = random.Random(3)
    answered: dict[bytes, int] = {}
    program = Path(__file__).parents[1] / "support" / "store_writer.py"
    with open_store(folder):
        pass
    for _ in range(KILLS):
        lines = moments.randrange(1, 400)
        with subprocess.Popen([sys.executable, str(program), str(folder.path)], stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            read = [writer.stdout.readline() for _ in range(lines)]
            writer.kill()
            read += writer.stdout.readlines()
        for key, number in (line.split() for line in read if line.endswith(b"\n")):
            answered[key] = int(number)
        with open_store(open_folder(folder.path, "meter-1", os.urandom)) as store:
            for key, least in answered.items():
                found = store.get("standing", key)
                assert found is not None
                assert found == store.get("copy", key)
                assert least <= int(found) <= least + 1
    assert len(answered) == KILLS


def change(folder: BoxFolder, *statements: str) -> None:
    """As staff does it, who have the file and SQLite."""
    with closing(sqlite3.connect(folder.path / FILE)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


BEFORE = "CREATE TABLE before AS SELECT * FROM rows"
PUT_BACK = "INSERT OR REPLACE INTO rows SELECT * FROM before WHERE key = x'41'"

CHANGES = {
    "a bit of a row": "UPDATE rows SET sealed = CAST(x'00' || substr(sealed, 2) AS BLOB) WHERE key = x'41'",
    "a row under another key": "UPDATE rows SET key = x'43' WHERE key = x'41'",
    "a row in another table": "UPDATE rows SET name = 'seen' WHERE key = x'41'",
    "a row of another": "UPDATE rows SET sealed = (SELECT sealed FROM rows WHERE key = x'42') WHERE key = x'41'",
    "a row deleted": "DELETE FROM rows WHERE key = x'41'",
    "all rows deleted": "DELETE FROM rows",
    "a row put back as it was": PUT_BACK,
    "a row that was copied": "INSERT INTO rows SELECT name, x'44', sealed FROM rows WHERE key = x'41'",
    "an empty row": "UPDATE rows SET sealed = x'' WHERE key = x'41'",
    "the sum deleted": "DELETE FROM sums",
    "the sum changed": "UPDATE sums SET sealed = CAST(x'00' || substr(sealed, 2) AS BLOB)",
    "the sum put back as it was": "UPDATE sums SET sealed = (SELECT sealed FROM sums_before)",
}


async def written(folder: BoxFolder) -> None:
    """Two meters, of which one was used twice; staff kept what was there in between."""
    with open_store(folder) as store:
        await store.put_all([Row("standing", b"A", b"1"), Row("standing", b"B", b"1")])
    change(folder, BEFORE, "CREATE TABLE sums_before AS SELECT * FROM sums")
    with open_store(folder) as store:
        await store.put_all([Row("standing", b"A", b"2")])


@pytest.mark.parametrize("statement", CHANGES.values(), ids=CHANGES)
async def test_a_row_that_was_changed_deleted_or_put_back_is_found_at_the_start(
    folder: BoxFolder, statement: str
) -> None:
    await written(folder)
    change(folder, statement)
    with pytest.raises(TamperedError):
        open_store(folder)
    assert not (folder.path / HARDWARE_KEY).exists()


async def test_a_row_that_was_changed_under_a_running_box_is_found_when_it_is_read(folder: BoxFolder) -> None:
    await written(folder)
    with open_store(folder) as store:
        change(folder, CHANGES["a row of another"])
        with pytest.raises(TamperedError):
            store.get("standing", b"A")
        with pytest.raises(TamperedError):
            store.get("standing", b"B")
        with pytest.raises(TamperedError):
            await store.put_all([Row("standing", b"B", b"2")])


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])


def scribble(path: Path) -> None:
    octets = bytearray(path.read_bytes())
    octets[:16] = bytes(16)
    path.write_bytes(octets)


def tear_a_page(path: Path) -> None:
    octets = bytearray(path.read_bytes())
    octets[4096:4200] = os.urandom(104)
    path.write_bytes(octets)


@pytest.mark.parametrize("damage", [Path.unlink, cut, scribble, tear_a_page])
async def test_a_file_that_is_no_store_any_more_is_found(folder: BoxFolder, damage: Callable[[Path], None]) -> None:
    await written(folder)
    damage(folder.path / FILE)
    with pytest.raises(TamperedError):
        open_store(open_folder(folder.path, "meter-1", os.urandom))
    assert not (folder.path / HARDWARE_KEY).exists()


async def test_the_store_of_another_box_is_found(folder: BoxFolder, tmp_path: Path) -> None:
    await written(folder)
    other = create_folder(tmp_path / "meter-2", "meter-2", os.urandom)
    await written(other)
    (folder.path / FILE).write_bytes((other.path / FILE).read_bytes())
    with pytest.raises(TamperedError):
        open_store(open_folder(folder.path, "meter-1", os.urandom))
