"""The supervisor: starts what belongs to this machine, watches the rest, and moves slots from boxes that are gone."""

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog

from fob_office.centre.boxes.folder import open_folder, was_tampered_with
from fob_office.centre.boxes.identity import read_party
from fob_office.centre.boxes.process import loop_factory
from fob_office.centre.boxes.views import View
from fob_office.centre.bus.asking import Links
from fob_office.centre.bus.directory import FILE as DIRECTORY
from fob_office.centre.bus.directory import Entry, read_entries
from fob_office.centre.bus.errors import DirectoryError
from fob_office.centre.bus.passes import Kind
from fob_office.centre.function.peers import LinkedPeers
from fob_office.centre.operating.operator import Operator, told
from fob_office.centre.payment.single import check_one_provider
from fob_office.centre.places import MANUFACTURING, CentreSettings, load_centre, sockets_made
from fob_office.centre.supervising.addresses import place_sockets
from fob_office.centre.supervising.child import Start, prepare
from fob_office.centre.supervising.figures import Gathering, write_figures
from fob_office.centre.supervising.history import History
from fob_office.centre.supervising.leaving import who_leaves
from fob_office.centre.supervising.limits import FIGURES_PAUSE, LOOK_PAUSE
from fob_office.centre.supervising.local import LocalProcess, State
from fob_office.centre.supervising.lock import supervising
from fob_office.centre.supervising.meters import MeterWatch
from fob_office.centre.supervising.moving import Moving
from fob_office.centre.supervising.passes import PassWatch
from fob_office.centre.supervising.policy import BoxState
from fob_office.centre.supervising.renewing import renew_passes
from fob_office.centre.supervising.status import ProcessStatus, Status, lost_kinds, write_status
from fob_office.centre.supervising.steel import SteelWatch
from fob_office.centre.supervising.warnings import Warnings
from fob_office.centre.view_file import ViewFile, write_view
from fob_office.secrets.private_file import owner_alone
from fob_office.settings import LogSettings
from fob_office.surroundings import Surroundings

log = structlog.get_logger(__name__)

_OWNER_ONLY: Final = 0o700
# One after another: who asks ends before who is asked.
STAGES: Final = (
    (Kind.COMMUNICATION,),
    (Kind.FUNCTION,),
    (Kind.DATABASE, Kind.PAYMENT),
    (Kind.METER, Kind.AUTHENTICATION, Kind.TRANSACTION, Kind.STEEL),
    (Kind.MANUFACTURING,),
)


def run_centre(
    centre: Path, surroundings: Surroundings, logs: LogSettings, on_ready: Callable[[], None]
) -> None:  # fmt: skip
    """Until SIGTERM or SIGINT. Raises OperatorError, OSError."""
    settings = load_centre(centre)
    with owner_alone(), supervising(centre):
        # An earlier version made it as the umask was.
        centre.chmod(_OWNER_ONLY)
        with told("the data centre does not run"):
            check_one_provider(centre)
        prepare()
        with sockets_made(centre) as sockets:
            place_sockets(centre, sockets)
            with told("the data centre does not run"):
                forgotten = renew_passes(centre, surroundings)
            with told("the data centre does not run"), asyncio.Runner(loop_factory=loop_factory()) as runner:
                runner.run(Supervisor(centre, settings, surroundings, logs, forgotten).run(on_ready))


