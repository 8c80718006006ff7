"""The phone's history: entries in, a signed chain on the disk, pages and heads out."""

import asyncio
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from fob_device.history.actor import signed
from fob_device.history.end import End, load_end, store_end
from fob_device.history.labels import key_label
from fob_device.history.watchers import Watchers
from fob_device.listeners import Listener
from fob_device.store.database import Database
from fob_device.store.errors import TokenFileError
from fob_device.store.history_rows import (
    HistoryRow,
    count_use,
    drop_records,
    iterate_records,
    newest_records,
    write_record,
)
from fob_device.token.device_root import DeviceRoot
from fob_device.token.limits import SESSION_HANDLE_BASE
from fob_protocol.errors import AtSyntaxError
from fob_protocol.history import head
from fob_protocol.history.entry import Entry, Kind, Outcome
from fob_protocol.history.limits import HISTORY_LIMIT, SALT_SIZE
from fob_protocol.history.record import LogKey, SignedRecord
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError

# Entries of one transaction: requests of every computer at once, and no more than a slow disk writes in a moment.
BATCH: Final = 256

# What a record takes on the line beside its details and its own octets: heads of blocks, commas, the line's end.
LINE_OVERHEAD: Final = 32


@dataclass(frozen=True, slots=True)
class Page:
    """Records as one computer may see them; `next`: where to go on, `is_more`: there is more now."""

    next: int
    is_more: bool
    records: tuple[SignedRecord, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One entry for the phone's own screen; None where somebody altered the phone's file."""

    sequence: int
    entry: Entry | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """An entry that was noted, and whoever waits until it is stored."""

    entry: Entry
    stored: "asyncio.Future[None]"

    def end(self, written: "asyncio.Future[CkrError | None]") -> None:
        """Its transaction is over. A fault of this program leaves nobody waiting."""
        if self.stored.done():
            return
        if written.cancelled() or written.exception() is not None:
            self.stored.cancel()
        elif (refusal := written.result()) is not None:
            self.stored.set_exception(refusal)
        else:
            self.stored.set_result(None)


class History:
    """A Journal. Everything stands in the file: what a transaction does not store never was.

    From any thread: `write`, `page`, `head`, `newest`. On the loop: `note`, `watch`.
    """

    def __init__(self, database: Database, root: DeviceRoot, clock: Callable[[], float]) -> None:
        """`clock` gives seconds since 1970. Raises TokenFileError when the history's end was altered."""
        self._database = database
        self._root = root
        self._clock = clock
        self._key = LogKey(root.log_seed())
        self._boot = database.read(lambda connection: load_end(connection, root)).boots + 1
        self._watchers = Watchers()
        self._waiting: list[Waiting] = []
        self._is_writing = False

    def write(self, connection: sqlite3.Connection, entry: Entry) -> None:
        """See Journal."""
        self._append(connection, [signed(entry)])

    def note(self, entry: Entry) -> "asyncio.Future[None]":
        """See Journal. What is noted while a transaction is under way shares the next one."""
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        # Who does not wait for it does not have to look.
        stored.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._waiting.append(Waiting(signed(entry), stored))
        if not self._is_writing:
            self._write_batch()
        return stored

    def page(self, sequence: int, computer: bytes, octets: int) -> Page:
        """The records from `sequence` on, about `octets` of them and at least one, as this computer may see them."""
        return self._database.read(lambda connection: _page(connection, sequence, computer, octets))

    def head(self, nonce: bytes) -> head.Head:
        """The end, signed for `nonce` (32 octets; ValueError). Raises CkrError DEVICE_ERROR."""
        end = self._database.read(self._end)
        first = max(end.length - HISTORY_LIMIT, 0) + 1
        return head.Head.make(self._key, head.End(first, end.length, end.hash), nonce)

    def newest(self, count: int, before: int | None = None) -> list[Line]:
        """At most `count` entries below sequence `before`, newest first; every computer's, for the phone's person."""
        end = self._database.read(self._end).length + 1
        below = end if before is None else min(before, end)
        rows = self._database.read(lambda connection: newest_records(connection, below, count))
        return [Line(row.sequence, self._genuine(row)) for row in rows]

    def watch(self, listener: Listener) -> Listener:
        """Tell `listener`, on this loop, of every new entry; what comes back ends that."""
        return self._watchers.add(listener)

    def _write_batch(self) -> None:
        """What waits now goes in one transaction, in a thread; a task of its own would be ended with the loop."""
        batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
        self._is_writing = True
        written = asyncio.get_running_loop().run_in_executor(None, self._store, [waiting.entry for waiting in batch])
        written.add_done_callback(lambda done: self._written(batch, done))

    def _written(self, batch: list[Waiting], done: "asyncio.Future[CkrError | None]") -> None:
        self._is_writing = False
        if self._waiting:
            self._write_batch()
        for waiting in batch:
            waiting.end(done)

    def _store(self, entries: list[Entry]) -> CkrError | None:
        """Why not, if they are not stored."""
        try:
            with self._database.transaction() as connection:
                self._append(connection, entries)
        except CkrError as error:
            return CkrError(error.ckr, f"the phone's history cannot be written: {error.reason}")
        return None

    def _append(self, connection: sqlite3.Connection, entries: list[Entry]) -> None:
        end = self._end(connection)
        for entry in entries:
            end = self._append_one(connection, end, entry)
        drop_records(connection, end.length - HISTORY_LIMIT)
        store_end(connection, self._root, end)
        self._watchers.tell()

    def _end(self, connection: sqlite3.Connection) -> End:
        try:
            return load_end(connection, self._root)
        except TokenFileError as error:
            raise CkrError(Ckr.DEVICE_ERROR, str(error)) from None

    def _genuine(self, row: HistoryRow) -> Entry | None:
        record = _record(row)
        return _entry(record) if record.sequence == row.sequence and record.is_signed_by(self._key.public) else None

    def _append_one(self, connection: sqlite3.Connection, end: End, entry: Entry) -> End:
        sequence = end.length + 1
        label = entry.key_label or key_label(connection, entry.key)
        now, uses = max(int(self._clock()), 0), _uses(connection, entry)
        details = replace(entry, time=now, boot=self._boot, uses=uses, key_label=label).to_block()
        salt = self._root.random(SALT_SIZE)
        record = SignedRecord.make(self._key, sequence, end.hash, salt, details)
        write_record(connection, HistoryRow(sequence, record.block, record.signature, salt, details))
        return End(sequence, record.hash, self._boot)


def _uses(connection: sqlite3.Connection, entry: Entry) -> int:
    """Counted for keys that stay. Raises CkrError DEVICE_ERROR where no count can be what the file has."""
    is_use = entry.kind is Kind.USE and entry.outcome is Outcome.APPROVED
    if not is_use or not 0 < entry.key < SESSION_HANDLE_BASE:
        return 0
    uses = count_use(connection, entry.key)
    if uses < 1:
        raise CkrError(Ckr.DEVICE_ERROR, "a key's count of uses was altered")
    return uses


def _page(connection: sqlite3.Connection, sequence: int, computer: bytes, limit: int) -> Page:
    found: list[SignedRecord] = []
    size, following = 0, sequence
    for row in iterate_records(connection, sequence):
        record = _as_seen_by(computer, _record(row))
        size += LINE_OVERHEAD + sum(
            map(len, (record.block, record.signature, record.salt or b"", record.details or b""))
        )
        if found and size > limit:
            return Page(following, True, tuple(found))
        found.append(record)
        following = row.sequence + 1
    return Page(following, False, tuple(found))


def _record(row: HistoryRow) -> SignedRecord:
    return SignedRecord(row.record, row.signature, row.salt, row.details)


def _as_seen_by(computer: bytes, record: SignedRecord) -> SignedRecord:
    """With its details for the computer that it concerns; details that are not its own are nobody's, and shown so."""
    if not record.details_fit():
        return replace(record, details=b"")
    entry = _entry(record)
    return record if entry is not None and entry.computer == computer else record.without_details()


def _entry(record: SignedRecord) -> Entry | None:
    """What a record says, None where its details are not those that were written."""
    if record.details is None or not record.details_fit():
        return None
    try:
        return Entry.from_block(record.details)
    except AtSyntaxError:
        return None
