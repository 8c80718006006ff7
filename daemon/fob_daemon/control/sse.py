"""Server-sent events (WHATWG HTML, section 9.2), both directions: one JSON value per event. No I/O in here."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from fob_daemon.control.json_form import Json

CONTENT_TYPE: Final = "text/event-stream"

# A comment: keeps the line alive and means nothing.
HEARTBEAT: Final = b":\n\n"

# The largest event is a device report.
MAX_EVENT: Final = 65_536


class StreamError(Exception):
    """The other side's stream is no stream of events; the text says why."""


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event of a stream."""

    name: str
    data: Json


def encode_event(name: str, data: Json) -> bytes:
    """One event. JSON has no line ends of its own, so it is one `data` line."""
    return f"event: {name}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()


class EventReader:
    """Lines in, events out."""

    def __init__(self) -> None:
        self._name = "message"
        self._data = ""

    def feed(self, line: bytes) -> Iterator[ServerEvent]:
        """Take one line with or without its end; an empty one completes an event. Raises StreamError."""
        if len(line) + len(self._data) > MAX_EVENT:
            raise StreamError(f"an event over {MAX_EVENT} bytes")
        text = line.decode(errors="replace").rstrip("\r\n")
        if not text:
            yield from self._complete()
            return
        field, _, value = text.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            self._name = value
        elif field == "data":
            self._data += value

    def _complete(self) -> Iterator[ServerEvent]:
        name, data = self._name, self._data
        self._name, self._data = "message", ""
        if not data:
            return
        try:
            yield ServerEvent(name, json.loads(data))
        except (ValueError, RecursionError):
            raise StreamError("an event that is no JSON") from None
