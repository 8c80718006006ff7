"""From an open line to data state: wake the device, learn its versions, `AT+FOBOPEN` (docs, sections 1 and 7)."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from fob_daemon.link.transport import Line
from fob_protocol.link.frames import DELIMITER, LEAVE
from fob_protocol.session.pace import Pace
from fob_protocol.versions import SPOKEN, choose

# A device that sleeps or a damaged line: ask again, from the start.
OPEN_TRIES: Final = 4
# More than any device says before it answers.
HEARD_LIMIT: Final = 4096

WAKE: Final = DELIMITER + LEAVE.to_bytes() + DELIMITER + b"\r"
ASK: Final = b"ATE0V1Q0+FOBOPEN=?\r"
VERSIONS: Final = re.compile(rb"\+FOBOPEN: (\([0-9,]{1,32}\))\r\n\r\nOK\r\n")
CONNECTED: Final = re.compile(rb"\r\nCONNECT\r\n")

# Told the line's pace at each sign of a device.
OnAnswer = Callable[[Pace], None]

T = TypeVar("T")


class NotADeviceError(Exception):
    """What answers at this line is no Fob device, or nothing answers."""


class VersionError(Exception):
    """The device speaks none of our versions."""


class Opening:
    """Talks to a device in command state until CONNECT."""

    def __init__(self, on_answer: OnAnswer) -> None:
        self._on_answer = on_answer
        self._heard = bytearray()
        self._news = asyncio.Event()
        # When the versions were first asked for, until they came.
        self._asked_at: float | None = None
        self.versions = b""
        self.version = 0

    def data_received(self, data: bytes) -> None:
        """Take octets of the line."""
        self._heard += data
        del self._heard[:-HEARD_LIMIT]
        self._news.set()

    async def ask(self, line: Line) -> None:
        """Wake the device and learn its versions.

        Raises NotADeviceError, VersionError; ConnectionError when the line ends.
        """
        await self._in_tries(line, self._ask)

    async def open(self, line: Line) -> bytes:
        """Bring the line to data state; returns the octets that came behind CONNECT. Raises as `ask` does."""
        return await self._in_tries(line, self._open)

    async def _in_tries(self, line: Line, step: Callable[[Line], Awaitable[T]]) -> T:
        for _ in range(OPEN_TRIES):
            try:
                return await step(line)
            except TimeoutError:
                if line.lost.is_set():
                    raise ConnectionError("the line ended") from None
        raise NotADeviceError("no Fob device answers at this line")

    async def _ask(self, line: Line) -> None:
        self._heard.clear()
        clock = asyncio.get_running_loop().time
        self._asked_at = clock() if self._asked_at is None else self._asked_at
        line.write(WAKE + ASK)
        # A device that was still in data state says NO CARRIER first.
        self.versions = (await self._expect(line, VERSIONS))[1]
        line.took(clock() - self._asked_at)
        self._asked_at = None
        self._on_answer(line.pace)
        version = choose(self.versions)
        if version is None:
            ours = ", ".join(str(version) for version in SPOKEN)
            raise VersionError(f"the device speaks protocol {self.versions.decode()}, this daemon {ours}")
        self.version = version

    async def _open(self, line: Line) -> bytes:
        if not self.version:
            await self._ask(line)
        # A device that does not connect now is asked again.
        version, self.version = self.version, 0
        self._heard.clear()
        line.write(b"AT+FOBOPEN=%d\r" % version)
        await self._expect(line, CONNECTED)
        self.version = version
        return bytes(self._heard)

    async def _expect(self, line: Line, pattern: re.Pattern[bytes]) -> re.Match[bytes]:
        """The first match in what was heard; it and all before it are taken out. Raises TimeoutError."""
        async with asyncio.timeout(line.pace.command_time):
            while True:
                match = pattern.search(bytes(self._heard))
                if match:
                    del self._heard[: match.end()]
                    return match
                self._news.clear()
                await self._news.wait()
