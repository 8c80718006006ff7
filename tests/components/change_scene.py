"""A device that runs one set and is to run another: what power cuts are tried on."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from fob_device.components.boot_record import Phase
from fob_device.components.machine import Machine
from fob_device.components.offer import Offer
from fob_device.components.running import Runtime
from fob_device.components.runtime.errors import RunFault
from fob_protocol.office.component import Kind
from fob_protocol.office.release import Dependency
from support.component_device import NotingRuntime, Shelf, equipped, install, trust
from support.faulty_storage import Disk, FaultyStorage, Files, Tears
from support.office_signers import CHALLENGE, OfficeSigners, Released

# FOB_POWER_CUTS=all: writes are torn at every octet, and 10,000 random runs are made in place of some.
THOROUGH: Final = os.environ.get("FOB_POWER_CUTS") == "all"


def some_tears(size: int) -> Iterable[int]:
    """Nothing came, half of it, all but the last octet."""
    return sorted({0, size // 2, size - 1})


def every_tear(size: int) -> Iterable[int]:
    """Of what is longer than a boot record, some."""
    return range(size) if size < 400 else some_tears(size)


TEARS: Final[Tears] = every_tear if THOROUGH else some_tears


@dataclass
class Started:
    """A device after power-on."""

    machine: Machine
    runtime: NotingRuntime
    storage: FaultyStorage

    @property
    def runs(self) -> dict[str, bytes]:
        """Component by component, the octets that were handed to the runtime."""
        return {component.release.id: component.content for component in self.runtime.started}


class ChangeScene:
    """Set 1 has rates and a table; set 2 newer rates, the same table and a slogan, and counter 5."""

    def __init__(self, seed: int = 1) -> None:
        self.signers = OfficeSigners(seed)
        self.device = equipped(self.signers)
        self.trust = trust(self.device)
        random = self.signers.random
        self.contents = {
            1: {"table": random.randbytes(300), "rates": random.randbytes(900)},
            2: {"slogan": random.randbytes(100), "rates": random.randbytes(8200)},
        }
        self.contents[2]["table"] = self.contents[1]["table"]
        table = self._released("table", 1, kind=Kind.DATA)
        rates = [
            self._released("rates", number, version=(1, number, 0), dependencies=(Dependency("table", (1, 0, 0)),))
            for number in (1, 2)
        ]
        self.sets = {1: [table, rates[0]], 2: [table, self._released("slogan", 2, kind=Kind.DATA), rates[1]]}
        self.counters = {0: 0, 1: 3, 2: 5}
        self.shelf = Shelf(*self.sets[1], *self.sets[2])
        self.offers = {1: self._offer(1), 2: self._offer(2)}
        self.generic: Files = {}
        self.old = self._with_set_1()

    def start(self, storage: FaultyStorage, fails: Mapping[str, RunFault] | None = None) -> Started:
        """The power comes."""
        runtime = NotingRuntime(fails)
        started = Started(self.machine(storage, runtime), runtime, storage)
        started.machine.power_on()
        return started

    def machine(self, storage: FaultyStorage, runtime: Runtime) -> Machine:
        """Before the power comes."""
        return Machine(storage, self.device, runtime)

    def go_on(self, machine: Machine, number: int) -> None:
        """To the end of the installation of a set, from wherever it is; also to its bad end."""
        if machine.boot.record.set_number == number:
            return
        if machine.boot.record.phase is Phase.IDLE:
            machine.installer.take(self.offers[number], CHALLENGE, self.trust)
        elif machine.boot.record.phase is Phase.FETCHING:
            machine.installer.resume(self.trust)
        if machine.boot.record.phase is Phase.FETCHING:
            self.shelf.fetch(machine.installer)
            machine.installer.stage(self.trust)
            machine.power_on()
        if machine.running.trial:
            machine.loader.confirm()

    def check(self, started: Started, old: int, new: int, *, new_may_run: bool = True) -> int:
        """Exactly one of the two sets runs, whole, and the counter is that of the confirmed one. Which one runs."""
        record = started.machine.boot.record
        running = started.machine.running
        number = running.held.set_number if running.held else 0
        assert number in ((old, new) if new_may_run else (old,))
        assert started.runs == self.contents.get(number, {})
        assert [component.id for component in running.catalogue] == sorted(started.runs)
        assert record.set_number == (old if running.trial else number)
        assert record.security_counter == self.counters[record.set_number]
        assert {held.id for held in record.catalogue} == self.contents.get(record.set_number, {}).keys()
        return number

    def _released(self, name: str, number: int, **changes: object) -> Released:
        return self.signers.release(name, self.contents[number][name], security_counter=5, **changes)

    def _offer(self, number: int) -> Offer:
        draft = self.signers.draft(
            self.device, self.sets[number], set_number=number, security_counter=self.counters[number]
        )
        return self.signers.offer(self.device, draft)

    def _with_set_1(self) -> Files:
        started = self.start(FaultyStorage(Disk()))
        install(started.machine, self.offers[1], self.shelf, self.trust)
        return started.storage.disk.files
