"""What fobd costs: its start, its memory, its idling, and its processor time for one forwarded signature."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Final

from client import Client
from figures import Figure, at_most, run_bench
from fob_daemon.demo.processes import program
from fob_daemon.demo.scratch import Scratch
from process_meter import cpu_seconds, resident_mib
from stages import Stage, our_stage, run

# The least that a daemon in Python does: it imports asyncio, listens and says so, as fobd does.
BARE_DAEMON: Final = """
import asyncio, os, socket, sys
async def main():
    await asyncio.start_unix_server(lambda reader, writer: None, sys.argv[1])
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
        ready.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
    await asyncio.Event().wait()
asyncio.run(main())
"""

RUNS: Final = 15
QUICK_RUNS: Final = 2
START_TIME: Final = 20.0
IDLE_SECONDS: Final = 10
QUICK_IDLE_SECONDS: Final = 2
SIGNATURES: Final = 500
QUICK_SIGNATURES: Final = 50
MS: Final = 1000


def measure(quick: bool) -> Sequence[Figure]:
    """Start, then a daemon with a phone."""
    figures = starts(QUICK_RUNS if quick else RUNS)
    with our_stage() as stage:
        figures += running(stage, quick)
    return figures


def starts(count: int) -> list[Figure]:
    """From spawn to listening sockets, in turn with a bare daemon; and `fob status` without a daemon to wait for."""
    with tempfile.TemporaryDirectory(prefix="fob-bench-") as name:
        folder = Path(name)
        scratch = Scratch.in_folder(folder)
        scratch.write_files()
        bare = [sys.executable, "-c", BARE_DAEMON, str(folder / "bare.sock")]
        ours, reference, memory = [], [], []
        for _ in range(count):
            reference.append(start(bare, folder)[0])
            seconds, resident = start(program("fobd", "--config", str(scratch.config)), folder)
            ours.append(seconds)
            memory.append(resident)
    mine, theirs = median(ours), median(reference)
    detail = f"{mine * MS:.0f} and {theirs * MS:.0f} ms"
    return [
        Figure("fobd from spawn to its sockets / a bare asyncio daemon", mine / theirs, "times", at_most(1.5), detail),
        Figure("resident memory of fobd, nothing paired", median(memory), "MiB", at_most(35)),
    ]


def start(command: Sequence[str], folder: Path) -> tuple[float, float]:
    """Seconds until a program says READY=1, and its resident memory in MiB then. Raises TimeoutError."""
    address = folder / "ready.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
        ready.bind(str(address))
        ready.settimeout(START_TIME)
        began = perf_counter()
        process = subprocess.Popen(command, env=os.environ | {"NOTIFY_SOCKET": str(address)}, stderr=subprocess.DEVNULL)
        try:
            ready.recv(4096)
            took = perf_counter() - began
            resident = resident_mib(process.pid)
        finally:
            process.terminate()
            process.wait()
    address.unlink()
    # The bare daemon leaves its socket behind.
    (folder / "bare.sock").unlink(missing_ok=True)
    return took, resident


def running(stage: Stage, quick: bool) -> list[Figure]:
    """A daemon with a phone on a line."""
    stage.restart_daemon()
    pid = stage.daemon_pid()
    figures = [processor_time(stage, pid, key, quick) for key in ("P-256", "RSA-2048")]
    figures.append(idle(pid, quick))
    figures.append(Figure("resident memory of fobd that only signed, serial", resident_mib(pid), "MiB", at_most(35)))
    figures.append(status_time(stage, QUICK_RUNS if quick else RUNS))
    figures.append(Figure("the same after `fob status`", resident_mib(pid), "MiB", at_most(35)))
    return figures


def status_time(stage: Stage, count: int) -> Figure:
    """`fob status`, from its start to its end, beside the bare interpreter's."""
    status, bare = [], []
    for _ in range(count):
        began = perf_counter()
        subprocess.run([sys.executable, "-c", "pass"], check=True)
        bare.append(perf_counter() - began)
        began = perf_counter()
        run("fob", "--json", "status", environment=stage.environment)
        status.append(perf_counter() - began)
    detail = f"a bare interpreter {median(bare) * MS:.0f} ms"
    return Figure("fob status, all of it", median(status) * MS, "ms", None, detail)


def idle(pid: int, quick: bool) -> Figure:
    """Processor time while nobody wants anything."""
    seconds = QUICK_IDLE_SECONDS if quick else IDLE_SECONDS
    before = cpu_seconds(pid)
    time.sleep(seconds)
    used = (cpu_seconds(pid) - before) / seconds
    return Figure("idle fobd, device connected", used * MS, "ms/s", at_most(1), f"over {seconds} s")


def processor_time(stage: Stage, pid: int, key: str, quick: bool) -> Figure:
    """fobd's own part of a signature that a phone makes."""
    count = QUICK_SIGNATURES if quick else SIGNATURES
    with Client(stage.environment) as client:
        client.run("sign", 10, key)
        before = cpu_seconds(pid)
        took = client.run("sign", count, key)
        used = (cpu_seconds(pid) - before) / count
    detail = f"the program waited {median(took) * MS:.2f} ms"
    return Figure(f"fobd's processor time per {key} signature", used * MS, "ms", at_most(0.5), detail)


if __name__ == "__main__":
    run_bench(__doc__, measure)
