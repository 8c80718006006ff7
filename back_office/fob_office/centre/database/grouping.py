"""What is waiting for a database goes into one transaction of it: one commit makes all of it durable."""

import asyncio
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.database.limits import GROUP_LIMIT, WAITING_LIMIT
from fob_office.centre.words import Word
from fob_office.database.engine import PRIMARY_CODE
from fob_office.database.session import CANNOT_NOW

log = structlog.get_logger(__name__)

JobT = TypeVar("JobT")

# What a job gives: a value, or why it has none.
Outcome = Any
_Begin = Callable[[], AbstractContextManager[Session]]


def alone(connection: Connection, work: Callable[[Connection], Any], refused: type[Exception]) -> Outcome:
    """One job of a group; what it wrote and refused then is taken back, and the others are not."""
    try:
        with connection.begin_nested():
            return work(connection)
    except refused as error:
        return error


@dataclass(frozen=True, slots=True)
class _Waiting(Generic[JobT]):
    job: JobT
    answer: asyncio.Future[Outcome]
    loop: asyncio.AbstractEventLoop


class Group(Generic[JobT]):
    """Threads that take all jobs that wait, do them in one transaction, and answer after its commit.

    `begin`: Database.read or Database.write. `perform` gives an outcome for each job, in their order; one that is an
    exception is raised where the job came from, and none of them undoes what another did. When it raises itself the
    transaction is undone, and each job gets one of its own.
    """

    def __init__(
        self, begin: _Begin, perform: Callable[[Connection, Sequence[JobT]], Sequence[Outcome]], threads: int = 1
    ) -> None:
        self._begin = begin
        self._perform = perform
        self._queue: deque[_Waiting[JobT]] = deque()
        self._changed = threading.Condition()
        self._is_closed = False
        self._threads: Final = tuple(threading.Thread(target=self._work, daemon=True) for _ in range(threads))
        for thread in self._threads:
            thread.start()

    async def do(self, job: JobT) -> Outcome:
        """Its outcome, once it is durable. Raises BusRefusedError UNAVAILABLE: nothing is known of it."""
        loop = asyncio.get_running_loop()
        waiting = _Waiting(job, loop.create_future(), loop)
        with self._changed:
            if self._is_closed or len(self._queue) >= WAITING_LIMIT:
                raise _unavailable("the database has too much to do")
            self._queue.append(waiting)
            self._changed.notify()
        return await waiting.answer

    def close(self) -> None:
        """What waits is done first."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while group := self._take():
            outcomes = self._commit([waiting.job for waiting in group])
            _deliver(group, outcomes)

    def _take(self) -> list[_Waiting[JobT]]:
        """All that waits; nothing is the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._is_closed)
            return [self._queue.popleft() for _ in range(min(len(self._queue), GROUP_LIMIT))]

    def _commit(self, jobs: Sequence[JobT]) -> Sequence[Outcome]:
        try:
            with self._begin() as session:
                return self._perform(session.connection(), jobs)
        except Exception as error:
            if isinstance(error, CANNOT_NOW) and not _is_statements(error):
                log.error("the database cannot now", why=" ".join(str(error.args[0]).split()))
                return [_unavailable("the database cannot now")] * len(jobs)
            # One of them is at fault: it alone hears of it.
            return [_at_fault(error)] if len(jobs) == 1 else [one for job in jobs for one in self._commit([job])]


def _is_statements(error: Exception) -> bool:
    """SQLite calls a table that is not there operational too."""
    code = getattr(getattr(error, "orig", None), "sqlite_errorcode", None)
    return code is not None and code & PRIMARY_CODE == sqlite3.SQLITE_ERROR


def _at_fault(error: Exception) -> Exception:
    """Without the database's own words: they may hold what was asked."""
    if not isinstance(error, SQLAlchemyError):
        return error
    log.error("the database refuses a statement", error=type(error).__name__)
    return BusRefusedError(Word.DAMAGED, "the tables are not as this program made them")


def _unavailable(why: str) -> BusRefusedError:
    return BusRefusedError(Word.UNAVAILABLE, why)


def _deliver(group: Sequence[_Waiting[Any]], outcomes: Sequence[Outcome]) -> None:
    """One call for each event loop, however many wait there."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Outcome], Outcome]]] = {}
    for waiting, outcome in zip(group, outcomes, strict=True):
        by_loop.setdefault(waiting.loop, []).append((waiting.answer, outcome))
    for loop, answers in by_loop.items():
        try:
            loop.call_soon_threadsafe(_answer, answers)
        except RuntimeError:
            # The loop ended meanwhile, and with it everybody who waits there.
            log.info("nobody waits any more", answers=len(answers))


def _answer(answers: Sequence[tuple[asyncio.Future[Outcome], Outcome]]) -> None:
    for future, outcome in answers:
        if future.done():
            continue
        if isinstance(outcome, BaseException):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)
