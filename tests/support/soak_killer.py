"""Who kills: a process or two by SIGKILL, at any moment; what nobody supervises is started again."""

import asyncio
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

from support.postgresql import Cluster
from support.soaked_office import SoakedOffice, until

# How often each is struck, beside one for each process of the data centre.
SUPERVISOR: Final = 0.4
FORK_SERVER: Final = 0.5
OFFICE: Final = 0.3
HANG: Final = 0.5
PHONE: Final = 2.5
DATABASE: Final = 1.5
# Of all blows: a second one falls at the same time.
TWO: Final = 0.25
# Tries to start PostgreSQL, whose processes go only when they see that the first is gone.
_STARTS: Final = 40
_PAUSE: Final = 0.25

Blow = Callable[[], Awaitable[None]]


class Killer:
    """`kills` counts what struck, by what was killed."""

    def __init__(self, office: SoakedOffice, cluster: Cluster | None, seed: int) -> None:
        self.kills: Counter[str] = Counter()
        self._office = office
        self._cluster = cluster
        self._random = random.Random(seed)

    async def strike(self, pause: float) -> None:
        """After `pause` seconds on average."""
        await asyncio.sleep(self._random.expovariate(1 / pause))
        blows = self._blows()
        if not blows:
            return
        count = 2 if self._random.random() < TWO else 1
        chosen = self._random.choices([blow for blow, _ in blows], [weight for _, weight in blows], k=count)
        await asyncio.gather(*(blow() for blow in chosen))

    def _blows(self) -> list[tuple[Blow, float]]:
        """With weights. None while there is no supervisor, and misses while processes start: or nothing ever would."""
        status = self._office.status()
        if status is None:
            return []
        blows: list[tuple[Blow, float]] = [(partial(self._kill, one.pid, one.kind), 1.0) for one in status.processes]
        blows.append((lambda: self._kill(status.pid, "supervisor"), SUPERVISOR))
        blows.append((lambda: self._kill(_fork_server_of(status.pid), "fork server"), FORK_SERVER))
        blows.append((self._hang, HANG))
        blows.append((lambda: self._program("office", self._office.start), OFFICE))
        if self._office.programs.has("phone"):
            blows.append((lambda: self._program("phone", self._office.programs.start_phone), PHONE))
            blows.append((lambda: self._program("fobd", self._office.programs.start_daemon), PHONE))
        if self._cluster is not None:
            blows += [(self._postmaster, DATABASE), (self._backend, DATABASE)]
        return blows

    def _note(self, what: str) -> None:
        self.kills[what] += 1
        with (self._office.scratch.folder / "kills.log").open("a") as log:
            print(f"{time.time():.3f} {what}", file=log)

    async def _kill(self, pid: int | None, what: str) -> None:
        if pid is None:
            return
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            self._note(what)

    async def _program(self, name: str, start: Callable[[], None]) -> None:
        if not self._office.programs.has(name):
            # Two blows at once; it is being started.
            return
        self._office.programs.kill(name)
        self._note(name)
        await asyncio.to_thread(start)

    async def _hang(self) -> None:
        """A meter box stands still until its slots are another's, and is killed then."""
        status = self._office.status()
        boxes = [one for one in status.processes if one.kind == "meter" and one.pid] if status is not None else []
        if status is None or not boxes:
            return
        box = self._random.choice(boxes)
        assert box.pid is not None
        with suppress(ProcessLookupError):
            os.kill(box.pid, signal.SIGSTOP)

        def is_over() -> bool:
            now = self._office.status()
            return now is None or now.view > status.view or now.pid != status.pid or not _is_stopped(box.pid)

        await until(is_over, lambda: f"nobody takes over from {box.name}")
        await self._kill(box.pid, "meter, after it hung")

    async def _postmaster(self) -> None:
        assert self._cluster is not None
        await self._kill(self._cluster.pid, "postmaster")
        for _ in range(_STARTS):
            with suppress(AssertionError):
                await asyncio.to_thread(self._cluster.start)
                return
            await asyncio.sleep(_PAUSE)
        raise AssertionError("PostgreSQL does not start again")

    async def _backend(self) -> None:
        """All of its processes begin anew then."""
        assert self._cluster is not None
        with suppress(FileNotFoundError):
            await self._kill(self._random.choice(_children(self._cluster.pid) or [None]), "PostgreSQL's process")


def _children(pid: int) -> list[int | None]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _fork_server_of(pid: int) -> int | None:
    with suppress(FileNotFoundError, ProcessLookupError):
        for child in _children(pid):
            if b"forkserver" in Path(f"/proc/{child}/cmdline").read_bytes():
                return child
    return None


def _is_stopped(pid: int | None) -> bool:
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
    return False
