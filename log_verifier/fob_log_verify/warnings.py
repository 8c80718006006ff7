"""Warnings that the data centre noted in its log: no finding, but whoever reads the log should know of them."""

from dataclasses import dataclass, field

from fob_log_verify.cbor import CborError, read
from fob_log_verify.limits import WARNINGS_LIMIT


@dataclass(frozen=True, slots=True)
class Warned:
    """At an entry's place, from 0: the number that the data centre gave it, and what it says."""

    place: int
    number: int
    word: str
    serial: str
    why: str
    time: int


@dataclass(slots=True)
class Warnings:
    """The first ones, the newest, and how many there are."""

    shown: list[Warned] = field(default_factory=list)
    newest: Warned | None = None
    count: int = 0

    def look_at(self, place: int, note: bytes) -> None:
        """A note of another kind, or one that an office signed, says nothing here."""
        try:
            elements = read(note)
        except CborError:
            return
        match elements:
            case [3, int(number), str(word), str(serial), str(why), int(time)]:
                self._add(Warned(place, number, word, serial, why, time))

    def _add(self, warned: Warned) -> None:
        self.count += 1
        self.newest = warned
        if len(self.shown) < WARNINGS_LIMIT:
            self.shown.append(warned)
