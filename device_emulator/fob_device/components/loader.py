"""What a start does: measures a set's components, puts them at their places, starts them in order (C16, C27)."""

from typing import Final

from fob_device.components.boot_record import Held, Phase
from fob_device.components.boot_state import BootState
from fob_device.components.contents import Contents
from fob_device.components.equipment import Equipment
from fob_device.components.errors import PhaseError
from fob_device.components.memory import Memory
from fob_device.components.offer import Item, OpenedOffer, issued_by, open_offer
from fob_device.components.running import Failure, FoundComponent, LoadedComponent, Running, Runtime
from fob_device.components.runtime.errors import RunError
from fob_device.components.set_files import SetFiles
from fob_device.components.storage import Storage
from fob_device.components.tidying import tidy
from fob_device.components.vector_table import check_places
from fob_protocol.office.configuration import Outcome
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.hashing import digest
from fob_protocol.office.limits import BOOT_TRIES

# The reason of a report: the trial has begun BOOT_TRIES times, and was never confirmed.
OUT_OF_TRIES: Final = "out-of-tries"
# The fault of a component when one that it depends on does not run.
NO_DEPENDENCY: Final = "no-dependency"


class Loader:
    """Runs the candidate that is to be tried, or else the confirmed set, or else none; never a mix of two."""

    def __init__(self, storage: Storage, equipment: Equipment, boot: BootState, runtime: Runtime) -> None:
        self._storage = storage
        self._equipment = equipment
        self._boot = boot
        self._runtime = runtime
        self._sets = SetFiles(storage)
        self._contents = Contents(storage)
        self._trial: OpenedOffer | None = None

    def start(self, memory: Memory) -> Running:
        """At power-on, after the boot program. Raises OSError; whatever is wrong with a set is in `failures`."""
        self._runtime.stop()
        self._trial = None
        tidy(self._storage, self._boot.record)
        failures: list[Failure] = []
        candidate = self._boot.record.candidate
        if candidate is not None and self._boot.record.phase in (Phase.STAGED, Phase.TRIAL):
            running = self._try(candidate, memory, failures)
            if running is not None:
                return running
        return self._run_confirmed(memory, failures)

    def confirm(self) -> None:
        """The trial that runs is well. Raises PhaseError when none runs."""
        if self._trial is None:
            raise PhaseError("no trial runs")
        self._boot.confirm(self._trial.manifest.security_counter, self._trial.catalogue)
        self._trial = None
        tidy(self._storage, self._boot.record)

    def revert(self, reason: str) -> None:
        """The trial that runs is not well; the confirmed set runs at the next start. Raises PhaseError."""
        if self._trial is None:
            raise PhaseError("no trial runs")
        self._revert(reason)

    def _try(self, candidate: Held, memory: Memory, failures: list[Failure]) -> Running | None:
        if self._boot.record.tries >= BOOT_TRIES:
            failures.append(Failure(candidate.set_number, None, OUT_OF_TRIES, f"begun {BOOT_TRIES} times"))
            self._revert(OUT_OF_TRIES)
            return None
        try:
            opened = self._open(candidate)
            components = [self._load(item, memory) for item in opened.in_order]
        except OfficeError as error:
            failures.append(Failure(candidate.set_number, None, error.fault, error.why))
            self._revert(error.fault)
            return None
        # Nothing of the set has run before this is on the disk; a cut while it was measured has cost no try.
        self._boot.begun()
        try:
            for component in components:
                self._runtime.start(component)
        except RunError as error:
            failures.append(Failure(candidate.set_number, component.release.id, error.fault, error.why))
            self._runtime.stop()
            self._revert(error.fault)
            return None
        self._trial = opened
        found = tuple(
            FoundComponent(item.release, item.entry.release, component.content)
            for item, component in zip(opened.in_order, components, strict=True)
        )
        return Running(candidate, True, tuple(components), (), found)

    def _run_confirmed(self, memory: Memory, failures: list[Failure]) -> Running:
        confirmed = self._boot.record.confirmed
        if confirmed is None:
            return Running(None, False, (), tuple(failures))
        try:
            opened = self._open(confirmed)
        except OfficeError as error:
            failures.append(Failure(confirmed.set_number, None, error.fault, error.why))
            return Running(None, False, (), tuple(failures))
        started: dict[str, LoadedComponent] = {}
        found = []
        for item in opened.in_order:
            component, why = self._start_one(item, memory, started)
            found.append(component)
            if component.fault:
                failures.append(Failure(confirmed.set_number, item.release.id, component.fault, why))
        return Running(confirmed, False, tuple(started.values()), tuple(failures), tuple(found))

    def _start_one(self, item: Item, memory: Memory, started: dict[str, LoadedComponent]) -> tuple[FoundComponent, str]:
        """What there is of a component, and why it does not run: that takes with it only what depends on it."""
        release = item.release
        try:
            content = self._place(item, memory)
        except OfficeError as error:
            return FoundComponent(release, item.entry.release, self._contents.sealed(item), error.fault), error.why
        fault, why = self._start(LoadedComponent(release, item.entry.start, content), started)
        return FoundComponent(release, item.entry.release, content, fault), why

    def _start(self, component: LoadedComponent, started: dict[str, LoadedComponent]) -> tuple[str, str]:
        """The rule by which it does not run, and why; both are empty for one that does."""
        release = component.release
        lacking = [needed.id for needed in release.dependencies if needed.id not in started]
        try:
            _check(component)
            if lacking:
                return NO_DEPENDENCY, f"{lacking[0]} does not run"
            self._runtime.start(component)
        except (OfficeError, RunError) as error:
            return error.fault, error.why
        started[release.id] = component
        return "", ""

    def _open(self, held: Held) -> OpenedOffer:
        """What the set is to hold, and where. Raises OfficeError."""
        opened = open_offer(self._sets.read(held), self._equipment, issued_by(self._equipment.issuer), None)
        check_places(opened.items, self._equipment.memory_map)
        return opened

    def _place(self, item: Item, memory: Memory) -> bytes:
        """The octets that stand at a component's place when it was put there. Raises OfficeError."""
        memory.write(item.entry.start, self._contents.open(item))
        return memory.read(item.entry.start, item.release.size)

    def _load(self, item: Item, memory: Memory) -> LoadedComponent:
        """What is handed on is what was read in memory and hashed. Raises OfficeError."""
        component = LoadedComponent(item.release, item.entry.start, self._place(item, memory))
        _check(component)
        return component

    def _revert(self, reason: str) -> None:
        self._trial = None
        self._boot.end(Outcome.REVERTED, reason)
        tidy(self._storage, self._boot.record)


def _check(component: LoadedComponent) -> None:
    if digest(component.content) != component.release.digest:
        raise OfficeError(Fault.WRONG_DIGEST, f"{component.release.id} is not what was released")
