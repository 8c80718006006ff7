"""Connections that say nothing, or say it too slowly, are closed: uvicorn itself waits for ever for a first line."""

import asyncio
from typing import Final

from uvicorn.protocols.http.h11_impl import H11Protocol

# Seconds for a request's head, from its first octet or the connection's beginning.
HEAD_TIME: Final = 15


class TimedConnection(H11Protocol):
    """uvicorn's, with a time for each head. The body's is BODY_TIME, the pause between two uvicorn's own."""

    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn's own
        """Called by asyncio."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Called by asyncio."""
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio."""
        self._stop_watching()
        super().connection_lost(exc)

    def _watch(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop_watching()
        elif self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_TIME, self.transport.abort)

    def _stop_watching(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
