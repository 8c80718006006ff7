"""Programs that a demo runs to their end. Whatever ends the demo ends them too, with all that they have started."""

import os
import select
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final

from fob_daemon.demo.signals import undisturbed

STOP_TIME: Final = 5.0


@contextmanager
def running(
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    folder: Path | None = None,
    stdin: int | None = None,
    output: int | IO[bytes] | None = None,
    errors: int | None = None,
) -> Iterator["subprocess.Popen[bytes]"]:
    """A program, until the body ends. Raises OSError when it cannot be started.

    `output` takes both its streams where there are no `errors`.
    """
    process: subprocess.Popen[bytes] | None = None
    try:
        with undisturbed():
            stderr = errors or (output and subprocess.STDOUT)
            process = subprocess.Popen(command, env=environment, cwd=folder, stdin=stdin, stdout=output, stderr=stderr)
        yield process
    finally:
        if process is not None and process.poll() is None:
            with undisturbed():
                _end_family(process)


def run_to_end(
    command: Sequence[str], environment: Mapping[str, str], stdin: bytes = b""
) -> "subprocess.CompletedProcess[bytes]":
    """What a program says when it is told this. Raises OSError when it cannot be started."""
    pipe = subprocess.PIPE
    with running(command, environment, stdin=pipe, output=pipe, errors=pipe) as process:
        out, err = process.communicate(stdin)
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def exit_status(process: "subprocess.Popen[bytes]") -> int:
    """Wait for it; its status as shells count."""
    code = process.wait()
    return code if code >= 0 else 128 - code


def _end_family(process: "subprocess.Popen[bytes]") -> None:
    """End a program and its descendants: politely, then for certain."""
    handles = [handle for pid in (process.pid, *_descendants(process.pid)) if (handle := _open(pid)) is not None]
    try:
        _send(handles, signal.SIGTERM)
        if not _have_ended(handles, STOP_TIME):
            _send(handles, signal.SIGKILL)
        process.wait()
    finally:
        for handle in handles:
            os.close(handle)


def _descendants(pid: int) -> list[int]:
    """Children, grandchildren and so on, as they are now."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        # It may have ended meanwhile.
        with suppress(OSError):
            # pid (name) state parent: the name may hold anything, a bracket too.
            parent = int(stat.read_text(errors="replace").rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(stat.parent.name))
    found = [pid]
    for member in found:
        found += children.get(member, [])
    return found[1:]


def _open(pid: int) -> int | None:
    """A handle that never means another process, as a number may."""
    try:
        return os.pidfd_open(pid)
    except ProcessLookupError:
        return None


def _send(handles: Sequence[int], number: signal.Signals) -> None:
    for handle in handles:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(handle, number)


def _have_ended(handles: Sequence[int], seconds: float) -> bool:
    """Wait for all of them; False when some go on."""
    poll = select.poll()
    for handle in handles:
        poll.register(handle, select.POLLIN)
    left = set(handles)
    while left:
        ended = poll.poll(seconds * 1000)
        if not ended:
            return False
        for handle, _ in ended:
            poll.unregister(handle)
            left.discard(handle)
    return True
