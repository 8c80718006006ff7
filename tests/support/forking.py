"""Runs `fob` as a process forked from one that has imported it: what a start costs is paid once, not by each test."""

import asyncio
import atexit
import gc
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final, NamedTuple

from fob_daemon.cli.main import COMMANDS, main

# The interpreter's own settings, which a fork cannot take over.
_OF_A_START: Final = ("PYTHON", "LC_", "LANG")
_STREAMS: Final = 3
# Octets of a status, as wait(2) gives it, in words.
_STATUS: Final = 16


@dataclass(frozen=True)
class Run:
    """One run of `fob`."""

    arguments: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    stdin: bytes = b""


class Ended(NamedTuple):
    """How it ended; a negative code is a signal's."""

    code: int
    out: bytes
    err: bytes


def can_fork(environment: Mapping[str, str]) -> bool:
    """False where the environment would change how the interpreter starts."""
    return not any(map(is_of_a_start, environment))


def is_of_a_start(name: str) -> bool:
    """Whether the interpreter looks at this variable when it starts."""
    return name.startswith(_OF_A_START)


@contextmanager
def _begun(run: Run) -> Iterator[tuple[socket.socket, Callable[[bytes], Ended]]]:
    """What will say how it ended, and what that makes with what was printed."""
    with TemporaryFile() as given, TemporaryFile() as out, TemporaryFile() as err:
        given.write(run.stdin)
        given.seek(0)
        ours, theirs = socket.socketpair()
        with ours, theirs:
            request = json.dumps([run.arguments, dict(run.environment), str(run.folder)])
            handles = [given.fileno(), out.fileno(), err.fileno(), theirs.fileno()]
            socket.send_fds(_server(), [request.encode()], handles)
            theirs.close()

            def ended(status: bytes) -> Ended:
                out.seek(0)
                err.seek(0)
                return Ended(os.waitstatus_to_exitcode(int(status)), out.read(), err.read())

            yield ours, ended


def run_forked(run: Run, patience: float) -> Ended:
    """Run it to its end. Raises TimeoutError."""
    with _begun(run) as (ending, ended):
        ending.settimeout(patience)
        return ended(ending.recv(_STATUS))


async def await_forked(run: Run, patience: float) -> Ended:
    """The same, while the event loop goes on."""
    with _begun(run) as (ending, ended):
        ending.setblocking(False)
        async with asyncio.timeout(patience):
            return ended(await asyncio.get_running_loop().sock_recv(ending, _STATUS))


@cache
def _server() -> socket.socket:
    """To the process that forks; it ends with this one."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__)), str(theirs.fileno())],
        env={"PATH": os.environ["PATH"]}, cwd="/", pass_fds=[theirs.fileno()],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    theirs.close()

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours


def _load() -> None:
    for module in sorted(set(COMMANDS.values())):
        if find_spec(f"fob_daemon.cli.{module}") is not None:
            import_module(f"fob_daemon.cli.{module}")
    gc.freeze()


def _serve(requests: socket.socket) -> None:
    """Returns in a new process for each request, which has its surroundings; ends when nobody asks any more."""
    while True:
        data, handles, _, _ = socket.recv_fds(requests, 1 << 20, _STREAMS + 1)
        if not data:
            sys.exit()
        if os.fork() == 0:
            requests.close()
            break
        for handle in handles:
            os.close(handle)
        _reap()
    # One process waits for the other, and says how it ended.
    if (child := os.fork()) != 0:
        _, status = os.waitpid(child, 0)
        os.write(handles[_STREAMS], str(status).encode())
        os._exit(0)
    sys.argv[1:], environment, folder = json.loads(data)
    for stream, handle in enumerate(handles[:_STREAMS]):
        os.dup2(handle, stream)
    for handle in handles:
        os.close(handle)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()


def _reap() -> None:
    """Those who have said how theirs ended."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


if __name__ == "__main__":
    _load()
    with socket.socket(fileno=int(sys.argv[1])) as requests:
        _serve(requests)
    main()
