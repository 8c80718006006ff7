"""What a box has to know again after it was killed: a table by keys, on the disk before anybody is answered.

One thread writes; all that wait share one commit (group commit).
"""

import asyncio
import queue
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar

from fob_office.centre.boxes.errors import TamperedError
from fob_office.centre.boxes.folder import BoxFolder
from fob_office.centre.boxes.rows import Row, Rows
from fob_office.centre.limits import COMMIT_GROUP_LIMIT, STORE_CACHE

FILE: Final = "store.db"

# What SQLite says of a file that others than SQLite have written.
_NO_DATABASE: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

T = TypeVar("T")


class StoreError(Exception):
    """Nothing of it was written: the disk is full, or does not answer."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    """Rows to write, and who waits for them."""

    rows: tuple[Row, ...]
    written: "asyncio.Future[None]"


class Store:
    """The store of one box, used by one event loop. Use `open_store`; a context manager that closes it."""

    def __init__(self, folder: BoxFolder, path: Path, cache: int) -> None:
        self._folder = folder
        self._path = path
        self._cache: OrderedDict[tuple[str, bytes], bytes] = OrderedDict()
        self._cache_size = cache
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._writing = self._guarded(lambda: _connect(path))
        self._reading = self._guarded(lambda: _connect(path))
        self._is_closed = False
        self._writer = Rows(folder, path.name, self._writing)
        self._reader = Rows(folder, path.name, self._reading)
        self._thread = threading.Thread(target=self._write, name=f"store of {folder.name}", daemon=True)

    def begin(self, *, is_new: bool) -> None:
        """Check all rows, and start to write. Raises TamperedError."""
        if is_new:
            self._guarded(self._writer.make)
            self._folder.add(FILE)
        self._guarded(self._writer.check)
        self._thread.start()

    async def put_all(self, rows: Iterable[Row]) -> None:
        """All of them or none, on the disk when this returns; `get` gives them from then on.

        A caller that is cancelled does not know. Raises TamperedError, StoreError.
        """
        self._folder.check()
        if self._is_closed:
            raise StoreError(f"{self._path.name} is closed")
        waiting = _Waiting(tuple(rows), asyncio.get_running_loop().create_future())
        self._queue.put(waiting)
        await waiting.written

    def get(self, table: str, key: bytes) -> bytes | None:
        """What was last put there. Raises TamperedError, StoreError."""
        self._folder.check()
        place = (table, key)
        octets = self._cache.get(place)
        if octets is not None:
            self._cache.move_to_end(place)
            return octets
        octets = self._guarded(lambda: self._reader.get(table, key))
        if octets is not None:
            self._remember(place, octets)
        return octets

    def after(self, table: str, key: bytes, most: int) -> list[Row]:
        """At most so many rows of a table with greater keys, in order: a page. Raises TamperedError, StoreError."""
        self._folder.check()
        return self._guarded(lambda: list(self._reader.after(table, key, most)))

    def close(self) -> None:
        """After what is in hand is written."""
        self._is_closed = True
        self._queue.put(None)
        self._thread.join()
        self._reading.close()
        self._writing.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _write(self) -> None:
        """The writer's thread."""
        while (waiting := self._queue.get()) is not None:
            group, is_last = self._group(waiting)
            error = self._commit(group)
            # A loop that is closed has nobody who waits.
            with suppress(RuntimeError):
                waiting.written.get_loop().call_soon_threadsafe(self._settle, group, error)
            if is_last:
                return

    def _commit(self, group: list[_Waiting]) -> Exception | None:
        """What went wrong is for those who wait, and the thread goes on."""
        try:
            self._guarded(lambda: self._writer.put(row for each in group for row in each.rows))
        except Exception as error:
            return error
        return None

    def _group(self, first: _Waiting) -> tuple[list[_Waiting], bool]:
        """All that wait just now, and whether nothing comes after them."""
        group, size = [first], len(first.rows)
        while size < COMMIT_GROUP_LIMIT:
            try:
                waiting = self._queue.get_nowait()
            except queue.Empty:
                break
            if waiting is None:
                return group, True
            group.append(waiting)
            size += len(waiting.rows)
        return group, False

    def _settle(self, group: list[_Waiting], error: Exception | None) -> None:
        for waiting in group:
            if error is None:
                for row in waiting.rows:
                    self._remember((row.table, row.key), row.octets)
            if waiting.written.done():
                continue
            if error is None:
                waiting.written.set_result(None)
            else:
                waiting.written.set_exception(error)

    def _remember(self, place: tuple[str, bytes], octets: bytes) -> None:
        self._cache[place] = octets
        self._cache.move_to_end(place)
        if len(self._cache) > self._cache_size:
            self._cache.popitem(last=False)

    def _guarded(self, work: Callable[[], T]) -> T:
        """Raises StoreError; TamperedError, having zeroised, when the file is no database any more."""
        try:
            return work()
        except sqlite3.Error as error:
            # Extended codes have the general one in their low octet.
            if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _NO_DATABASE:
                raise StoreError(f"{self._path.name}: {error}") from None
            self._folder.zeroise(f"{self._path.name}: {error}")
            raise TamperedError(self._folder.name) from None


def open_store(folder: BoxFolder, cache: int = STORE_CACHE) -> Store:
    """The store of a box; a new one in a new box. Reads it once: 7 s for a million rows.

    Raises TamperedError, having zeroised: a row was changed, deleted, or put back as it was. The whole file with its
    journal, put back, is found by the box's second and by the log's witnesses. Raises StoreError.
    """
    store = Store(folder, folder.path / FILE, cache)
    store.begin(is_new=not folder.has(FILE))
    return store


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    return connection
