"""The unit of work: what is read is one state, what is written is written whole or not at all."""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session

from fob_office.database.engine import SQLITE, WRITES

# What a database says when it cannot now: busy, full, away, or two transactions in each other's way. Another try is
# safe, since every question is safe to repeat.
CANNOT_NOW: Final = (OperationalError, InterfaceError, PoolTimeoutError)


class Database:
    """Sessions over one engine; may be shared by threads. Nothing in a session waits for the network.

    A rule that has to hold whoever else writes is a constraint or a conditional UPDATE: with PostgreSQL two
    transactions write at the same time, and what was read before may have changed.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._is_sqlite = engine.dialect.name == SQLITE
        reads = {} if self._is_sqlite else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        self._reading = engine.execution_options(**reads)
        self._writing = engine.execution_options(**{WRITES: True})
        # SQLite's own waiting is by polls, in no order; threads of one process take turns here instead.
        self._turn: AbstractContextManager[object] = threading.Lock() if self._is_sqlite else nullcontext()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Everything in it sees one state of the database."""
        with Session(self._reading, autoflush=False, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Committed at its end, and rolled back when an exception leaves it."""
        with self._turn, Session(self._writing, expire_on_commit=False) as session, session.begin():
            # SQLite's lock is taken before anything is read.
            session.connection()
            yield session

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()
