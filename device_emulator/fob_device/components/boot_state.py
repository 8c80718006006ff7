"""The boot record as it goes on, step by step: each step is on the disk before anything is done because of it."""

from msgspec.structs import replace

from fob_device.components.boot_record import BootCopies, BootRecord, Ended, Held
from fob_device.components.phases import Event, after
from fob_device.components.storage import Storage
from fob_protocol.office.component import Component
from fob_protocol.office.configuration import Outcome

_REASON_LIMIT = 64


class BootState:
    """One for the whole device: what every part of it goes by. Steps raise PhaseError out of turn, OSError."""

    def __init__(self, storage: Storage) -> None:
        """Raises BootRecordError."""
        self._copies = BootCopies(storage)
        self.record: BootRecord = self._copies.load()

    def granted(self, candidate: Held) -> None:
        """A set is checked, and is fetched now."""
        self._step(replace(self.record, candidate=candidate), Event.GRANTED)

    def dropped(self) -> None:
        """Another set is granted in place of the one that is being fetched."""
        self._step(replace(self.record, candidate=None), Event.DROPPED)

    def complete(self) -> None:
        """All of it is here and checked; the next start tries it."""
        self._step(self.record, Event.COMPLETE)

    def begun(self) -> None:
        """The first instruction of the candidate comes now."""
        self._step(replace(self.record, tries=self.record.tries + 1), Event.BEGUN)

    def confirm(self, security_counter: int, catalogue: tuple[Component, ...]) -> None:
        """The candidate is what runs from now on; counter and least versions step with this one write."""
        candidate = self.record.candidate
        confirmed = replace(
            self.record,
            confirmed=candidate,
            candidate=None,
            tries=0,
            security_counter=security_counter,
            catalogue=catalogue,
            ended=Ended(candidate.set_number if candidate else 0, Outcome.CONFIRMED, ""),
        )
        self._step(confirmed, Event.CONFIRMED)

    def end(self, outcome: Outcome, reason: str) -> None:
        """The candidate, or what was offered last, comes to nothing."""
        ended = Ended(self.record.set_number + 1, outcome, reason[:_REASON_LIMIT])
        self._step(replace(self.record, candidate=None, tries=0, ended=ended), Event.ENDED)

    def reported(self) -> None:
        """The office knows what became of the last set."""
        if self.record.ended is not None:
            self.record = self._copies.save(replace(self.record, ended=None))

    def _step(self, record: BootRecord, event: Event) -> None:
        phase = after(self.record.phase, event)
        self.record = self._copies.save(replace(record, phase=phase))
