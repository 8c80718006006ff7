"""How a module may fail: each in its own way, and the device goes on."""

from enum import StrEnum


class RunFault(StrEnum):
    """The names of docs/office-protocol.md, section 6.5."""

    BAD_MODULE = "bad-module"
    BAD_IMPORT = "bad-import"
    BAD_EXPORT = "bad-export"
    BAD_ANSWER = "bad-answer"
    OUT_OF_FUEL = "out-of-fuel"
    OUT_OF_MEMORY = "out-of-memory"
    OUT_OF_STACK = "out-of-stack"
    TRAP = "trap"
    SELF_TEST = "self-test"


class RunError(Exception):
    """A module did not run to its end. `why` is for people."""

    def __init__(self, fault: RunFault, why: str) -> None:
        self.fault = fault
        self.why = why
        super().__init__(f"{fault}: {why}")


class WrongParametersError(Exception):
    """The module says that the values are not what its command takes."""
