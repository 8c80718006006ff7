"""What a box cannot do."""

from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.words import Word


class TamperedError(BusRefusedError):
    """Somebody changed what the box keeps; its keys are erased, and it answers nothing else any more."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(Word.TAMPERED, f"{name} found its folder changed and erased its keys")


class VaultError(Exception):
    """The module that holds the masters did not do it. The text is the name of its error."""


class NotHeldError(Exception):
    """A master that boxes of this kind do not hold was asked for."""
