"""Which parts of long requests the device acknowledges, and when (docs/protocol.md, section 3.3)."""

from dataclasses import dataclass

from fob_protocol.limits import ACKNOWLEDGED_AFTER


@dataclass(frozen=True, slots=True)
class _Waiting:
    """One part of a text that is not here whole."""

    number: int
    index: int
    due_at: float


class Acknowledgements:
    """Two at once, or one alone after a moment: then the rest of a short text is here, whose answer says it for all.

    No I/O: the time goes in, numbers of requests and indexes of parts come out.
    """

    def __init__(self) -> None:
        self._waiting: _Waiting | None = None
        self._ready: list[tuple[int, int]] = []

    def add(self, number: int, index: int, now: float) -> None:
        """A part came, and others of its text have to."""
        if self._waiting is None:
            self._waiting = _Waiting(number, index, now + ACKNOWLEDGED_AFTER)
        else:
            self._ready += [(self._waiting.number, self._waiting.index), (number, index)]
            self._waiting = None

    def forget(self, number: int) -> None:
        """The text is here whole: its answer or WORKING, which comes soon, acknowledges every part."""
        self._ready = [part for part in self._ready if part[0] != number]
        if self._waiting is not None and self._waiting.number == number:
            self._waiting = None

    def due(self, now: float) -> list[tuple[int, int]]:
        """Number and index of each part to acknowledge now."""
        if self._waiting is not None and self._waiting.due_at <= now:
            self._ready.append((self._waiting.number, self._waiting.index))
            self._waiting = None
        ready, self._ready = self._ready, []
        return ready

    def timers(self) -> list[float]:
        """When one has waited long enough."""
        return [] if self._waiting is None else [self._waiting.due_at]
