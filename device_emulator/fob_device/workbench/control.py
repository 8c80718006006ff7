"""The workbench's control socket, in the folder of the phone."""

import contextlib
import os
import shlex
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec

from fob_device.errors import StartError
from fob_device.json_lines import JsonLines
from fob_device.radio.place import listening_place
from fob_device.workbench.requests import answer
from fob_device.workbench.workbench import Workbench

SOCKET_FILE: Final = "bench.sock"
SOCKET_MODE: Final = 0o600

# Seconds for an answer that comes at once; a request that waits has its own time on top.
ANSWER_TIME: Final = 10.0
ANSWER_LIMIT: Final = 1_048_576


@contextlib.asynccontextmanager
async def serving_bench(bench: Workbench, folder: Path) -> AsyncIterator[None]:
    """Serve the control socket in `folder` within the block, for the folder's owner alone. Raises StartError."""
    async with contextlib.AsyncExitStack() as stack:
        try:
            path = stack.enter_context(_short_path(folder))
            stack.enter_context(listening_place(path))
            listener = stack.enter_context(_listening_socket(path))
            await stack.enter_async_context(JsonLines(partial(answer, bench)).serving(listener))
        except OSError as error:
            why, look = error.strerror or str(error), f"ls -la {shlex.quote(str(folder))}"
            raise StartError(f"the workbench cannot listen at {folder / SOCKET_FILE}", why, look) from None
        yield


def ask(folder: Path, request: Mapping[str, Any]) -> dict[str, Any]:
    """The answer of the phone that runs from `folder`. Raises StartError when none does, or it refuses."""
    seconds = float(request.get("seconds", 0.0)) if request["do"] == "wait" else 0.0
    try:
        with _short_path(folder) as path, socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(ANSWER_TIME + seconds)
            connection.connect(path)
            connection.sendall(msgspec.json.encode(request) + b"\n")
            with connection.makefile("rb") as lines:
                given = msgspec.json.decode(lines.readline(ANSWER_LIMIT), type=dict[str, Any])
    except (OSError, msgspec.DecodeError) as error:
        why = getattr(error, "strerror", None) or "it does not answer"
        command = f"fob-device run --state {shlex.quote(str(folder))} --port ..."
        raise StartError(f"no phone runs from {folder}", f"{folder / SOCKET_FILE}: {why}", command) from None
    if not given["ok"]:
        raise StartError("the workbench did nothing", given["error"], "fob-device bench --help")
    return given


@contextlib.contextmanager
def _short_path(folder: Path) -> Iterator[str]:
    """A path of the socket that fits into an address (108 octets, unix(7)) however deep the folder lies."""
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/{SOCKET_FILE}"
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _listening_socket(path: str) -> Iterator[socket.socket]:
    """At a path that is held; what a killed phone left there gives way. Raises OSError."""
    place = Path(path)
    with socket.socket(socket.AF_UNIX) as listener:
        if place.is_socket():
            place.unlink()
        # Before bind: the file must not be open to others for a moment.
        os.fchmod(listener.fileno(), SOCKET_MODE)
        listener.bind(path)
        try:
            listener.listen()
            yield listener
        finally:
            place.unlink(missing_ok=True)
