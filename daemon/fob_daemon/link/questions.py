"""Which requests wait for the device's person: each is told once when it is over, however many sessions it took."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Questions:
    """Requests of one link by a number of their own; the protocol's numbers begin anew in each session."""

    def __init__(self) -> None:
        self._last = 0
        self._asked: set[int] = set()
        self._listeners: list[Callable[[int], None]] = []

    def on_settled(self, listener: Callable[[int], None]) -> None:
        """Call `listener` with the number of each request that was asked about, when nobody waits for it any more."""
        self._listeners.append(listener)

    @contextmanager
    def request(self) -> Iterator[int]:
        """The number of a request, which is over at the end of the block."""
        self._last += 1
        number = self._last
        try:
            yield number
        finally:
            if number in self._asked:
                self._asked.discard(number)
                for listener in self._listeners:
                    listener(number)

    def is_asked(self, number: int) -> None:
        """The device's person is asked about a request that is under way."""
        self._asked.add(number)
