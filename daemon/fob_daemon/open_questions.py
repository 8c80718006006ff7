"""What waits for a person at this moment: who begins to follow the events has missed that it was asked."""

from collections.abc import Callable
from dataclasses import replace

from fob_daemon.control.interface import Ask, ControlEvent, Settled


class OpenQuestions:
    """The last Ask of each request that is not settled, for as long as it waits. `clock` in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._asked: dict[tuple[str, int], tuple[Ask, float]] = {}

    def hear(self, event: ControlEvent) -> None:
        """An event, in its order among the others."""
        match event:
            case Ask(device=device, request=request, seconds=seconds):
                self._asked[device, request] = event, self._clock() + seconds
            case Settled(device=device, request=request):
                self._asked.pop((device, request), None)

    def now(self) -> list[Ask]:
        """Those that wait still, with the seconds that are left, in the order in which they were first asked."""
        now = self._clock()
        self._asked = {key: (asked, until) for key, (asked, until) in self._asked.items() if until > now}
        return [replace(asked, seconds=round(until - now, 3)) for asked, until in self._asked.values()]
