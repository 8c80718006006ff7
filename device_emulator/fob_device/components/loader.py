"""What a start does: measures a set's components, puts them at their places, starts them in order (C16, C27)."""

from typing import Final

from fob_device.components.boot_record import Held, Phase
from fob_device.components.boot_state import BootState
from fob_device.components.contents import Contents
from fob_device.components.equipment import Equipment
from fob_device.components.errors import PhaseError
from fob_device.components.memory import Memory
from fob_device.components.offer import OpenedOffer, issued_by, open_offer
from fob_device.components.running import Failure, LoadedComponent, Running, Runtime
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
            opened, components = self._measure(candidate, memory)
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
        return Running(candidate, True, tuple(components), ())

    def _run_confirmed(self, memory: Memory, failures: list[Failure]) -> Running:
        confirmed = self._boot.record.confirmed
        if confirmed is None:
            return Running(None, False, (), tuple(failures))
        try:
            _, components = self._measure(confirmed, memory)
        except OfficeError as error:
            failures.append(Failure(confirmed.set_number, None, error.fault, error.why))
            return Running(None, False, (), tuple(failures))
        started = self._start_each(confirmed, components, failures)
        return Running(confirmed, False, tuple(started), tuple(failures))

    def _start_each(
        self, held: Held, components: list[LoadedComponent], failures: list[Failure]
    ) -> list[LoadedComponent]:
        """A component of a confirmed set that fails takes with it only what depends on it."""
        started: dict[str, LoadedComponent] = {}
        for component in components:
            release = component.release
            lacking = [needed.id for needed in release.dependencies if needed.id not in started]
            if lacking:
                failures.append(Failure(held.set_number, release.id, NO_DEPENDENCY, f"{lacking[0]} does not run"))
                continue
            try:
                self._runtime.start(component)
            except RunError as error:
                failures.append(Failure(held.set_number, release.id, error.fault, error.why))
            else:
                started[release.id] = component
        return list(started.values())

    def _measure(self, held: Held, memory: Memory) -> tuple[OpenedOffer, list[LoadedComponent]]:
        """The set at its places; what is handed on is what was hashed. Raises OfficeError."""
        opened = open_offer(self._sets.read(held), self._equipment, issued_by(self._equipment.issuer), None)
        check_places(opened.items, self._equipment.memory_map)
        for item in opened.in_order:
            memory.write(item.entry.start, self._contents.open(item))
        loaded = [
            LoadedComponent(item.release, item.entry.start, memory.read(item.entry.start, item.release.size))
            for item in opened.in_order
        ]
        for component in loaded:
            if digest(component.content) != component.release.digest:
                raise OfficeError(Fault.WRONG_DIGEST, f"{component.release.id} is not what was released")
        return opened, loaded

    def _revert(self, reason: str) -> None:
        self._trial = None
        self._boot.end(Outcome.REVERTED, reason)
        tidy(self._storage, self._boot.record)
