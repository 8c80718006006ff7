"""What a frank asks of the database and nothing else: a bare transaction of the same shape; and what grouping gains."""

import asyncio
import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

from sqlalchemy import Connection, bindparam, event, insert, select, update

from fob_office.centre.commands.database import Fetch
from fob_office.centre.database.keeping import Keeper, open_keeper
from fob_office.centre.database.leaves import leaf
from fob_office.centre.database.prepared import Prepared, Row
from fob_office.centre.database.reading import fetch
from fob_office.centre.database.tables import ENTRIES, JOURNAL, LOG_HEADS, METERS, TRANSACTIONS
from fob_office.database.session import Database
from fob_protocol.metering.log.entry import Kind
from meter_crowd import Run
from meter_fill import serial_of
from process_meter import family_cpu_seconds

_HEAD: Final = select(LOG_HEADS.c.size, LOG_HEADS.c.hashes).where(LOG_HEADS.c.id == 1).with_for_update()
_MOVE: Final = update(LOG_HEADS).where(LOG_HEADS.c.id == 1).values(size=bindparam("new"), hashes=bindparam("parts"))
_METER: Final = (
    update(METERS)
    .where(METERS.c.serial == bindparam("key"))
    .values(record=bindparam("new_record"), counter=bindparam("new_counter"))
)
_NEWEST: Final = select(ENTRIES.c.content).order_by(ENTRIES.c.number.desc()).limit(2)
_ANSWER: Final = select(JOURNAL.c.answer).order_by(JOURNAL.c.time.desc()).limit(1)


@dataclass(frozen=True)
class Shape:
    """Octets of what the data centre stored last: the answer in the journal, the transaction record, the meter's."""

    answer: int
    transaction: int
    record: int


def shape_of(url: str) -> Shape:
    """Of the newest frank."""
    with open_keeper(url) as keeper, keeper.database.read() as session:
        connection = session.connection()
        record, transaction = connection.scalars(_NEWEST).all()
        answer = connection.scalars(_ANSWER).one()
    return Shape(len(answer), len(transaction), len(record))


class Bare:
    """Over one engine, opened as the database server opens it; `close` it."""

    def __init__(self, url: str, shape: Shape, database_pid: int) -> None:
        """`database_pid`: whose processor time counts too; 0 for SQLite."""
        self._database_pid = database_pid
        self._keeper = open_keeper(url)
        self._shape = shape
        # After all that an earlier one wrote in the same database.
        self._counters = count(time.monotonic_ns())

    def close(self) -> None:
        """Give the connections back."""
        self._keeper.close()

    def measure(self, at_once: int, times: int) -> Run:
        """So many transactions, by so many threads, each for a meter of its own."""
        run = Run()
        share = max(1, times // at_once)
        before = self._cpu_seconds()
        began = time.perf_counter()
        with ThreadPoolExecutor(at_once) as pool:
            for seconds in pool.map(lambda number: self._work(serial_of(number), share), range(at_once)):
                run.seconds += seconds
        run.took = time.perf_counter() - began
        run.cpu = {"bare": self._cpu_seconds() - before}
        return run

    def _cpu_seconds(self) -> float:
        return time.process_time() + (family_cpu_seconds(self._database_pid) if self._database_pid else 0.0)

    def _work(self, serial: str, times: int) -> list[float]:
        seconds = []
        for _ in range(times):
            began = time.perf_counter()
            self._transact(self._keeper.database, serial)
            seconds.append(time.perf_counter() - began)
        return seconds

    def _transact(self, database: Database, serial: str) -> None:
        request = os.urandom(16)
        with database.read() as session:
            fetch(session.connection(), Fetch(request, serial))
        with database.write() as session:
            self._write(session.connection(), serial, request, next(self._counters))

    def _write(self, connection: Connection, serial: str, request: bytes, counter: int) -> None:
        """The six statements of a Store."""
        shape = self._shape
        size, hashes = connection.execute(_HEAD).one()
        done = {"id": request, "request": bytes(32), "answer": bytes(shape.answer), "time": 1}
        connection.execute(insert(JOURNAL), [done])
        meter = {"key": serial, "new_record": bytes(shape.record), "new_counter": counter}
        connection.execute(_METER, [meter])
        connection.execute(insert(TRANSACTIONS), [{"serial": serial, "counter": counter, "entry": size}])
        entries: list[dict[str, Any]] = [
            {"number": size + place, "kind": place + 1, "hashes": bytes(64), "content": bytes(octets)}
            for place, octets in enumerate((shape.transaction, shape.record))
        ]
        connection.execute(insert(ENTRIES), entries)
        connection.execute(_MOVE, {"new": size + 2, "parts": hashes})


def group_gain(url: str, flush: float, group: int, alone: int, groups: int) -> tuple[float, float]:
    """Stores a second, one after another and `group` at once, where each commit takes so many seconds more."""
    with open_keeper(url) as keeper:

        @event.listens_for(keeper.database.engine, "commit")
        def commits(_: Connection) -> None:
            time.sleep(flush)

        stores = [_prepared(number) for number in range(alone + group * groups)]
        return asyncio.run(_compare(keeper, stores[:alone], stores[alone:], group))


async def _compare(
    keeper: Keeper, alone: Sequence[Prepared], together: Sequence[Prepared], group: int
) -> tuple[float, float]:
    began = time.perf_counter()
    for store in alone:
        await keeper.store(store)
    between = time.perf_counter()
    for first in range(0, len(together), group):
        await asyncio.gather(*map(keeper.store, together[first : first + group]))
    return len(alone) / (between - began), len(together) / (time.perf_counter() - between)


def _prepared(number: int) -> Prepared:
    """A frank of a meter of its own that was filled in."""
    serial = serial_of(number)
    meter: Row = {
        "key": serial, "before": 2, "account": bytes(16), "record": bytes(330), "counter": 3, "funds": 1,
    }  # fmt: skip
    leaves = leaf(Kind.TRANSACTION_RECORD, os.urandom(440)), leaf(Kind.METER_RECORD, os.urandom(330))
    journal: Row = {"id": os.urandom(16), "request": bytes(32), "answer": bytes(620), "time": 1}
    return Prepared(journal, meter, None, {"serial": serial, "counter": 3}, (), None, leaves)
