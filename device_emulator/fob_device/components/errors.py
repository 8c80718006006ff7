"""What may be wrong in the device itself. What an office sent is an OfficeError, what a module does a RunError."""


class EquipmentError(Exception):
    """What the factory gives is missing or does not fit together; `item` names it (C12)."""

    def __init__(self, item: str, why: str) -> None:
        self.item = item
        super().__init__(f"{item}: {why}")


class BootRecordError(Exception):
    """Both copies of the boot record are damaged. No power cut does that, and no set may run."""


class MemoryFaultError(Exception):
    """An address outside the areas of the memory map."""


class PhaseError(Exception):
    """Asked for a step of an installation that is not its turn: a mistake of the caller."""
