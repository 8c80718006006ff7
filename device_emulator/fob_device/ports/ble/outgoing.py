"""What waits to be notified: octets of the line, cut into values."""

from collections import deque
from typing import Final

# A line that holds more is not read by anybody: one tap may answer 256 requests, a frame of up to 700 octets and a
# question's words for each.
UNSENT_LIMIT: Final = 524_288

# Every frame ends so, and has more octets than this one; text of command state does not, but for the echo of one.
END_OF_FRAME: Final = 0


class TooMuchUnsentError(Exception):
    """More than UNSENT_LIMIT octets wait."""


class Outgoing:
    """Frames travel alone; text that was written octet by octet, as an echo is, travels together."""

    def __init__(self) -> None:
        self._waiting: deque[bytearray] = deque()
        self._size = 0
        self._ends_with_text = False

    def __len__(self) -> int:
        """Octets that wait."""
        return self._size

    def add(self, octets: bytes) -> None:
        """Raises TooMuchUnsentError."""
        if self._size + len(octets) > UNSENT_LIMIT:
            raise TooMuchUnsentError
        if not octets:
            return
        self._size += len(octets)
        is_text = octets[-1] != END_OF_FRAME or len(octets) == 1
        if is_text and self._ends_with_text and self._waiting:
            self._waiting[-1] += octets
        else:
            self._waiting.append(bytearray(octets))
        self._ends_with_text = is_text

    def next_value(self, size: int) -> bytes:
        """The next value of at most `size` octets; none when nothing waits."""
        if not self._waiting:
            return b""
        head = self._waiting[0]
        value = bytes(head[:size])
        del head[:size]
        if not head:
            self._waiting.popleft()
        self._size -= len(value)
        return value
