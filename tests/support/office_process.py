"""`fob-office` in processes of its own."""

import os
import re
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from shutil import copyfileobj
from threading import Thread

import httpx

from fob_office.cli.context import Cli
from fob_office.cli.main import run
from fob_office.tls import CA_FILE

PROGRAM = [sys.executable, "-m", "fob_office.main"]


def fob_office(state: Path, *arguments: str) -> str:
    """One command, in this process, which is faster; what it prints. It has to end well."""
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        status = run([*arguments, "--state", str(state)], Cli())
    assert status == 0, err.getvalue()
    return out.getvalue()


@dataclass
class RunningOffice:
    """`fob-office run`, at a free port."""

    process: subprocess.Popen[str]
    url: str
    state: Path

    @contextmanager
    def client(self) -> Iterator[httpx.Client]:
        """A client with connections of its own; with several workers the next one may reach another."""
        trusted = ssl.create_default_context(cafile=self.state / CA_FILE)
        with httpx.Client(base_url=self.url, verify=trusted, timeout=30) as client:
            yield client

    def workers(self) -> set[int]:
        """The processes that answer; uvicorn's are beside multiprocessing's own tracker of resources."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return {int(child) for child in children if b"spawn_main" in _command_line(child)}

    def stop(self) -> int:
        """Its exit status after SIGTERM."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


def _command_line(pid: str) -> bytes:
    with suppress(FileNotFoundError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


@contextmanager
def running_office(state: Path, *options: str) -> Iterator[RunningOffice]:
    """While it runs; whatever is left of it at the end is killed."""
    command = [*PROGRAM, "run", "--state", str(state), "--listen", "127.0.0.1:0", *options]
    with (state.parent / "office.log").open("w+") as log:
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
        assert process.stderr is not None
        # An office whose words nobody reads stands still when the pipe is full.
        reading = Thread(target=copyfileobj, args=(process.stderr, log), daemon=True)
        try:
            for line in process.stderr:
                log.write(line)
                if found := re.fullmatch(r"listening at (https?)://127\.0\.0\.1:(\d+)\n", line):
                    reading.start()
                    yield RunningOffice(process, f"{found[1]}://localhost:{found[2]}", state)
                    break
            else:
                log.flush()
                raise AssertionError(f"the office did not start: {(state.parent / 'office.log').read_text()}")
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            if reading.is_alive():
                reading.join(30)
            process.stderr.close()
            process.wait(30)
