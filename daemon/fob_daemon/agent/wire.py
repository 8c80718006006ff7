"""Agent messages on a stream, and the data types inside them (RFC 4251, section 5).

A message is a u32 length and that many bytes, the first of which is its number (draft-ietf-sshm-ssh-agent, section 3).
"""

from struct import Struct
from typing import Final

from fob_daemon.agent.limits import MAX_MESSAGE

_U32: Final = Struct(">I")


class MessageLengthError(Exception):
    """A length that no message has; where the next one starts is not known, so the connection has to end."""


class MalformedMessageError(Exception):
    """A message does not have the shape that its number prescribes."""


class MessageReader:
    """Bytes in, messages out. Keeps what arrived, never what was only announced."""

    def __init__(self) -> None:
        self._received = bytearray()

    @property
    def waiting(self) -> int:
        """How many bytes have arrived and not been taken."""
        return len(self._received)

    def feed(self, data: bytes) -> None:
        """Add what arrived."""
        self._received += data

    def next_message(self) -> bytes | None:
        """The next message without its length; None when more must arrive. Raises MessageLengthError."""
        received = self._received
        if len(received) < _U32.size:
            return None
        length: int = _U32.unpack_from(received)[0]
        if not 0 < length <= MAX_MESSAGE:
            raise MessageLengthError(f"a message of {length} bytes, it has 1 to {MAX_MESSAGE}")
        end = _U32.size + length
        if len(received) < end:
            return None
        message = bytes(received[_U32.size : end])
        del received[:end]
        return message


class Reader:
    """Reads the fields of a message in order; every method raises MalformedMessageError at the end of the data."""

    __slots__ = ("_data", "_offset")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._offset = 0

    def byte(self) -> int:
        """`byte`."""
        return self._take(1)[0]

    def boolean(self) -> bool:
        """`boolean`: every value but 0 is true."""
        return self.byte() != 0

    def u32(self) -> int:
        """`uint32`."""
        value: int = _U32.unpack(self._take(_U32.size))[0]
        return value

    def string(self) -> bytes:
        """`string`: a length and that many bytes of any kind."""
        return self._take(self.u32())

    def positive_mpint(self) -> int:
        """`mpint` that must not be negative."""
        value = int.from_bytes(self.string(), "big", signed=True)
        if value < 0:
            raise MalformedMessageError("a negative mpint")
        return value

    def rest(self) -> bytes:
        """All that is left."""
        return self._take(len(self._data) - self._offset)

    def end(self) -> None:
        """Nothing may follow the last field."""
        if left := len(self._data) - self._offset:
            raise MalformedMessageError(f"{left} bytes too many")

    def _take(self, length: int) -> bytes:
        start = self._offset
        self._offset = end = start + length
        if end > len(self._data):
            raise MalformedMessageError("the message breaks off")
        return self._data[start:end]


def u32(value: int) -> bytes:
    """`uint32`."""
    return _U32.pack(value)


def string(data: bytes) -> bytes:
    """`string`."""
    return _U32.pack(len(data)) + data


def mpint(value: int) -> bytes:
    """`mpint` of a number that is not negative: a zero byte in front where the top bit is set."""
    return string(value.to_bytes((value.bit_length() + 8) // 8 if value else 0, "big"))


def frame(message: bytes) -> bytes:
    """A message with its length in front."""
    return string(message)
