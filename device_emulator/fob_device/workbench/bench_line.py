"""One line of the phone as it lies on the workbench: its octets are counted, and meet what is in their way."""

import re
from collections import Counter
from collections.abc import Callable
from typing import Final

from fob_device.line.device_line import DeviceLine
from fob_device.workbench.interference import Direction, Harm, Interference, damaged
from fob_device.workbench.pacer import Pacer
from fob_protocol.link.frames import DELIMITER

# The parts of octets that belong to one frame each.
_PIECES: Final = re.compile(rb"[^\0]*\0|[^\0]+")


class BenchLine:
    """A LineHandler between a port and a DeviceLine, which `make_line` makes with a place to write.

    `write` and `close` are the port's. `changed` hears when a computer connects and when it has gone.
    """

    def __init__(
        self,
        make_line: Callable[[Callable[[bytes], None]], DeviceLine],
        write: Callable[[bytes], None],
        close: Callable[[], None],
        interference: Interference,
        changed: "Callable[[BenchLine], None]",
    ) -> None:
        self.is_connected = True
        self.octets: Counter[Direction] = Counter()
        self.hit: Counter[Harm] = Counter()
        self._write = write
        self._close = close
        self._interference = interference
        self._frames = interference.frames
        self._changed = changed
        self._is_cut = False
        self._begins_frame = True
        self._is_losing = False
        self._slow_in: Pacer | None = None
        self._slow_out: Pacer | None = None
        self._line = make_line(self._send)
        self.set_rate(interference.rate)

    @property
    def computer(self) -> str | None:
        """The name of the computer that has a session on this line."""
        return self._line.computer

    def data_received(self, data: bytes) -> None:
        """Octets came from the port."""
        if self._is_cut:
            return
        if not self.is_connected:
            self._connect()
        self.octets[Direction.IN] += len(data)
        if self._slow_in is None:
            self._arrive(data)
        else:
            self._slow_in.carry(data)

    def hang_up(self) -> None:
        """The computer is gone; a port that stays may bring another one."""
        for pacer in (self._slow_in, self._slow_out):
            if pacer is not None:
                pacer.clear()
        self._begins_frame, self._is_losing = True, False
        self._line.hang_up()
        if self.is_connected:
            self.is_connected = False
            self._changed(self)

    def drop(self) -> None:
        """End the connection from the phone's side."""
        self.hang_up()
        self._close()

    def cut(self) -> None:
        """From now on nothing crosses, in either direction; the computer hears no word of it."""
        self._is_cut = True
        self.hang_up()

    def set_rate(self, rate: int | None) -> None:
        """Octets per second in each direction; None: they take no time."""
        for pacer in (self._slow_in, self._slow_out):
            if pacer is not None:
                pacer.set_rate(rate)
        if rate is None:
            self._slow_in = self._slow_out = None
        elif self._slow_in is None:
            self._slow_in, self._slow_out = Pacer(self._arrive, rate), Pacer(self._give, rate)

    def _connect(self) -> None:
        self.is_connected = True
        self.set_rate(self._interference.rate)
        self.octets.clear()
        self.hit.clear()
        self._changed(self)

    def _arrive(self, data: bytes) -> None:
        is_framed = self._line.is_in_data_state
        heard = data
        if is_framed and (self._frames.waiting or self._is_losing):
            heard = b"".join([self._hit_incoming(piece) for piece in _PIECES.findall(data)])
        # What follows the opening of data state is a frame's beginning.
        self._begins_frame = not is_framed or data.endswith(DELIMITER)
        if heard:
            self._line.data_received(heard)

    def _hit_incoming(self, piece: bytes) -> bytes:
        """What is left of a frame, or of a part of one."""
        begins, self._begins_frame = self._begins_frame, piece.endswith(DELIMITER)
        harm = self._harm(Direction.IN) if begins and piece != DELIMITER else None
        if harm is Harm.DAMAGE:
            return damaged(piece)
        if harm is Harm.LOSE or self._is_losing:
            self._is_losing = not piece.endswith(DELIMITER)
            return b""
        return piece

    def _send(self, data: bytes) -> None:
        """The phone writes; in data state one frame at a time."""
        if self._is_cut:
            return
        if self._frames.waiting and self._line.is_in_data_state:
            harm = self._harm(Direction.OUT)
            if harm is Harm.LOSE:
                return
            data = damaged(data) if harm is Harm.DAMAGE else data
        if self._slow_out is None:
            self._give(data)
        else:
            self._slow_out.carry(data)

    def _give(self, data: bytes) -> None:
        self.octets[Direction.OUT] += len(data)
        self._write(data)

    def _harm(self, direction: Direction) -> Harm | None:
        harm = self._interference.harm(direction)
        if harm is not None:
            self.hit[harm] += 1
        return harm
