"""One port of the phone as it lies on the workbench: in reach or not, with its lines."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from fob_device.errors import StartError
from fob_device.line.device_line import DeviceLine
from fob_device.line.pairing import Paired
from fob_device.line.phone_lines import PhoneLines
from fob_device.listeners import Listener
from fob_device.phone import Phone
from fob_device.ports.url import Port, PortLostError
from fob_device.workbench.bench_line import BenchLine
from fob_device.workbench.interference import Interference
from fob_protocol.session.pace import Pace

# Seconds that a port that is gone is left alone before it is tried again.
REOPEN_AFTER: Final = 1.0


@dataclass(frozen=True, slots=True)
class BenchLines(PhoneLines):
    """Lines of a phone as long as it has power and its port is in reach."""

    port: "BenchPort" = field(kw_only=True)
    cut: asyncio.Event = field(kw_only=True)

    @property
    def is_cut(self) -> bool:
        """True when the power is gone, or whoever could hear the phone."""
        return self.cut.is_set()

    def __call__(
        self,
        write: Callable[[bytes], None],
        paired: Paired = lambda pc_key: None,
        close: Callable[[], None] = lambda: None,
        pace: Callable[[], Pace] = Pace,
    ) -> BenchLine:
        """A line in command state, on the workbench."""

        def make_line(write: Callable[[bytes], None]) -> DeviceLine:
            return DeviceLine(self.phone, write, paired, self.over, pace)

        line = BenchLine(make_line, write, close, self.port.interference, self.port.note)
        if self.is_cut:
            line.cut()
        else:
            self.port.note(line)
        return line


class BenchPort:
    """Serves a port whenever the phone is on and the port in reach. `changed` hears of everything but octets."""

    def __init__(self, port: Port, interference: Interference, changed: Listener) -> None:
        self.url = port.url
        self.kind = port.url.partition(":")[0]
        self.interference = interference
        # The connected lines by their number; no number is used again while the port is there.
        self.lines: dict[int, BenchLine] = {}
        self.is_open = False
        # Why a port that was open is gone: it is tried again.
        self.trouble: StartError | None = None
        self._port = port
        self._changed = changed
        self._last_number = 0
        self._serving: asyncio.Task[None] | None = None
        self._cut = asyncio.Event()
        self._in_reach = asyncio.Event()
        self._in_reach.set()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_away(self) -> bool:
        """Whether nobody reaches it for a while."""
        return not self._in_reach.is_set()

    def note(self, line: BenchLine) -> None:
        """A computer connected on a line, or has gone."""
        if line.is_connected:
            self._last_number += 1
            self.lines[self._last_number] = line
        else:
            self.lines = {number: other for number, other in self.lines.items() if other is not line}
        self._changed()

    def set_rate(self, rate: int | None) -> None:
        """Octets per second of each line and direction; None: they take no time."""
        self.interference.rate = rate
        for line in self.lines.values():
            line.set_rate(rate)
        self._changed()

    def drop(self) -> int:
        """Every line hangs up; how many there were."""
        lines = list(self.lines.values())
        for line in lines:
            line.drop()
        return len(lines)

    def go_away(self, seconds: float) -> None:
        """Out of reach at once, and for so long. Another time begins anew."""
        if self._timer is not None:
            self._timer.cancel()
        self._in_reach.clear()
        self.is_open = False
        self._timer = asyncio.get_running_loop().call_later(seconds, self._come_back)
        self.cut()
        if self._serving is not None:
            self._serving.cancel()
        self._changed()

    def cut(self) -> None:
        """Nothing crosses any more on the lines that there are, nor on one that comes before the port is closed."""
        self._cut.set()
        for line in list(self.lines.values()):
            line.cut()

    async def serve(self, phone: Phone) -> None:
        """Serve a phone that is on, until cancelled; a port that was there and is gone, again when it is back.

        Raises StartError when the port cannot be had.
        """
        while True:
            await self._in_reach.wait()
            self._cut = asyncio.Event()
            lines = BenchLines(phone, over=self.url, port=self, cut=self._cut)
            serving = self._serving = asyncio.ensure_future(self._port.serve(lines, self._opened))
            try:
                await asyncio.wait((serving,))
            finally:
                serving.cancel()
                await asyncio.gather(serving, return_exceptions=True)
                self._closed()
            if not serving.cancelled():
                self._look_into(serving)
                await asyncio.sleep(REOPEN_AFTER)

    def _come_back(self) -> None:
        self._timer = None
        self._in_reach.set()
        self._changed()

    def _opened(self) -> None:
        self.is_open = True
        self.trouble = None
        self._changed()

    def _closed(self) -> None:
        self.is_open = False
        self._serving = None
        self.cut()
        self._changed()

    def _look_into(self, serving: "asyncio.Future[None]") -> None:
        try:
            serving.result()
        except OSError as error:
            why = error.strerror or str(error)
            if error.filename is not None:
                why = f"{error.filename}: {why}"
            trouble = StartError(f"the phone cannot be reached by {self.url}", why, self._port.look)
            if self.trouble is None and not isinstance(error, PortLostError):
                raise trouble from None
            self.trouble = self.trouble or trouble
            self._changed()
