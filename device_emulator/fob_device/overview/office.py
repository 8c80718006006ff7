"""What a screen shows of the device's back office."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InstalledComponent:
    """One of the set; `fault` is the name of the rule by which it does not run, empty for one that was measured right.

    `newer` is the newest version where that is another one.
    """

    id: str
    title: str
    version: str
    fault: str = ""
    newer: str = ""


@dataclass(frozen=True, slots=True)
class RegisteredAt:
    """A registration with the level at each application."""

    title: str
    name: str
    levels: Sequence[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class OfficeOverview:
    """`state` and `words` as +FOBOFFICE has them; `done` of `total` steps, 0 of 0 when that is not known."""

    serial: str
    hardware: str
    state: str
    words: str
    done: int = 0
    total: int = 0
    set_number: int = 0
    components: Sequence[InstalledComponent] = ()
    registrations: Sequence[RegisteredAt] = ()
