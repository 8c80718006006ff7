"""Programs of ours forked from one process that has loaded them all: a start takes a tenth of a second.

Each is what is installed: the program's own `main` with its arguments, alone in its process, which SIGKILL ends.
"""

import asyncio
import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Final, NoReturn

# Seconds for a start or an end.
PATIENCE: Final = 20.0

PROGRAMS: Final = {"fobd": "fob_daemon.main", "fob-device": "fob_device.main", "fob-office": "fob_office.main"}
# What they load when it is first needed.
_LATER: Final = (
    "anyio._backends._asyncio", "cryptography.hazmat.backends.openssl.backend", "encodings.idna", "pydantic.v1",
    "uvloop", "fob_daemon.control.http_server", "fob_daemon.link.ble.hci.host", "fob_daemon.link.serial_transport",
    "fob_daemon.relay.http_office", "fob_device.components.runtime.module", "fob_device.office.switching",
    "fob_device.ports.ble.station", "fob_device.ports.pty", "fob_office.cli.run", "fob_office.http.serving",
)  # fmt: skip


class Child:
    """A program that runs; its words go to `log`. `ready` is what it said when it was (sd_notify(3))."""

    def __init__(self, pid: int, log: Path, manager: socket.socket) -> None:
        self.log = log
        self.ready = ""
        self._process = os.pidfd_open(pid)
        self._manager = manager

    async def until_ready(self) -> None:
        """As services say it."""
        try:
            async with asyncio.timeout(PATIENCE):
                self.ready = (await asyncio.get_running_loop().sock_recv(self._manager, 4096)).decode()
        except TimeoutError:
            raise AssertionError(f"it did not become ready: {self.log.read_text()}") from None
        assert self.ready.startswith("READY=1")

    def kill(self) -> None:
        """It is gone when this returns, and had no time for a word."""
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._process, signal.SIGKILL)
        self._await_end()

    def stop(self) -> None:
        """End it politely."""
        signal.pidfd_send_signal(self._process, signal.SIGTERM)
        self._await_end()

    def close(self) -> None:
        """It is not asked for any more."""
        self.kill()
        os.close(self._process)
        self._manager.close()

    def _await_end(self) -> None:
        poll = select.poll()
        poll.register(self._process, select.POLLIN)
        assert poll.poll(1000 * PATIENCE), self.log.read_text()


class Nursery:
    """Whatever it has started ends with it."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def start(self, program: str, *arguments: str, log: Path) -> Child:
        """It is not ready yet."""
        place = log.with_suffix(".ready")
        place.unlink(missing_ok=True)
        manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        manager.setblocking(False)
        manager.bind(str(place))
        return Child(self._fork(program, arguments, log, str(place)), log, manager)

    def _fork(self, program: str, arguments: Sequence[str], log: Path, ready: str) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([program, arguments, str(log), ready]) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


@contextmanager
def nursery() -> Iterator[Nursery]:
    """As long as the block lasts."""
    command = [sys.executable, "-m", __name__]
    with subprocess.Popen(
        command, cwd=Path(__file__).parents[1], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        # What ends the tests at once, as Ctrl-C does, leaves it the time to end its children.
        start_new_session=True,
    ) as process:  # fmt: skip
        yield Nursery(process)
        process.communicate()


def _raise_children() -> None:
    """One for each line; they do not outlive whoever asks for them."""
    for module in (*PROGRAMS.values(), *_LATER):
        import_module(module)
    # What is loaded is shared with the children as long as nobody touches it.
    gc.freeze()
    # Children vanish without being waited for.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    children = []
    for line in sys.stdin:
        program, arguments, log, ready = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _become(program, arguments, log, ready)
        children.append(os.pidfd_open(pid))
        print(pid, flush=True)
    for child in children:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(child, signal.SIGKILL)


def _become(program: str, arguments: Sequence[str], log: str, ready: str) -> NoReturn:
    """As a service manager would start it."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    words = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for source, target in ((os.open(os.devnull, os.O_RDONLY), 0), (words, 1), (words, 2)):
        os.dup2(source, target)
    os.environ["NOTIFY_SOCKET"] = ready
    sys.argv = [program, *arguments]
    status = 1
    try:
        import_module(PROGRAMS[program]).main()
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    _raise_children()
