"""The tables as the log says that they are, in a file of SQLite's own: there may be more rows than memory holds."""

import sqlite3
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any, Final, Self

import msgspec

from fob_office.centre.commands.database import Cell
from fob_office.errors import OperatorError

Key = tuple[Cell, ...]
Columns = dict[str, Cell]

_BEGIN: Final = (
    "PRAGMA journal_mode = OFF",
    "PRAGMA synchronous = OFF",
    "CREATE TABLE expected ("
    "name TEXT, key BLOB, columns BLOB, until INTEGER, is_met INTEGER, PRIMARY KEY (name, key)) WITHOUT ROWID",
    "CREATE TABLE doubts (name TEXT, key BLOB, PRIMARY KEY (name, key)) WITHOUT ROWID",
    "BEGIN",
)
_PUT: Final = (
    "INSERT INTO expected VALUES (?, ?, ?, ?, 0) ON CONFLICT DO UPDATE SET columns = excluded.columns, "
    "until = excluded.until"
)
_GET: Final = "SELECT columns FROM expected WHERE name = ? AND key = ?"
_MEET: Final = "UPDATE expected SET is_met = 1 WHERE name = ? AND key = ?"
_DOUBT: Final = "INSERT OR IGNORE INTO doubts VALUES (?, ?)"
_UNMET: Final = (
    "INSERT OR IGNORE INTO doubts SELECT name, key FROM expected "
    "WHERE is_met = 0 AND (until IS NULL OR until > ?) AND name NOT LIKE '%:%'"
)
_IS_OVER: Final = "SELECT until <= ? FROM expected WHERE name = ? AND key = ? AND until IS NOT NULL"
_SOME: Final = "SELECT key FROM doubts WHERE name = ? AND key > ? ORDER BY key LIMIT ?"
_DISPEL: Final = "DELETE FROM doubts WHERE name = ? AND key = ?"

_KEY: Final[msgspec.msgpack.Decoder[Key]] = msgspec.msgpack.Decoder(tuple[Any, ...])
_COLUMNS: Final[msgspec.msgpack.Decoder[Columns]] = msgspec.msgpack.Decoder(dict[str, Any])
_encode: Final = msgspec.msgpack.Encoder().encode


class Expected:
    """Rows by table and primary key; and those in doubt, which are to be looked at once more.

    A name with a colon in it is of no table: what has to be found again while the log is read.
    """

    def __init__(self) -> None:
        # Without a name: for as long as it is open, spilled to the folder for temporary files when it has grown.
        self._base = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        for statement in _BEGIN:
            self._base.execute(statement)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._base.close()
        if isinstance(error, sqlite3.Error):
            where = "SQLITE_TMPDIR=FOLDER fob-office centre audit    (a folder with room)"
            raise OperatorError("the tables were not audited", f"what the log says cannot be kept: {error}", where)

    def put(self, table: str, key: Key, columns: Columns, until: int | None = None) -> None:
        """A row, with columns made `short`, in the place of what was expected under its key.

        It may be missing from a time on.
        """
        self._base.execute(_PUT, (table, _encode(key), _encode(columns), until))

    def get(self, table: str, key: Key) -> Columns | None:
        """As it was put."""
        found = self._base.execute(_GET, (table, _encode(key))).fetchone()
        return None if found is None else _COLUMNS.decode(found[0])

    def is_over(self, table: str, key: Key, now: int) -> bool:
        """Whether a row may be missing by now."""
        return bool((self._base.execute(_IS_OVER, (now, table, _encode(key))).fetchone() or (0,))[0])

    def meet(self, table: str, key: Key) -> None:
        """The row stands there as it should."""
        self._base.execute(_MEET, (table, _encode(key)))

    def count(self) -> int:
        """Rows that are expected."""
        return int(self._base.execute("SELECT COUNT(*) FROM expected WHERE name NOT LIKE '%:%'").fetchone()[0])

    def doubt(self, table: str, key: Key) -> None:
        """Something is wrong with this row, or it was written meanwhile."""
        self._base.execute(_DOUBT, (table, _encode(key)))

    def doubt_unmet(self, now: int) -> None:
        """The same of all that were not met, and may not be missing by now."""
        self._base.execute(_UNMET, (now,))

    def dispel(self, table: str, key: Key) -> None:
        """It is as it should be."""
        self._base.execute(_DISPEL, (table, _encode(key)))

    def doubts(self) -> int:
        """How many there are."""
        return int(self._base.execute("SELECT COUNT(*) FROM doubts").fetchone()[0])

    def doubted(self, table: str, count: int) -> Iterator[Sequence[Key]]:
        """Keys of a table, so many at a time; each may be dispelled meanwhile."""
        after = b""
        while found := self._base.execute(_SOME, (table, after, count)).fetchall():
            yield [_KEY.decode(key) for (key,) in found]
            after = found[-1][0]
