"""An office with a data centre whose programs are killed, and started again: those of `fob demo`, in its folder."""

import asyncio
import re
import socket
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from fob_daemon.demo.links import SerialLink
from fob_daemon.demo.processes import Processes
from fob_daemon.demo.scratch import Scratch
from fob_office.centre.supervising.status import Status, status_now
from support import impatient_office
from support.office_process import fob_office
from support.running_centre import RunningCentre

HARDWARE: Final = "fob-phone-1"
# Mailers who pay afterwards owe some; nobody comes near the limit of a day.
CENTRE: Final = ("--credit", "10000", "--most-for-a-day", "1000000000")
# Seconds for all to be there again, on a machine that does other things too.
PATIENCE: Final = 90.0
_POLL: Final = 0.05
_PROGRAM: Final = (sys.executable, str(Path(impatient_office.__file__)))


class KillablePrograms(Processes):
    """Those that nobody supervises."""

    def start(self, name: str, command: Sequence[str]) -> str:
        """As it is there, in any thread and on a slow machine; what was logged before stays. Raises AssertionError."""
        address, log = self.scratch.folder / f"{name}.ready", self.scratch.folder / f"{name}.log"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready, log.open("ab") as words:
            ready.bind(str(address))
            ready.settimeout(0.1)
            try:
                process = self._running[name] = self._spawn(command, words, address)
                end = time.monotonic() + PATIENCE
                while process.poll() is None and time.monotonic() < end:
                    with suppress(TimeoutError):
                        if b"READY=1" in (said := ready.recv(4096)):
                            return said.decode()
            finally:
                address.unlink()
        raise AssertionError(f"{name} did not start: {log.read_text(errors='replace')[-2000:]}")

    def has(self, name: str) -> bool:
        """Whether it was started."""
        return name in self._running


class SoakedOffice:
    """`centre` is how mailers without a phone reach the data centre."""

    def __init__(self, folder: Path, options: Sequence[str] = ()) -> None:
        """Made, and not started. `options`: of `centre init`."""
        self.scratch = Scratch.in_folder(folder)
        self.state = self.scratch.office
        self.programs = KillablePrograms(self.scratch, SerialLink())
        self.url = ""
        fob_office(self.state, "init", "--listen", "127.0.0.1:0")
        fob_office(self.state, "component", "add", "--shipped", "--hardware", HARDWARE)
        fob_office(self.state, "centre", "init", *CENTRE, *options)
        self.centre = RunningCentre(self.state)

    def start(self) -> None:
        """At the place where it was before, if it was."""
        place = re.findall(r"[0-9.]+:\d+", self.url)
        command = [*_PROGRAM, "run", "--state", str(self.state), *(("--listen", *place) if place else ())]
        (self.url,) = re.findall(r"https://\S+", self.programs.start("office", command))

    def status(self) -> Status | None:
        """What the supervisor says, where there is one."""
        return status_now(self.centre.folder)

    async def settled(self) -> None:
        """Until all processes answer, and every slot is on two disks. Raises AssertionError."""
        await until(self._is_settled, lambda: f"the data centre is not whole: {self.status()}")

    def _is_settled(self) -> bool:
        status = self.status()
        return status is not None and status.is_ready and status.alone == 0


async def until(is_so: Callable[[], bool], why: Callable[[], str]) -> None:
    """Wait for other processes. Raises AssertionError with `why`."""
    end = asyncio.get_running_loop().time() + PATIENCE
    while not is_so():
        assert asyncio.get_running_loop().time() < end, why()
        await asyncio.sleep(_POLL)
