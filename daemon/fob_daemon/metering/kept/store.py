"""What this computer keeps of one device's meter: batches, orders, indicia.

Every change is on the disk when it returns. A file of SQLite, 0600, in the state folder; a power cut at any moment
leaves the state before or after.
"""

import json
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from fob_daemon.metering.jobs import Done, Job, Kept, Kind, Money, Order, Standing
from fob_daemon.metering.limits import JOB_LIMIT
from fob_daemon.metering.views import MeterState, Piece
from fob_daemon.permissions import require_secret
from fob_protocol.metering.transaction import unverified_transaction
from fob_protocol.office.errors import OfficeError

# Of what is in the file; another one is not touched.
_VERSION: Final = 3
# Orders whose transactions are kept, the newest, and the rest of their batches: what is older the data centre still
# tells (`+FOBMETERHISTORY`). A transaction that it tells does not say what of it was given back since, so those refunds
# are kept for ever.
ORDERS_KEPT: Final = 1024
# Layouts and slogans.
_COMPONENTS_KEPT: Final = 8

_TABLES: Final = f"""
BEGIN;
CREATE TABLE jobs (
    job INTEGER PRIMARY KEY AUTOINCREMENT, command TEXT NOT NULL, began INTEGER NOT NULL, total INTEGER NOT NULL,
    closed INTEGER NOT NULL DEFAULT 0, serial TEXT NOT NULL DEFAULT '', value_kind TEXT NOT NULL DEFAULT ''
);
CREATE TABLE pieces (
    job INTEGER NOT NULL, place INTEGER NOT NULL, piece TEXT NOT NULL, PRIMARY KEY (job, place)
) WITHOUT ROWID;
CREATE TABLE orders (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB NOT NULL UNIQUE, kind INTEGER NOT NULL, standing INTEGER NOT NULL,
    job INTEGER, first INTEGER NOT NULL, count INTEGER NOT NULL, money TEXT NOT NULL,
    serial TEXT NOT NULL DEFAULT '', counter INTEGER, amount INTEGER NOT NULL DEFAULT 0,
    time INTEGER NOT NULL DEFAULT 0, record BLOB
);
CREATE INDEX orders_counter ON orders (serial, counter);
CREATE INDEX orders_job ON orders (job);
CREATE TABLE known (one INTEGER PRIMARY KEY CHECK (one = 1), state TEXT NOT NULL);
CREATE TABLE components (id TEXT PRIMARY KEY, version TEXT NOT NULL, content BLOB NOT NULL);
PRAGMA user_version = {_VERSION};
COMMIT;
"""
# Batches of before do not say whose they are.
_JOBS_SAY_WHOSE: Final = """
ALTER TABLE jobs ADD COLUMN serial TEXT NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN value_kind TEXT NOT NULL DEFAULT '';
"""
# Two meters count alike: what an order came to is found by both.
_ORDERS_SAY_WHOSE: Final = """
ALTER TABLE orders ADD COLUMN serial TEXT NOT NULL DEFAULT '';
UPDATE orders SET serial = serial_of(record) WHERE record IS NOT NULL;
DROP INDEX orders_counter;
CREATE INDEX orders_counter ON orders (serial, counter);
"""
# From which version on.
_UPGRADES: Final = {1: _JOBS_SAY_WHOSE + _ORDERS_SAY_WHOSE, 2: _ORDERS_SAY_WHOSE}
_JOB: Final = """
SELECT jobs.job, command, began, total, closed, coalesce(sum(count), 0), coalesce(sum(amount), 0), jobs.serial,
    value_kind
FROM jobs LEFT JOIN orders ON orders.job = jobs.job AND standing > 1
"""
# `money` is what `_money_text` writes: an indicium stands second.
_FORGET: Final = """
WITH newest AS (SELECT max(number) - :kept AS before FROM orders)
DELETE FROM orders WHERE standing = :taken AND number <= (SELECT before FROM newest)
AND NOT (kind = :refund AND json_extract(money, '$[1]') <> '')
AND NOT EXISTS (
    SELECT 1 FROM orders AS later WHERE later.job = orders.job AND later.number > (SELECT before FROM newest)
)
"""


