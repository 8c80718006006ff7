"""A device as the factory makes it, and a runtime that only notes what it is given."""

from collections.abc import Mapping
from typing import Final

from fob_device.components.equipment import Equipment, Supplied
from fob_device.components.installer import Installer
from fob_device.components.machine import Machine
from fob_device.components.memory_map import MemoryMap
from fob_device.components.offer import Offer
from fob_device.components.running import LoadedComponent
from fob_device.components.runtime.errors import RunError, RunFault
from fob_protocol.office.factory import Region, RegionUse
from fob_protocol.office.trust import Trust
from support.office_signers import CHALLENGE, HARDWARE, NOW, OfficeSigners, Released, public

LOADER: Final = b"the loader of an emulated device"
MAP: Final = MemoryMap(
    vector=0x0,
    loader=0x1000,
    regions=(
        Region("programs", 0x1_0000, 0x1_0000, RegionUse.MODULES),
        Region("data", 0x2_0000, 0x8000, RegionUse.DATA),
    ),
)


def supplied(signers: OfficeSigners, serial: str = "FM-0001") -> Supplied:
    """Everything that the factory gives."""
    return Supplied(
        boot_program=b"the boot program",
        loader=LOADER,
        memory_map=MAP,
        signing_key=signers.signing_key(),
        sealing_key=signers.sealing_key(),
        serial=serial,
        hardware=HARDWARE,
        issuer=public(signers.issuer),
        server_certificate=signers.configuration.signed,
        device_secret=signers.random.randbytes(32),
    )


def equipped(signers: OfficeSigners, serial: str = "FM-0001") -> Equipment:
    return Equipment.complete(supplied(signers, serial))


def trust(device: Equipment, time: int = NOW) -> Trust:
    """What the device knows before it has seen anybody."""
    return Trust(device.issuer, time)


class NotingRuntime:
    """Executes nothing. `fails` says which component does, and how."""

    def __init__(self, fails: Mapping[str, RunFault] | None = None) -> None:
        self.fails = dict(fails or {})
        self.started: list[LoadedComponent] = []

    def start(self, component: LoadedComponent) -> None:
        if fault := self.fails.get(component.release.id):
            raise RunError(fault, "as the test wants it")
        self.started.append(component)

    def stop(self) -> None:
        self.started.clear()

    @property
    def names(self) -> list[str]:
        return [component.release.id for component in self.started]


class Shelf:
    """What a content service has: chunks of releases."""

    def __init__(self, *released: Released) -> None:
        self._chunks = {one.digest: one.chunks for one in released}
        self.served = 0

    def fetch(self, installer: Installer) -> None:
        """All that is wanted."""
        for wanted in installer.wanted():
            self.served += 1
            installer.add(wanted, self._chunks[wanted.release][wanted.index])


def install(machine: Machine, offer: Offer, shelf: Shelf, known: Trust) -> None:
    """From the grant to the confirmation."""
    machine.installer.take(offer, CHALLENGE, known)
    shelf.fetch(machine.installer)
    machine.installer.stage(known)
    if machine.power_on().trial:
        machine.loader.confirm()
