"""Batches in a meter's file, with the pieces that are still to be franked."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from fob_daemon.metering.jobs import Job
from fob_daemon.metering.kept.file import StoreFile
from fob_daemon.metering.kept.forgetting import forget
from fob_daemon.metering.limits import JOB_LIMIT
from fob_daemon.metering.views import MeterState, Piece

_JOB: Final = """
SELECT jobs.job, command, began, total, closed, coalesce(sum(count), 0), coalesce(sum(amount), 0), jobs.serial,
    value_kind
FROM jobs LEFT JOIN orders ON orders.job = jobs.job AND standing > 1
"""


class NotOpenError(Exception):
    """Pieces are for a batch that is not being written."""


class JobRows:
    """Methods raise what those of StoreFile do."""

    def __init__(self, file: StoreFile) -> None:
        self._file = file

    def begin(self, command: str, now: int, meter: MeterState) -> int:
        """A batch of this meter, without pieces yet. Those of which nothing was franked are forgotten, with theirs."""
        with self._file.changing() as database:
            forget(database)
            cursor = database.execute(
                "INSERT INTO jobs (command, began, total, serial, value_kind) VALUES (?, ?, 0, ?, ?)",
                (command, now, meter.serial, meter.value_kind),
            )
            return int(cursor.lastrowid or 0)

    def add(self, job: int, pieces: Sequence[Piece]) -> int:
        """How many it has now. Raises ValueError for more than JOB_LIMIT, NotOpenError."""
        with self._file.changing() as database:
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

    def one(self, number: int) -> Job | None:
        """A batch."""
        found = self._file.row(f"{_JOB} WHERE jobs.job = ? GROUP BY jobs.job", number)
        return _job(found) if found else None

    def newest(self, limit: int) -> list[Job]:
        """The newest first."""
        return [_job(row) for row in self._file.rows(f"{_JOB} GROUP BY jobs.job ORDER BY jobs.job DESC LIMIT ?", limit)]

    def close(self, job: int) -> None:
        """What is not franked of it never will be."""
        with self._file.changing() as database:
            database.execute("UPDATE jobs SET closed = 1 WHERE job = ?", (job,))
            database.execute("DELETE FROM pieces WHERE job = ?", (job,))

    def waiting(self, job: int, limit: int) -> list[tuple[int, Piece]]:
        """The next pieces without indicia, each with its place."""
        rows = self._file.rows("SELECT place, piece FROM pieces WHERE job = ? ORDER BY place LIMIT ?", job, limit)
        return [(place, Piece(**json.loads(piece))) for place, piece in rows]

    def value_kind(self, serial: str) -> str:
        """Of a meter, as a batch of it says; empty for one that has none here."""
        found = self._file.row("SELECT value_kind FROM jobs WHERE serial = ? ORDER BY job DESC", serial)
        return str(found[0]) if found else ""


def _job(row: Any) -> Job:
    number, command, began, total, closed, done, amount, serial, value_kind = row
    return Job(number, command, began, total, done, amount, bool(closed), serial, value_kind)