class StoreError(Exception):
    """The file is not what this program wrote; the text says which and why."""


class NotOpenError(Exception):
    """Pieces are for a batch that is not being written."""


class MeterStore:
    """Methods raise OSError, sqlite3.Error, StoreError, PermissionsError. Several threads may use it, one at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._database: sqlite3.Connection | None = None

    @property
    def exists(self) -> bool:
        """Whether anything was ever kept."""
        if self._database is not None:
            return True
        try:
            # What a full disk left is empty.
            return self.path.stat().st_size > 0
        except FileNotFoundError:
            return False

    def close(self) -> None:
        """Nothing more is asked."""
        with self._lock:
            database, self._database = self._database, None
            if database is not None:
                database.close()

    def known(self) -> MeterState | None:
        """What the device told last."""
        found = self._row("SELECT state FROM known")
        return MeterState(**json.loads(found[0])) if found else None

    def keep_known(self, state: MeterState) -> None:
        """Instead of what it told before."""
        with self._changing() as database:
            database.execute("INSERT OR REPLACE INTO known VALUES (1, ?)", (json.dumps(asdict(state)),))

    def begin_job(self, command: str, now: int, meter: MeterState) -> int:
        """A batch of this meter, without pieces yet. Those of which nothing was franked are forgotten, with theirs."""
        with self._changing() as database:
            self._forget(database)
            cursor = database.execute(
                "INSERT INTO jobs (command, began, total, serial, value_kind) VALUES (?, ?, 0, ?, ?)",
                (command, now, meter.serial, meter.value_kind),
            )
            return int(cursor.lastrowid or 0)

    def add_pieces(self, job: int, pieces: Sequence[Piece]) -> int:
        """How many it has now. Raises ValueError for more than JOB_LIMIT, NotOpenError."""
        with self._changing() as database:
            [(total,)] = database.execute(
                "SELECT total FROM jobs WHERE job = ? AND closed = 0 "
                "AND NOT EXISTS (SELECT 1 FROM orders WHERE orders.job = jobs.job)",
                (job,),
            ).fetchall() or [(None,)]
            if total is None:
                raise NotOpenError
            if total + len(pieces) > JOB_LIMIT:
                raise ValueError(f"a batch has at most {JOB_LIMIT:,} pieces")
            rows = [(job, total + place, json.dumps(asdict(piece))) for place, piece in enumerate(pieces)]
            database.executemany("INSERT INTO pieces VALUES (?, ?, ?)", rows)
            database.execute("UPDATE jobs SET total = ? WHERE job = ?", (total + len(pieces), job))
            return int(total) + len(pieces)

    def job(self, number: int) -> Job | None:
        """A batch."""
        found = self._row(f"{_JOB} WHERE jobs.job = ? GROUP BY jobs.job", number)
        return _job(found) if found else None

    def jobs(self, limit: int) -> list[Job]:
        """The newest first."""
        return [_job(row) for row in self._rows(f"{_JOB} GROUP BY jobs.job ORDER BY jobs.job DESC LIMIT ?", limit)]

    def close_job(self, job: int) -> None:
        """What is not franked of it never will be."""
        with self._changing() as database:
            database.execute("UPDATE jobs SET closed = 1 WHERE job = ?", (job,))
            database.execute("DELETE FROM pieces WHERE job = ?", (job,))

    def waiting(self, job: int, limit: int) -> list[tuple[int, Piece]]:
        """The next pieces without indicia, each with its place."""
        rows = self._rows("SELECT place, piece FROM pieces WHERE job = ? ORDER BY place LIMIT ?", job, limit)
        return [(place, Piece(**json.loads(piece))) for place, piece in rows]

    def open_order(self) -> Order | None:
        """The one that is not settled: asked, or done and not taken."""
        found = self._row(
            "SELECT id, kind, standing, job, first, count, money FROM orders WHERE standing < ?", int(Standing.TAKEN)
        )
        if found is None:
            return None
        id_, kind, standing, job, first, count, money = found
        rows = self._rows(
            "SELECT piece FROM pieces WHERE job = ? AND place >= ? AND place < ? ORDER BY place",
            job, first, first + count,
        )  # fmt: skip
        pieces = tuple(Piece(**json.loads(piece)) for (piece,) in rows)
        batch = self.job(job) if job else None
        command, serial = (batch.command, batch.serial) if batch else ("", "")
        return Order(
            bytes(id_), Kind(kind), Standing(standing), job, command, serial, first, pieces, _money(money)
        )  # fmt: skip

    def begin(self, order: Order) -> None:
        """It is going to be asked."""
        with self._changing() as database:
            database.execute(
                "INSERT INTO orders (id, kind, standing, job, first, count, money) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    order.id, int(order.kind), int(Standing.ASKED), order.job, order.first, len(order.pieces),
                    _money_text(order.money),
                ),
            )  # fmt: skip

    def finish(self, order: Order, done: Done, value_kind: str) -> None:
        """What came of it. `value_kind`: as its indicia say, empty for none.

        The addresses of its pieces are not needed any more.
        """
        with self._changing() as database:
            database.execute(
                "UPDATE orders SET standing = ?, serial = ?, counter = ?, amount = ?, time = ?, record = ?, count = ? "
                "WHERE id = ?",
                (
                    int(Standing.DONE), done.serial, done.counter, done.amount, done.time, done.transaction,
                    done.pieces, order.id,
                ),
            )  # fmt: skip
            database.execute(
                "UPDATE jobs SET value_kind = ? WHERE job = ? AND value_kind = ''", (value_kind, order.job)
            )
            last = order.first + len(order.pieces)
            database.execute(
                "DELETE FROM pieces WHERE job = ? AND place >= ? AND place < ?", (order.job, order.first, last)
            )

    def taken(self, order: bytes) -> None:
        """The device keeps it no more."""
        with self._changing() as database:
            database.execute("UPDATE orders SET standing = ? WHERE id = ?", (int(Standing.TAKEN), order))

    def drop(self, order: bytes) -> None:
        """It was never done."""
        with self._changing() as database:
            database.execute("DELETE FROM orders WHERE id = ? AND standing = ?", (order, int(Standing.ASKED)))

    def record(self, serial: str, counter: int) -> bytes | None:
        """A meter's transaction with this counter, as it was signed."""
        found = self._row(
            "SELECT record FROM orders WHERE serial = ? AND counter = ? AND record IS NOT NULL ORDER BY number DESC",
            serial, counter,
        )  # fmt: skip
        return bytes(found[0]) if found else None

    def record_of(self, order: bytes) -> bytes:
        """The transaction that an order came to."""
        return bytes(self._row("SELECT record FROM orders WHERE id = ?", order)[0])

    def kept(self, job: int | None, limit: int, serial: str | None = None) -> list[Kept]:
        """Transactions with indicia, the newest first; of one batch, of one meter, or of all."""
        rows = self._rows(
            "SELECT serial, counter, coalesce(job, 0), count, amount, time FROM orders "
            "WHERE record IS NOT NULL AND count > 0 AND coalesce(?, job) IS job AND coalesce(?, serial) = serial "
            "ORDER BY number DESC LIMIT ?",
            job, serial, limit,
        )  # fmt: skip
        return [Kept(*row) for row in rows]

    def value_kind(self, serial: str) -> str:
        """Of a meter, as a batch of it says; empty for one that has none here."""
        found = self._row("SELECT value_kind FROM jobs WHERE serial = ? ORDER BY job DESC", serial)
        return str(found[0]) if found else ""

    def given_back(self) -> set[bytes]:
        """Indicia that this computer gave back."""
        rows = self._rows("SELECT money FROM orders WHERE kind = ? AND record IS NOT NULL", int(Kind.REFUND))
        return {indicium for (text,) in rows if (indicium := _money(text).indicium) is not None}

    def component(self, id_: str, version: str | None) -> bytes | None:
        """A layout's or slogan's content; of whatever version for None."""
        found = self._row(
            "SELECT content FROM components WHERE id = ? AND coalesce(?, version) = version", id_, version
        )
        return bytes(found[0]) if found else None

    def component_ids(self) -> list[str]:
        """Of those that are kept."""
        return [id_ for (id_,) in self._rows("SELECT id FROM components ORDER BY id")]

    def keep_components(self, found: Sequence[tuple[str, str, bytes]]) -> None:
        """Id, version and content of those that there are now; others are forgotten."""
        with self._changing() as database:
            database.execute("DELETE FROM components")
            database.executemany("INSERT INTO components VALUES (?, ?, ?)", found[:_COMPONENTS_KEPT])

    def _forget(self, database: sqlite3.Connection) -> None:
        """Batches that came to nothing, and what the data centre tells as well: whole batches."""
        database.execute(_FORGET, {"taken": int(Standing.TAKEN), "kept": ORDERS_KEPT, "refund": int(Kind.REFUND)})
        database.execute("DELETE FROM jobs WHERE NOT EXISTS (SELECT 1 FROM orders WHERE orders.job = jobs.job)")
        database.execute("DELETE FROM pieces WHERE job NOT IN (SELECT job FROM jobs)")
        database.execute(
            "UPDATE jobs SET closed = 1 WHERE NOT EXISTS (SELECT 1 FROM pieces WHERE pieces.job = jobs.job)"
        )

    def _row(self, statement: str, *values: object) -> Any:
        rows = self._rows(statement, *values)
        return rows[0] if rows else None

    def _rows(self, statement: str, *values: object) -> list[Any]:
        if not self.exists:
            return []
        with self._lock:
            return self._opened().execute(statement, values).fetchall()

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            database = self._opened()
            database.execute("BEGIN IMMEDIATE")
            try:
                yield database
                database.execute("COMMIT")
            except BaseException:
                # On a full disk SQLite has taken it back already, and would say that instead of why.
                if database.in_transaction:
                    database.execute("ROLLBACK")
                raise

    def _opened(self) -> sqlite3.Connection:
        if self._database is None:
            self._database = _open(self.path)
        return self._database


