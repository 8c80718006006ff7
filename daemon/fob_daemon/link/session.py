"""One session with a device: a Requester driven by the event loop, each request a future."""

import asyncio
from collections.abc import Callable

from fob_protocol.at.answer import Event, decode_event
from fob_protocol.catalogue import STATE_EVENTS
from fob_protocol.errors import AtSyntaxError
from fob_protocol.link.frames import Frame
from fob_protocol.session.handshake import Greeting
from fob_protocol.session.request import Request
from fob_protocol.session.requester import Answered, EventArrived, Requester


class SessionLostError(Exception):
    """The session ended while a request was under way; `number` is its number if the device may have seen it."""

    def __init__(self, number: int | None) -> None:
        self.number = number
        super().__init__("the link to the device was lost")


class PcSession:
    """Requests in, answers out, until `lost`. Octets leave by `write`."""

    def __init__(
        self,
        greeting: Greeting,
        requester: Requester,
        write: Callable[[bytes], None],
        on_event: Callable[[Event], None],
    ) -> None:
        self.greeting = greeting
        self._requester = requester
        self._write = write
        self._on_event = on_event
        self._loop = asyncio.get_running_loop()
        self._answers: dict[Request, asyncio.Future[bytes]] = {}
        self._names: dict[Request, int] = {}
        # The number of the newest event by its name, for STATE_EVENTS.
        self._newest_events: dict[str, int] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._idle = asyncio.Event()
        self._idle.set()
        self.lost = asyncio.Event()
        # Nothing was sent yet: the first record proves our key to the device (docs, section 6).
        self.last_used = float("-inf")

    @property
    def is_crowded(self) -> bool:
        """True when so many requests wait for the device's person that further ones are not even sent."""
        return self._requester.is_crowded

    async def request(
        self, text: bytes, *, is_keepalive: bool = False, may_wait: bool = True, name: int | None = None
    ) -> bytes:
        """One command's text, its answer's text. Raises SessionLostError. Cancelling withdraws the request.

        `may_wait`: for the device's person. `name` is what `name_of` calls it meanwhile.
        """
        if self.lost.is_set():
            raise SessionLostError(None)
        request = self._requester.submit(text, is_keepalive=is_keepalive, may_wait=may_wait)
        future: asyncio.Future[bytes] = self._loop.create_future()
        self._answers[request] = future
        if name is not None:
            self._names[request] = name
        self._idle.clear()
        self._flush()
        try:
            return await future
        except asyncio.CancelledError:
            self._requester.cancel(request)
            self._flush()
            raise
        finally:
            self._answers.pop(request, None)
            self._names.pop(request, None)
            if not self._answers:
                self._idle.set()

    def name_of(self, number: int) -> int | None:
        """The name of the request with this number, None when it is not under way or has none."""
        return next((name for request, name in self._names.items() if request.number == number), None)

    async def idle(self) -> None:
        """Wait until nothing is under way."""
        await self._idle.wait()

    def receive(self, frame: Frame) -> None:
        """Take a frame of the device."""
        now = self._loop.time()
        match self._requester.receive(frame, now):
            case Answered(request, text):
                self.last_used = now
                future = self._answers.get(request)
                if future is not None and not future.done():
                    future.set_result(text)
            case EventArrived(number, text):
                self._announce(number, text)
        self._flush()

    def end(self) -> None:
        """The line is gone: every request that waits learns it."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.lost.is_set():
            return
        self.lost.set()
        for request, future in list(self._answers.items()):
            if not future.done():
                future.set_exception(SessionLostError(request.number))

    def close(self) -> None:
        """Tell the device that the session is over, then end it."""
        if not self.lost.is_set():
            self._write(self._requester.close().to_bytes())
            self.end()

    def _announce(self, number: int, text: bytes) -> None:
        try:
            event = decode_event(text)
        except AtSyntaxError:
            # A newer device may announce what this daemon cannot read; an event is only a hint.
            return
        if event.name in STATE_EVENTS:
            if number < self._newest_events.get(event.name, 0):
                # It was lost at first, and came again when a newer one had told how it stands.
                return
            self._newest_events[event.name] = number
        self._on_event(event)

    def _flush(self) -> None:
        if self.lost.is_set():
            return
        now = self._loop.time()
        if self._requester.is_lost(now):
            self.end()
            return
        frames = self._requester.due(now)
        if frames:
            self.last_used = now
            for frame in frames:
                self._write(frame.to_bytes())
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self._requester.next_timer()
        if due is not None:
            self._timer = self._loop.call_at(due, self._flush)
