"""A bounded queue between the daemon and one reader of events: a slow reader loses the oldest and is told how many."""

import asyncio
from collections import deque
from typing import Generic, TypeVar

from fob_daemon.control.limits import MAX_EVENTS_WAITING

Event = TypeVar("Event")


class EventQueue(Generic[Event]):
    """`put` never waits and never fails; `get` waits."""

    def __init__(self, limit: int = MAX_EVENTS_WAITING) -> None:
        self._events: deque[Event] = deque()
        self._limit = limit
        self._lost = 0
        self._arrived = asyncio.Event()

    def put(self, event: Event) -> None:
        """Add an event, at the expense of the oldest when there is no room."""
        if len(self._events) >= self._limit:
            self._events.popleft()
            self._lost += 1
        self._events.append(event)
        self._arrived.set()

    async def get(self) -> tuple[Event, int]:
        """The oldest event, and how many before it were lost."""
        while not self._events:
            self._arrived.clear()
            await self._arrived.wait()
        lost, self._lost = self._lost, 0
        return self._events.popleft(), lost
