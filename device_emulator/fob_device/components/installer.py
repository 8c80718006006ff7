"""Takes a granted set: checks it, fetches what is not there, and leaves it staged for the next start."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from fob_device.components.boot_record import Phase
from fob_device.components.boot_state import BootState
from fob_device.components.contents import Contents
from fob_device.components.equipment import Equipment
from fob_device.components.errors import PhaseError
from fob_device.components.offer import Offer
from fob_device.components.set_checks import Plan, check_offer
from fob_device.components.set_files import SetFiles
from fob_device.components.storage import Storage
from fob_device.components.tidying import tidy
from fob_protocol.office.configuration import Outcome
from fob_protocol.office.errors import OfficeError
from fob_protocol.office.trust import Trust


@dataclass(frozen=True, slots=True)
class Wanted:
    """A chunk to ask for: `release` is the digest of the signed release, as in GetChunk."""

    release: bytes
    index: int


class Installer:
    """One installation at a time. A refusal is an OfficeError, is in the boot record for the report, and ends it.

    Methods raise PhaseError out of turn, and OSError, after which the same call may be repeated.
    """

    def __init__(self, storage: Storage, equipment: Equipment, boot: BootState) -> None:
        self._storage = storage
        self._equipment = equipment
        self._boot = boot
        self._sets = SetFiles(storage)
        self._contents = Contents(storage)
        self._plan: Plan | None = None

    @property
    def plan(self) -> Plan:
        """What is being fetched. Raises PhaseError when nothing is."""
        if self._plan is None:
            raise PhaseError("nothing is being fetched")
        return self._plan

    def take(self, offer: Offer, challenge: bytes, trust: Trust) -> Plan:
        """A new grant, in answer to the request with this challenge, also in place of one that is being fetched.

        What came for that one and fits is kept.
        """
        if self._boot.record.phase not in (Phase.IDLE, Phase.FETCHING):
            raise PhaseError("a set waits for its trial")
        with self._refusing():
            plan = check_offer(offer, self._equipment, self._boot.record, trust, challenge)
        if self._boot.record.phase is Phase.FETCHING:
            self._boot.dropped()
        slot = self._boot.record.free_slot
        self._boot.granted(self._sets.write(slot, plan.manifest.set_number, offer))
        return self._begin(plan)

    def resume(self, trust: Trust) -> Plan | None:
        """After a start: what was being fetched, checked again; None when nothing was."""
        candidate = self._boot.record.candidate
        if self._boot.record.phase is not Phase.FETCHING or candidate is None:
            return None
        with self._refusing():
            plan = check_offer(self._sets.read(candidate), self._equipment, self._boot.record, trust)
        return self._begin(plan)

    def wanted(self) -> list[Wanted]:
        """The chunks that are not there."""
        with self._refusing():
            return [
                Wanted(item.entry.release, index)
                for item in self.plan.items
                for index in sorted(self._contents.missing(item))
            ]

    def add(self, wanted: Wanted, chunk: bytes) -> None:
        """A chunk, sealed as it came."""
        item = next((item for item in self.plan.items if item.entry.release == wanted.release), None)
        if item is None:
            raise PhaseError("a chunk of no release that is being fetched")
        with self._refusing():
            self._contents.add(item, wanted.index, chunk)

    def stage(self, trust: Trust) -> None:
        """All of it is here: it is checked once more, by the time of now, and the next start tries it."""
        if self.wanted():
            raise PhaseError("chunks are missing")
        with self._refusing():
            check_offer(self.plan.offer, self._equipment, self._boot.record, trust)
        self._boot.complete()
        self._over()

    def give_up(self, reason: str) -> None:
        """It cannot be fetched; `reason` is a word for the report."""
        self._boot.end(Outcome.FAILED, reason)
        self._over()

    def _begin(self, plan: Plan) -> Plan:
        tidy(self._storage, self._boot.record)
        self._contents.forget()
        self._plan = plan
        return plan

    def _over(self) -> None:
        tidy(self._storage, self._boot.record)
        self._contents.forget()
        self._plan = None

    @contextlib.contextmanager
    def _refusing(self) -> Iterator[None]:
        try:
            yield
        except OfficeError as error:
            self._boot.end(Outcome.REFUSED, error.fault)
            self._over()
            raise
