"""Frames: three big-endian u32 (call code, length of the options, length of the body), the options, the body.

The client counts the code up; a reply repeats it and may come in any order.
"""

from struct import Struct
from typing import Final

HEADER: Final = Struct(">III")


class FrameTooLargeError(Exception):
    """A header announces more than the limits allow."""


class FrameReader:
    """Bytes in, frames out. Keeps what arrived, never what was only announced."""

    def __init__(self, max_options: int, max_body: int) -> None:
        self._max_options = max_options
        self._max_body = max_body
        self._received = bytearray()

    def feed(self, data: memoryview) -> None:
        """Add what arrived."""
        self._received += data

    def next_frame(self) -> tuple[int, bytes] | None:
        """Code and body of the next frame; None when more must arrive. Raises FrameTooLargeError."""
        received = self._received
        if len(received) < HEADER.size:
            return None
        code, options, body = HEADER.unpack_from(received)
        if options > self._max_options or body > self._max_body:
            raise FrameTooLargeError(f"options of {options} and a body of {body} bytes")
        start = HEADER.size + options
        end = start + body
        if len(received) < end:
            return None
        frame = bytes(received[start:end])
        del received[:end]
        return code, frame


def frame(code: int, body: bytes) -> bytes:
    """A reply: no options."""
    return HEADER.pack(code, 0, len(body)) + body
