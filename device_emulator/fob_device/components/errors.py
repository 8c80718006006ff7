"""What may be wrong in the device itself; what an office sent wrongly is an OfficeError."""

from enum import StrEnum


class ComponentFault(StrEnum):
    """How a component ended that did not end well (docs/office-protocol.md, section 6.5)."""

    OUT_OF_FUEL = "out-of-fuel"
    OUT_OF_MEMORY = "out-of-memory"
    OUT_OF_STACK = "out-of-stack"
    TRAP = "trap"
    BAD_IMPORT = "bad-import"
    BAD_ANSWER = "bad-answer"
    SELF_TEST = "self-test"
    # One that it depends on did not start.
    NO_DEPENDENCY = "no-dependency"


class ComponentError(Exception):
    """A component did not start, or did not end well; the device goes on. `why` is for people."""

    def __init__(self, fault: ComponentFault, why: str) -> None:
        self.fault = fault
        self.why = why
        super().__init__(f"{fault}: {why}")


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
