"""One line to a device: opened, held ready, in session when it is its turn, and opened again when it ends."""

import asyncio
import shlex
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Protocol, TypeVar

from fob_daemon.link.begin import RefusedError
from fob_daemon.link.data_line import DataLine, open_line_to
from fob_daemon.link.opening import NotADeviceError, VersionError
from fob_daemon.link.presence import Presence
from fob_daemon.link.session import PcSession, SessionLostError
from fob_daemon.link.transport import BondLostError, Line, LineOpener, LineUnavailableError, LineUrl
from fob_daemon.link.turns import Turns
from fob_protocol.at.command import BARE, encode_command
from fob_protocol.limits import KEEPALIVE
from fob_protocol.link.gatt import BOND_LOST_PAUSE
from fob_protocol.session.pace import Pace

# Waits between attempts to connect: quick after a hiccup, gentle with a device that stays away.
BACKOFF: Final = (0.1, 0.2, 0.5, 1.0, 2.0)

# The least that an idle line is left alone: a rest of nanoseconds must not spin.
KEEPALIVE_STEP: Final = 1.0

# A device that hung up is reconnected to at once, on the same line. One that hangs up again within this time is
# treated as any other break, so that whoever writes NO CARRIER on the line does not keep the daemon busy.
HANG_UPS_APART: Final = 1.0

# A device that speaks none of our versions.
UPGRADE: Final = "pip install --upgrade fobd"

T = TypeVar("T")


class State(Enum):
    """What a line, or a device's link as a whole, is doing; the words are for people."""

    CONNECTING = "connecting"
    STANDBY = "standing by"
    READY = "ready"
    AWAY = "away"
    REFUSED = "refused"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Traffic:
    """Octets that crossed, frames that arrived damaged."""

    octets_sent: int = 0
    octets_received: int = 0
    damaged: int = 0

    def __add__(self, other: "Traffic") -> "Traffic":
        return Traffic(
            self.octets_sent + other.octets_sent,
            self.octets_received + other.octets_received,
            self.damaged + other.damaged,
        )


class Sessions(Protocol):
    """Where a line's sessions go: the link manager."""

    async def begin(self, data_line: DataLine) -> PcSession:
        """Handshake. Raises RefusedError, TimeoutError, ConnectionError."""

    def began(self, data_line: DataLine, session: PcSession) -> None:
        """The session serves requests from now on."""

    def ended(self, data_line: DataLine) -> None:
        """It serves none any more."""


