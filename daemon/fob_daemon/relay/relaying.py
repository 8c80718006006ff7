"""One device's questions, one after the other: asked for, posted, and told what became of them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import structlog

from fob_daemon.device.background import Background
from fob_daemon.relay.limits import AFTER_FAILURE, RELAY_BURST, RELAY_RATE
from fob_daemon.relay.outcome import Office, Outcome
from fob_daemon.relay.pacing import Bucket
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.relay import RelayStatus, Waiting

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class RelayCommands(Protocol):
    """What the relay asks of a device; each raises CkrError."""

    async def waiting(self) -> Waiting | None:
        """The question that is to be relayed."""

    async def relayed(
        self, number: int, status: RelayStatus, answer: bytes | None, seconds: int | None
    ) -> Waiting | None:
        """What became of one; the one that is next."""


@dataclass(frozen=True, slots=True)
class Carried:
    """A question that was posted, or could not be: what became of it, and how many `seconds` that took."""

    waiting: Waiting
    outcome: Outcome
    seconds: float


@dataclass(frozen=True, slots=True)
class Counts:
    """Since the daemon started."""

    carried: int = 0
    failed: int = 0


class DeviceRelay:
    """At most one question of its device is under way. Whatever breaks, the device asks again, and loses nothing."""

    def __init__(self, device: RelayCommands, office: Office, tell: Callable[[Carried], None]) -> None:
        self.last: Carried | None = None
        self.counts = Counts()
        self.current: Waiting | None = None
        self._device = device
        self._office = office
        self._tell = tell
        self._background = Background()
        self._bucket = Bucket(RELAY_BURST, RELAY_RATE)
        self._is_wanted = self._is_running = False
        self._announced: Waiting | None = None

    def wake(self, announced: Waiting | None = None) -> None:
        """The device says that a question waits, and perhaps which one."""
        self._announced = announced or self._announced
        self._is_wanted = True
        if not self._is_running:
            self._is_running = True
            self._background.run("relay", self._run)

    async def idle(self) -> None:
        """Wait until no question is under way."""
        await self._background.idle()

    async def close(self) -> None:
        """The device was unpaired or the daemon ends: what is under way is dropped, and asked again by the device."""
        await self._background.close()

    async def _run(self) -> None:
        try:
            while self._is_wanted:
                self._is_wanted = False
                await self._run_once()
        finally:
            self._is_running = False

    async def _run_once(self) -> None:
        """Raises CkrError, unless the device said again that it has a question: in a new session, say."""
        try:
            await self._carry_all()
        except CkrError:
            if not self._is_wanted:
                raise

    async def _carry_all(self) -> None:
        await self._pace()
        waiting, self._announced = self._announced, None
        if waiting is None:
            waiting = await self._device.waiting()
        while waiting is not None:
            outcome = await self._carry(waiting)
            await self._pace()
            following = await self._device.relayed(waiting.number, outcome.status, outcome.answer, outcome.seconds)
            if following is not None and outcome.status is not RelayStatus.ANSWERED:
                await asyncio.sleep(AFTER_FAILURE)
            waiting = following

    async def _carry(self, waiting: Waiting) -> Outcome:
        clock = asyncio.get_running_loop().time
        began = clock()
        self.current = waiting
        try:
            outcome = await self._office.post(waiting.service, waiting.question)
        finally:
            self.current = None
        is_failed = outcome.status is not RelayStatus.ANSWERED
        self.counts = Counts(self.counts.carried + 1, self.counts.failed + is_failed)
        self.last = Carried(waiting, outcome, clock() - began)
        if is_failed:
            _log.info("relay.failed", service=waiting.service, status=outcome.status.name, why=outcome.why)
        self._tell(self.last)
        return outcome

    async def _pace(self) -> None:
        await asyncio.sleep(self._bucket.take(asyncio.get_running_loop().time()))
