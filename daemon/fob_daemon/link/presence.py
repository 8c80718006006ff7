"""The session that there is, and how long a request waits for the next one when a link broke."""

import asyncio

from fob_daemon.link.session import PcSession
from fob_protocol.session.pace import RECONNECT_GRACE, Pace


class Presence:
    """Told by the link manager how its attempts go; asked by requests."""

    def __init__(self) -> None:
        self._session: PcSession | None = None
        self._answer_by = float("-inf")
        # For each line whose device answers, when it has to be in a session.
        self._session_by: dict[int, float] = {}
        self._news = asyncio.Event()

    @property
    def session(self) -> PcSession | None:
        """The session, which may have ended a moment ago."""
        return self._session

    def begin(self, session: PcSession) -> None:
        """A session began."""
        self._session = session
        self._session_by.clear()
        self._tell()

    def is_lost(self, pace: Pace, reopening: float = 0.0) -> None:
        """There is no session from now on; one may come soon, on a line that takes `reopening` seconds to be there."""
        self._session = None
        self._answer_by = self._now() + reopening + pace.first_answer_time
        self._tell()

    def device_answers(self, rank: int, pace: Pace) -> None:
        """The attempt of this line has a device at the other end."""
        self._session_by[rank] = self._now() + pace.opening_time
        self._tell()

    def attempt_failed(self, rank: int) -> None:
        """No attempt of this line is under way, whatever a device said."""
        self._session_by.pop(rank, None)
        self._tell()

    async def present(self) -> PcSession:
        """The session, however long it takes to come."""
        while self._session is None:
            await self._news.wait()
        return self._session

    async def soon(self) -> PcSession | None:
        """A session that lives, after a moment's wait for a link that broke just now; None when none comes."""
        while self._session is None or self._session.lost.is_set():
            # One that ended in this very turn of the loop is not noted as lost yet; that comes at once.
            until = self._expected_by() if self._session is None else self._now() + RECONNECT_GRACE
            if until <= self._now() or not await self._has_news(until):
                return None
        return self._session

    def _expected_by(self) -> float:
        return max((self._answer_by, *self._session_by.values()))

    async def _has_news(self, until: float) -> bool:
        try:
            async with asyncio.timeout_at(until):
                await self._news.wait()
        except TimeoutError:
            return False
        return True

    def _tell(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