class LineKeeper:
    """Keeps one line; `rank` says which line of the device is preferred, 0 first.

    `why` explains any state but READY, and `remedy` is a command that helps, if one is known.
    """

    def __init__(
        self,
        url: LineUrl,
        rank: int,
        opener: LineOpener,
        turns: Turns,
        presence: Presence,
        sessions: Sessions,
        on_change: Callable[[], None],
    ) -> None:
        self.url = url
        self.state = State.CONNECTING
        self.why = ""
        self.remedy = ""
        self._rank = rank
        self._opener = opener
        self._turns = turns
        self._presence = presence
        self._sessions = sessions
        self._on_change = on_change
        self._past = Traffic()
        self._data_line: DataLine | None = None
        self._wake = asyncio.Event()
        self._bond_lost = False

    def traffic(self) -> Traffic:
        """The totals up to now."""
        line = self._data_line
        if line is None:
            return self._past
        return self._past + Traffic(line.line.octets_sent, line.line.octets_received, line.damaged)

    async def run(self) -> None:
        """Open the line and open it again until cancelled."""
        failures = 0
        self._note(State.CONNECTING, "")
        try:
            while True:
                failures = 0 if await self._live_once() else failures + 1
                self._wake.clear()
                backoff = BACKOFF[min(failures, len(BACKOFF) - 1)]
                await self._pause(BOND_LOST_PAUSE if self._bond_lost else backoff)
        finally:
            self.state = State.STOPPED

    def try_now(self) -> None:
        """Do not wait for the next attempt: the line was just plugged in, or the person asked."""
        self._wake.set()

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _live_once(self) -> bool:
        """The line from its opening to its end; True when a session was open. Never raises but when cancelled."""
        self._bond_lost = False
        had_session = False
        try:
            data_line = self._data_line = await open_line_to(self.url, self._opener)
            await data_line.ask(self._answered)
            self._note(State.STANDBY, "")
            await _unless_lost(data_line.line, self._turns.take(self._rank))
            again = True
            while again:
                await data_line.enter(self._answered)
                session = await self._sessions.begin(data_line)
                had_session = True
                again = await self._serve(data_line, session)
        except BondLostError as error:
            self._bond_lost = True
            self._note(State.REFUSED, error.why, error.remedy)
        except RefusedError as error:
            self._note(State.REFUSED, str(error), f"fob pair {shlex.quote(self.url.text)}")
        except VersionError as error:
            self._note(State.REFUSED, str(error), UPGRADE)
        except LineUnavailableError as error:
            self._note(State.AWAY, error.why, error.remedy)
        except (NotADeviceError, ConnectionError, TimeoutError) as error:
            self._note(State.AWAY, str(error))
        finally:
            self._drop_line()
            self._presence.attempt_failed(self._rank)
            self._turns.leave(self._rank)
        return had_session

    async def _serve(self, data_line: DataLine, session: PcSession) -> bool:
        """A session to its end; True when the device hung up and is to be called back at once."""
        began = asyncio.get_running_loop().time()
        self._note(State.READY, "")
        self._sessions.began(data_line, session)
        ends = [
            asyncio.create_task(end)
            for end in (
                data_line.line.lost.wait(),
                session.lost.wait(),
                _keep_alive(session),
                self._give_way(session),
            )
        ]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in ends:
                task.cancel()
            if data_line.line.lost.is_set() or session.lost.is_set():
                session.end()
                self._note(State.AWAY, _why_lost(data_line))
            else:
                session.close()
                self._note(State.CONNECTING, "")
            self._sessions.ended(data_line)
        lasted = asyncio.get_running_loop().time() - began
        return data_line.is_over and not data_line.line.lost.is_set() and lasted >= HANG_UPS_APART

    async def _give_way(self, session: PcSession) -> None:
        """Return when a preferred line is ready and nothing is under way on this one."""
        await self._turns.claimed()
        await session.idle()

    def _answered(self, pace: Pace) -> None:
        self._presence.device_answers(self._rank, pace)

    def _note(self, state: State, why: str, remedy: str = "") -> None:
        if (state, why) != (self.state, self.why):
            self.state, self.why, self.remedy = state, why, remedy
            self._on_change()

    def _drop_line(self) -> None:
        line = self._data_line
        if line is not None:
            line.line.close()
            self._past = self.traffic()
            self._data_line = None


async def _unless_lost(line: Line, wait: Coroutine[Any, Any, T]) -> T:
    """What `wait` gives. Raises ConnectionError when the line ends first."""
    waiting, lost = asyncio.create_task(wait), asyncio.create_task(line.lost.wait())
    try:
        await asyncio.wait((waiting, lost), return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            raise ConnectionError("the line ended")
        return waiting.result()
    finally:
        waiting.cancel()
        lost.cancel()


async def _keep_alive(session: PcSession) -> None:
    """Probe an idle line; a probe without an answer ends the session by itself, as a request does."""
    loop = asyncio.get_running_loop()
    while not session.lost.is_set():
        await session.idle()
        idle = loop.time() - session.last_used
        if idle < KEEPALIVE:
            await asyncio.sleep(max(KEEPALIVE - idle, KEEPALIVE_STEP))
            continue
        try:
            await session.request(encode_command(BARE), is_keepalive=True, may_wait=False)
        except SessionLostError:
            return


def _why_lost(data_line: DataLine) -> str:
    if data_line.line.lost.is_set():
        return "the line ended"
    return "the device hung up" if data_line.is_over else "the device fell silent"