class Supervisor:
    """Of one data centre, on one machine."""

    def __init__(
        self, centre: Path, settings: CentreSettings, surroundings: Surroundings, logs: LogSettings, forgotten: str
    ) -> None:
        """`forgotten`: by the manufacturing box, as it began. Raises TamperedError, OperatorError."""
        self._centre = centre
        self._settings = settings
        self._logs = logs
        folder = open_folder(centre / settings.operator, settings.operator, surroundings.random)
        me, directory = read_party(folder, centre, surroundings)
        self._manufacturing = me.trust.manufacturing
        self._links = Links(me, directory)
        self._history = History(centre, self._manufacturing)
        self._warnings = Warnings(self._links, surroundings.clock)
        self._was_put_back(forgotten)
        self._moving = Moving(centre, self._links, self._history, self._was_put_back)
        views = ViewFile(centre, self._manufacturing)
        operator = Operator(
            centre, settings, surroundings, self._manufacturing, self._links, LinkedPeers(self._links, views)
        )
        self._steel = SteelWatch(operator, views, self._steel_boxes, self._warnings, lambda: self._changed.set())
        self._passes = PassWatch(centre, self._links, surroundings.clock, self._was_put_back)
        self._local: dict[str, LocalProcess] = {}
        self._meters: dict[str, tuple[MeterWatch, asyncio.Task[None]]] = {}
        self._entries: dict[str, Entry] = {}
        self._status: Status | None = None
        self._changed = asyncio.Event()
        self._ending: set[asyncio.Task[None]] = set()

    async def run(self, on_ready: Callable[[], None]) -> None:
        """Until SIGTERM or SIGINT; all that was started has ended then."""
        stopping = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopping.set)
        if (newest := self._history.newest) is not None:
            # It may have been cut off between the two files.
            write_view(self._centre, self._history.signed(newest.number) or b"")
        works = (self._work(on_ready), self._count(), self._steel.run(), self._passes.run())
        tasks = [asyncio.create_task(work) for work in works]
        waiting = asyncio.create_task(stopping.wait())
        try:
            await asyncio.wait((*tasks, waiting), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (waiting, *tasks):
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            await self._stop()
        for error in ended:
            if isinstance(error, Exception):
                raise error

    async def _work(self, on_ready: Callable[[], None]) -> None:
        is_told = False
        while True:
            self._changed.clear()
            try:
                self._follow_directory()
                await self._move_slots()
                self._tell()
            except OSError as error:
                # A disk that is full ends no process.
                log.error("the supervisor cannot write", why=error.strerror)
                await asyncio.sleep(LOOK_PAUSE)
                continue
            if self._is_settled() and not is_told:
                on_ready()
                is_told = True
            try:
                await asyncio.wait_for(self._changed.wait(), LOOK_PAUSE)
            except TimeoutError:
                continue

    async def _count(self) -> None:
        """What the processes have done, for the office."""
        gathering = Gathering(self._links, self._warnings.add)
        while True:
            await asyncio.sleep(FIGURES_PAUSE)
            try:
                write_figures(self._centre, await gathering.gather(self._moving.failovers))
                await self._warnings.send()
            except (OSError, DirectoryError) as error:
                log.warning("what processes have done is not known", why=str(error))

    def _follow_directory(self) -> None:
        """Processes that were added or removed."""
        try:
            found = read_entries(self._centre / DIRECTORY)
        except DirectoryError as error:
            log.error("the directory cannot be read", why=str(error))
            return
        entries = {entry.name: entry for entry in found if entry.kind != Kind.OPERATOR}
        for name in self._entries.keys() - entries.keys():
            self._forget(name)
        for name in entries.keys() - self._entries.keys():
            self._take_up(entries[name])
        self._entries = entries

    def _take_up(self, entry: Entry) -> None:
        folder = self._centre / entry.name
        if folder.is_dir():
            database = self._settings.database if entry.kind == Kind.DATABASE else None
            process = LocalProcess(Start(folder, self._centre, database, self._logs), self._changed.set)
            self._local[entry.name] = process
            process.start()
        if entry.kind == Kind.METER:
            watch = MeterWatch(self._links.to(entry.name), self._history, self._manufacturing, self._changed.set)
            self._meters[entry.name] = watch, asyncio.create_task(watch.run())

    def _forget(self, name: str) -> None:
        if name in self._meters:
            self._meters.pop(name)[1].cancel()
        if name in self._local:
            process = self._local.pop(name)
            self._ending.add(task := asyncio.create_task(process.stop()))
            task.add_done_callback(self._ending.discard)

    async def _move_slots(self) -> None:
        newest = self._history.newest
        if newest is None:
            return
        for name, (watch, _) in self._meters.items():
            if name in self._local and self._local[name].state == State.TAMPERED:
                watch.is_tampered = True
        leaves = who_leaves(self._centre)
        boxes = {
            name: BoxState(is_there=False) if name == leaves else watch.state(newest)
            for name, (watch, _) in self._meters.items()
        }
        passes = {name: entry.shown for name, entry in self._entries.items()}
        if await self._moving.look(newest, boxes, passes):
            for watch, _ in self._meters.values():
                watch.wake()
            self._changed.set()

    def _was_put_back(self, forgotten: str) -> None:
        """The manufacturing box, which goes on from what it was shown."""
        if forgotten:
            why = f"{MANUFACTURING} was put back to an older folder: {forgotten}"
            self._warnings.add(f"{why}. It was shown that, and goes on from there", "status")

    def _tell(self) -> None:
        """In its file, where it is another than before. Raises OSError."""
        status = self._now()
        if status != self._status:
            write_status(self._centre, status)
            self._status = status

    def _now(self) -> Status:
        newest = self._history.newest
        number = newest.number if newest is not None else 0
        processes = tuple(self._status_of(entry) for entry in self._entries.values())
        is_ready = self._is_settled() and not lost_kinds(processes) and not self._moving.is_stuck
        no_view, due = self._moving.no_view, self._passes.due
        return Status(os.getpid(), is_ready, number, self._alone(newest), processes, no_view=no_view, due=due)

    def _is_settled(self) -> bool:
        """Nobody is waited for any more: those that were tampered with never come."""
        newest = self._history.newest
        number = newest.number if newest is not None else 0
        watches = [watch for watch, _ in self._meters.values() if not watch.is_tampered]
        settled = (State.READY, State.TAMPERED)
        return all(process.state in settled for process in self._local.values()) and all(
            watch.seen is not None and watch.seen.view == number for watch in watches
        )

    def _alone(self, newest: View | None) -> int:
        """Slots that nobody would take over."""
        if newest is None:
            return 0
        states = {name: watch.state(newest) for name, (watch, _) in self._meters.items()}
        return sum(
            slot.second not in states or not states[slot.second].is_there or number not in states[slot.second].complete
            for number, slot in enumerate(newest.slots)
        )

    def _status_of(self, entry: Entry) -> ProcessStatus:
        process = self._local.get(entry.name)
        watched = self._meters.get(entry.name)
        seen = watched[0].seen if watched is not None else None
        view = seen.view if seen is not None else None
        newest = self._history.newest
        slots = sum(slot.owner == entry.name for slot in newest.slots) if watched and newest is not None else None
        if process is None:
            return ProcessStatus(entry.name, entry.kind.word, State.ELSEWHERE, view=view, slots=slots)
        # One that runs says so in its folder.
        is_tampered = was_tampered_with(self._centre / entry.name)
        is_tampered |= watched is not None and watched[0].is_tampered
        state = State.TAMPERED if is_tampered else process.state
        why = self._steel.found.get(entry.name, "")
        if state == State.READY and (why or (seen is not None and seen.was_put_back)):
            state = State.PUT_BACK
        return ProcessStatus(entry.name, entry.kind.word, state, process.pid, process.restarts, view, slots, why)

    def _steel_boxes(self) -> list[str]:
        """Those that are to answer, here or elsewhere."""
        return [
            name
            for name, entry in self._entries.items()
            if entry.kind == Kind.STEEL and (name not in self._local or self._local[name].state == State.READY)
        ]

    async def _stop(self) -> None:
        for _, task in self._meters.values():
            task.cancel()
        for kinds in STAGES:
            names = [name for name in self._local if self._entries[name].kind in kinds]
            await asyncio.gather(*(self._local[name].stop() for name in names))
        await asyncio.gather(*self._ending)
        self._links.close()
        self._tell()
