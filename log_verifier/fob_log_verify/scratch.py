"""What is kept while a log is read, in a file that SQLite makes and removes itself: there may be more than memory."""

import sqlite3
from types import TracebackType
from typing import Any, Self

from fob_log_verify.errors import UnreadableError


class Scratch:
    """`what` it keeps, for people who hear that it cannot, and in which tables."""

    def __init__(self, what: str, *tables: str) -> None:
        """Raises UnreadableError."""
        self._what = what
        # Without a name: for as long as it is open, spilled to the folder for temporary files when it has grown.
        self._base = sqlite3.connect("", isolation_level=None)
        try:
            for statement in ("PRAGMA journal_mode = OFF", "PRAGMA synchronous = OFF", *tables, "BEGIN"):
                self._base.execute(statement)
        except sqlite3.Error as error:
            self._base.close()
            raise self._unkept(error) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._base.close()

    def _row(self, statement: str, *values: Any) -> Any:
        """The first row that it gives, or None. Raises UnreadableError."""
        try:
            return self._base.execute(statement, values).fetchone()
        except sqlite3.Error as error:
            raise self._unkept(error) from None

    def _unkept(self, error: sqlite3.Error) -> UnreadableError:
        return UnreadableError(
            f"{self._what} cannot be kept for a moment", str(error), "SQLITE_TMPDIR=FOLDER fob-log-verify LOG"
        )
