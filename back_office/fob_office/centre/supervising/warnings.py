"""Warnings of the supervisor, which stand in the log as those of all others do (M22)."""

from collections.abc import Callable
from typing import Final

import structlog

from fob_office.centre.bus.asking import Links
from fob_office.centre.commands.database import Warn
from fob_office.centre.next_step import with_next
from fob_office.centre.supervising.limits import LOOK_TIME
from fob_office.centre.warning import tell_database, warning_of
from fob_office.centre.words import Word

log = structlog.get_logger(__name__)

# They are few; what a database that is away for ever is not told, the log of the process has.
_LIMIT: Final = 64


class Warnings:
    """Each is said once, to whichever database server answers first, and again until one does."""

    def __init__(self, links: Links, clock: Callable[[], int]) -> None:
        self._links = links
        self._clock = clock
        self._waiting: list[Warn] = []

    def add(self, why: str, command: str) -> None:
        """What is wrong, and which command of `fob-office centre` helps."""
        log.critical("a warning", why=why, next=command)
        if len(self._waiting) < _LIMIT:
            self._waiting.append(warning_of(Word.TAMPERING, "", with_next(why, command), self._clock()))

    async def send(self) -> None:
        """Those that were not taken yet."""
        while self._waiting and await tell_database(self._links, self._waiting[0], LOOK_TIME):
            self._waiting.pop(0)
