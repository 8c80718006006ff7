"""What the phone was asked, and what it did."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EntryItem:
    """A row. `tone`: good, bad, warn or nothing; `datetime`: the time for machines."""

    tone: str
    icon: str
    title: str
    words: str
    decision: str
    time: str
    datetime: str


@dataclass(frozen=True, slots=True)
class Day:
    """The entries of a day, newest first."""

    name: str
    entries: Sequence[EntryItem]


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """`older`: where the next page begins, nothing at the end."""

    days: Sequence[Day]
    older: str = ""
    empty: str = "Nothing yet. What this phone is asked, and what became of it, will stand here."
