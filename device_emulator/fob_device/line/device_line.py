"""A line from power-up to hang-up: which state it is in, and what an octet means there."""

import asyncio
from collections.abc import Callable

from fob_device.line.command_state import CommandState
from fob_device.line.data_state import DataState
from fob_device.line.pairing import Paired
from fob_device.phone import Phone
from fob_protocol.at.console import Result
from fob_protocol.link.frames import LEAVE, Frame, FrameReader, Kind


class DeviceLine:
    """Octets of one port in, octets out by `write`. Lives as long as the port.

    `paired` is told the static key of each computer that pairs over this line.
    """

    def __init__(self, phone: Phone, write: Callable[[bytes], None], paired: Paired = lambda pc_key: None) -> None:
        self._phone = phone
        self._write = write
        self._paired = paired
        self._clock = asyncio.get_running_loop().time
        self._command_state = CommandState(phone.product)
        self._data_state: DataState | None = None
        self._reader = FrameReader()

    def data_received(self, data: bytes) -> None:
        """Take octets of the line."""
        if self._data_state is not None:
            self._read_frames(data)
            return
        for place, octet in enumerate(data, start=1):
            echo = self._command_state.feed(octet)
            if echo:
                self._write(echo)
            if self._command_state.opened is not None:
                self._enter_data_state(self._command_state.opened)
                self._read_frames(data[place:])
                return

    def hang_up(self) -> None:
        """The other end is gone: back to command state, session and pairing over."""
        if self._data_state is not None:
            self._data_state.close()
            self._data_state = None
        self._command_state = CommandState(self._phone.product)

    def _enter_data_state(self, version: int) -> None:
        self._reader = FrameReader()
        self._data_state = DataState(self._phone, version, self._send, self._clock, self._paired)

    def _read_frames(self, data: bytes) -> None:
        for frame in self._reader.feed(data):
            if self._data_state is None:
                return
            if frame == LEAVE:
                self.hang_up()
                self._write(self._command_state.writer.result(Result.NO_CARRIER))
            elif frame.kind is not Kind.LEAVE:
                self._data_state.receive(frame)

    def _send(self, frame: Frame | bytes) -> None:
        self._write(frame if isinstance(frame, bytes) else frame.to_bytes())
