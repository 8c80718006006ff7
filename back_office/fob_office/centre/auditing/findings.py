"""What does not fit: in which table, row and column, what the log says, and what stands there."""

from dataclasses import dataclass, field
from typing import Final

from fob_office.centre.commands.database import Cell
from fob_protocol.office.hashing import digest

# What is told; the rest is counted.
FINDINGS_LIMIT: Final = 1000
NOTHING: Final = "nothing"
ROW: Final = "a row"
_HASH: Final = b"H"
_SHORT: Final = 32
_TEXT_LIMIT: Final = 80


@dataclass(frozen=True, slots=True)
class Finding:
    """`column` is empty where it is about the whole row."""

    table: str
    key: str
    column: str
    log: str
    there: str


@dataclass(slots=True)
class Findings:
    """The first ones, and how many there are."""

    shown: list[Finding] = field(default_factory=list)
    count: int = 0

    def add(self, table: str, key: object, column: str, log: str, there: str) -> None:
        """One more; `key` as people read it."""
        self.count += 1
        if len(self.shown) < FINDINGS_LIMIT:
            self.shown.append(Finding(table, str(key), column, log, there))


def short(cell: Cell) -> Cell:
    """As it is kept and compared: of more than 32 octets H, behind a mark."""
    return _HASH + digest(cell) if isinstance(cell, bytes) and len(cell) > _SHORT else cell


def cell_in_words(cell: Cell) -> str:
    """For people, as it stands in a table: octets in hexadecimal, of more than 32 their H."""
    return in_words(short(cell))


def in_words(kept: Cell) -> str:
    """The same of what was made `short` before."""
    if isinstance(kept, bytes):
        return f"H {kept[1:].hex()}" if len(kept) > _SHORT else kept.hex() or "no octets"
    return NOTHING if kept is None else str(kept)[:_TEXT_LIMIT]


def key_in_words(key: tuple[Cell, ...]) -> str:
    """Of a row."""
    return " ".join(map(cell_in_words, key))
