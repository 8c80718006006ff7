"""Warning records (M20, M22): what only staff, or a wrong clock, can have brought about."""

from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

import structlog

from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.bus.passes import Kind
from fob_office.centre.clocks import ahead_of
from fob_office.centre.function.held import Held
from fob_office.centre.function.peers import Peers
from fob_office.centre.function.refusing import ALARMING
from fob_office.centre.function.said import Said
from fob_office.centre.warning import warning_of
from fob_office.centre.words import Word
from fob_protocol.cose.errors import CoseError
from fob_protocol.office.errors import OfficeError

log = structlog.get_logger(__name__)

ResultT = TypeVar("ResultT")


class Warnings:
    """Of one function server."""

    def __init__(self, peers: Peers, clock: Callable[[], int]) -> None:
        self._peers = peers
        self._clock = clock
        self._said = Said()

    async def warn(self, serial: str, error: BusRefusedError) -> None:
        """Where a refusal says that somebody is at work."""
        if error.word not in ALARMING:
            return
        log.critical("tampering", serial=serial, word=error.word, why=error.why, clause="M22")
        await self._record(error.word, serial, error.why)

    async def warn_once(self, serial: str, error: BusRefusedError) -> None:
        """The same, of what lasts."""
        if self._said.is_new((serial, error.word), error.why):
            await self.warn(serial, error)

    async def telling(self, serial: str, doing: Coroutine[Any, Any, ResultT]) -> ResultT:
        """What comes of it; the centre is warned of what was found, whatever was asked for."""
        try:
            return await doing
        except BusRefusedError as error:
            await self.warn(serial, error)
            raise

    def over(self, serial: str) -> None:
        """Whatever was found of this meter: found again it is said again."""
        for word in ALARMING:
            self._said.forget((serial, word))

    async def say_clocks(self, held: Held) -> None:
        """A box took these records, though they say what has not come yet: no crime. Once for each such time."""
        now = self._clock()
        ahead = ahead_of(held.record, now)
        with suppress(CoseError, OfficeError):
            ahead = ahead or ahead_of(held.mailer, now)
        if ahead is None or not self._said.is_new(ahead, ""):
            return
        serial = held.record.serial
        why = f"a clock was ahead when a record of {serial} was made, or is behind now: {ahead}"
        log.warning("a clock was ahead", serial=serial, why=why, clause="M11")
        await self._record(Word.CLOCK, serial, why)

    async def _record(self, word: str, serial: str, why: str) -> None:
        try:
            await self._peers.any(Kind.DATABASE, warning_of(word, serial, why, self._clock()))
        except BusRefusedError as unheard:
            log.error("a warning is not recorded", serial=serial, why=unheard.why)
