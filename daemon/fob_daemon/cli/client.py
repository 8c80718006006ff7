"""The control API over its Unix socket, with the standard library's HTTP client: one connection per request."""

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

from fob_daemon.cli.starting import START
from fob_daemon.control.errors import ControlError, ExitCode
from fob_daemon.control.json_form import Json
from fob_daemon.control.sse import EventReader, ServerEvent, StreamError

# The daemon answers a read from memory.
READ_TIME: Final = 15.0
# Longer than the daemon waits for a device, so that its words arrive and not our own.
OPERATION_TIME: Final = 670.0
# Three heartbeats.
STREAM_TIME: Final = 45.0

OWN: Final = "the same as the daemon's user, or with a daemon of your own: fobd &"


class SocketConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("fob", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        """Called by http.client. Raises OSError."""
        self._socket = self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))

    def hang_up(self) -> None:
        """Whoever reads it, in another thread, is at the end behind what has come by now."""
        with suppress(OSError):  # the daemon was first
            self._socket.shutdown(socket.SHUT_RDWR)


class EventStream(Iterator[ServerEvent]):
    """Waits for each event. Raises ControlError."""

    def __init__(self, events: Iterator[ServerEvent], connection: SocketConnection) -> None:
        self._events = events
        self.hang_up = connection.hang_up

    def __next__(self) -> ServerEvent:
        return next(self._events)


class Client:
    """Requests to the daemon at `path`; `start`: what starts it. Every method raises ControlError."""

    def __init__(self, path: Path, read_time: float = READ_TIME, *, start: str = START) -> None:
        self.path = path
        self._start = start
        self._read_time = read_time

    def get(self, *segments: str, **query: str | int) -> Any:
        """A read."""
        return self._request("GET", _target(segments, query), None, self._read_time)

    def get_from_device(self, *segments: str, **query: str | int) -> Any:
        """A read that crosses the line to a device."""
        return self._request("GET", _target(segments, query), None, OPERATION_TIME)

    def text(self, *segments: str) -> str:
        """A read of what is no JSON."""
        return self._read("GET", _target(segments, {}), None, self._read_time).decode()

    def post(self, *segments: str, body: dict[str, Json]) -> Any:
        """A change; may wait for a person."""
        return self._request("POST", _target(segments, {}), body, OPERATION_TIME)

    def delete(self, *segments: str, body: dict[str, Json] | None = None) -> Any:
        """A deletion; may wait for a person."""
        return self._request("DELETE", _target(segments, {}), body, OPERATION_TIME)

    @contextmanager
    def stream(self, method: str, *segments: str, body: dict[str, Json] | None = None) -> Iterator[EventStream]:
        """A stream of events; nothing that happens from here on is missed."""
        connection = SocketConnection(self.path, STREAM_TIME)
        try:
            with self._errors():
                response = _exchange(connection, method, _target(segments, {}), body)
                # The first heartbeat.
                response.readline()
            yield EventStream(self._events(response), connection)
        finally:
            connection.close()

    def _events(self, response: http.client.HTTPResponse) -> Iterator[ServerEvent]:
        reader = EventReader()
        while True:
            # What goes wrong where the events are used is no fault of the stream.
            with self._errors():
                line = response.readline()
                events = list(reader.feed(line))
            if not line:
                return
            yield from events

    def _request(self, method: str, target: str, body: dict[str, Json] | None, time_limit: float) -> Any:
        with self._errors():
            return json.loads(self._read(method, target, body, time_limit))

    def _read(self, method: str, target: str, body: dict[str, Json] | None, time_limit: float) -> bytes:
        connection = SocketConnection(self.path, time_limit)
        try:
            with self._errors():
                return _exchange(connection, method, target, body).read()
        finally:
            connection.close()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except TimeoutError:
            raise ControlError(
                "the daemon does not answer", f"{self.path}: connected, but silent", "fob doctor", ExitCode.TIMEOUT
            ) from None
        except (http.client.HTTPException, ConnectionResetError, BrokenPipeError):
            why = f"{self.path}: it hung up: it has just ended, or it serves another user or too many programs"
            raise _unreachable(why, "fob doctor") from None
        except OSError as error:
            raise _unreachable(f"{self.path}: {error.strerror or error}", self._remedy(error)) from None
        except (ValueError, StreamError):
            raise ControlError("the daemon's answer is not understood", f"{self.path}: no JSON", "fob doctor") from None

    def _remedy(self, error: OSError) -> str:
        match error:
            case FileNotFoundError() | ConnectionRefusedError():
                return self._start
            case PermissionError():
                return OWN
        return "fob doctor"


def _unreachable(why: str, next_command: str) -> ControlError:
    return ControlError("the daemon is not reachable", why, next_command, ExitCode.UNREACHABLE)


def _exchange(
    connection: SocketConnection, method: str, target: str, body: dict[str, Json] | None
) -> http.client.HTTPResponse:
    """Ask. Raises ControlError for a refusal, and what goes wrong on the way."""
    connection.request(method, target, None if body is None else json.dumps(body))
    response = connection.getresponse()
    if response.status != http.client.OK:
        raise _refusal(response)
    return response


def _target(segments: tuple[str, ...], query: dict[str, str | int]) -> str:
    path = "/v1/" + "/".join(quote(segment, safe="") for segment in segments)
    return f"{path}?{urlencode(query)}" if query else path


def _refusal(response: http.client.HTTPResponse) -> ControlError:
    """The error that an answer carries. Raises ValueError when it carries none."""
    try:
        error = json.loads(response.read())["error"]
        return ControlError(
            error["what"], error["why"], error["next"], ExitCode(error["exit_code"]), status=response.status
        )
    except (KeyError, TypeError):
        raise ValueError("no error object") from None
