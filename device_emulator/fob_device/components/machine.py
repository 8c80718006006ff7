"""A device's components as one: power on, install, confirm. No network and no line here."""

from fob_device.components.boot_program import copy_loader, follow_vector, fresh_memory
from fob_device.components.boot_state import BootState
from fob_device.components.contents import content_file
from fob_device.components.equipment import Equipment
from fob_device.components.installer import Installer
from fob_device.components.loader import Loader
from fob_device.components.running import Running, Runtime
from fob_device.components.storage import Storage


class Machine:
    """As long as the power is on: made anew after each cut. `running` is what the last start came to."""

    def __init__(self, storage: Storage, equipment: Equipment, runtime: Runtime) -> None:
        """Raises BootRecordError, OSError."""
        self._equipment = equipment
        self._storage = storage
        self.boot = BootState(storage)
        self.installer = Installer(storage, equipment, self.boot)
        self.loader = Loader(storage, equipment, self.boot, runtime)
        self.running = Running(None, False, (), ())

    def damage(self, component: str) -> None:
        """One octet of what is stored of a component becomes another one: for a workbench. Raises OSError."""
        for found in self.running.found:
            if found.release.id == component:
                name = content_file(found.stored_as)
                sealed = self._storage.read(name) or b"\0"
                self._storage.write(name, sealed[:-1] + bytes([sealed[-1] ^ 1]))
                self._storage.flush(name)

    def power_on(self) -> Running:
        """Also after staging and after a revert: every set begins with the boot program."""
        memory = fresh_memory(self._equipment)
        copy_loader(self._equipment, memory)
        programs = {self._equipment.loader: self.loader.start}
        self.running = follow_vector(self._equipment.memory_map, memory, programs)
        return self.running
