"""A line from power-up to hang-up: which state it is in, and what an octet means there."""

import asyncio
from collections.abc import Callable

from fob_device.line.command_state import CommandState
from fob_device.line.data_state import DataState
from fob_device.line.pairing import Paired
from fob_device.phone import Phone
from fob_protocol.at.console import Result
from fob_protocol.link.frames import DELIMITER, LEAVE, Frame, FrameReader, Kind
from fob_protocol.session.pace import Pace


class DeviceLine:
    """Octets of one port in, octets out by `write`. Lives as long as the port.

    `paired` is told the static key of each computer that pairs over this line. `over`: the URL of its port.
    """

    def __init__(
        self,
        phone: Phone,
        write: Callable[[bytes], None],
        paired: Paired = lambda pc_key: None,
        over: str = "",
        pace: Callable[[], Pace] = Pace,
    ) -> None:
        self._phone = phone
        self._write = write
        self._paired = paired
        self._over = over
        self._pace = pace
        self._clock = asyncio.get_running_loop().time
        self._command_state = CommandState(phone.product)
        self._data_state: DataState | None = None
        self._reader = FrameReader()

    @property
    def is_in_data_state(self) -> bool:
        """Whether octets are frames."""
        return self._data_state is not None

    @property
    def computer(self) -> str | None:
        """The name of the computer that has a session on this line."""
        return None if self._data_state is None else self._data_state.computer

    def data_received(self, data: bytes) -> None:
        """Take octets of the line; those behind a change of state count in the new one."""
        place = 0
        while place < len(data):
            read = self._read_commands if self._data_state is None else self._read_frame
            place = read(data, place)

    def hang_up(self) -> None:
        """The other end is gone: back to command state, session and pairing over."""
        if self._data_state is not None:
            self._data_state.close()
            self._data_state = None
        self._command_state = CommandState(self._phone.product)

    def _enter_data_state(self, version: int) -> None:
        self._reader = FrameReader()
        self._data_state = DataState(
            self._phone, version, self._send, self._clock, self._paired, self._over, self._pace
        )

    def _read_commands(self, data: bytes, place: int) -> int:
        """Take octets of command state from `place` on; the place behind the last one taken."""
        for end in range(place + 1, len(data) + 1):
            echo = self._command_state.feed(data[end - 1])
            if echo:
                self._write(echo)
            if self._command_state.opened is not None:
                self._enter_data_state(self._command_state.opened)
                return end
        return len(data)

    def _read_frame(self, data: bytes, place: int) -> int:
        """Take octets of data state from `place` on, at most one frame's; the place behind them."""
        end = data.find(DELIMITER, place) + 1 or len(data)
        for frame in self._reader.feed(data[place:end]):
            self._receive(frame)
        return end

    def _receive(self, frame: Frame) -> None:
        if self._data_state is None:
            return
        if frame == LEAVE:
            self.hang_up()
            self._write(self._command_state.writer.result(Result.NO_CARRIER))
        elif frame.kind is not Kind.LEAVE:
            self._data_state.receive(frame)

    def _send(self, frame: Frame | bytes) -> None:
        self._write(frame if isinstance(frame, bytes) else frame.to_bytes())