def _open(path: Path) -> sqlite3.Connection:
    """For this user alone, before anything is in it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        require_secret(path, os.fstat(descriptor))
    finally:
        os.close(descriptor)
    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        # A journal that is gone stays gone after a power cut.
        database.execute("PRAGMA synchronous = EXTRA")
        database.execute("PRAGMA secure_delete = ON")
        [(version,)] = database.execute("PRAGMA user_version").fetchall()
        if version == 0:
            database.executescript(_TABLES)
        elif version in _UPGRADES:
            database.create_function("serial_of", 1, _serial_of, deterministic=True)
            database.executescript(f"BEGIN;{_UPGRADES[version]}PRAGMA user_version = {_VERSION};COMMIT;")
        elif version != _VERSION:
            raise StoreError(f"{path} has version {version}, and this program knows {_VERSION}")
    except BaseException:
        database.close()
        raise
    return database


def _serial_of(record: bytes) -> str:
    """Empty for what cannot be read, which then nobody finds."""
    try:
        return unverified_transaction(record).serial
    except OfficeError:
        return ""


def _job(row: Any) -> Job:
    number, command, began, total, closed, done, amount, serial, value_kind = row
    return Job(number, command, began, total, done, amount, bool(closed), serial, value_kind)


def _money_text(money: Money) -> str:
    return json.dumps([money.amount, (money.indicium or b"").hex(), (money.token or b"").hex()])


def _money(text: str) -> Money:
    amount, indicium, token = json.loads(text)
    return Money(amount, bytes.fromhex(indicium) or None, bytes.fromhex(token) or None)
