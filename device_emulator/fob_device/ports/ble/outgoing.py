"""What waits to be notified: octets of the line, cut into values."""

from typing import Final

# A line that holds more is not read by anybody: one tap may answer 256 requests, a frame of up to 700 octets and a
# question's words for each.
UNSENT_LIMIT: Final = 524_288


class TooMuchUnsentError(Exception):
    """More than UNSENT_LIMIT octets wait."""


class Outgoing:
    """What waits travels together, in as few values as there can be: a packet costs the same with little in it."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def __len__(self) -> int:
        """Octets that wait."""
        return len(self._waiting)

    def add(self, octets: bytes) -> None:
        """Raises TooMuchUnsentError."""
        if len(self._waiting) + len(octets) > UNSENT_LIMIT:
            raise TooMuchUnsentError
        self._waiting += octets

    def next_value(self, size: int) -> bytes:
        """The next value of at most `size` octets; none when nothing waits."""
        value = bytes(self._waiting[:size])
        del self._waiting[:size]
        return value
