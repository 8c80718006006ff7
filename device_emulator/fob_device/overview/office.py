"""What a screen shows of the device's back office."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


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
class HeldSet:
    """A set in one of the two places."""

    number: int
    place: str


@dataclass(frozen=True, slots=True)
class RegisteredAt:
    """A registration: by which name, with the level at each application, and the options that come with it.

    `until`: when that was to be asked for again, in seconds since 1970; 0 where nothing was told yet.
    """

    server: str
    title: str
    name: str
    levels: Sequence[tuple[str, int]]
    options: Sequence[str] = ()
    is_active: bool = True
    until: int = 0


@dataclass(frozen=True, slots=True)
class ListedServer:
    """One that the user may register with."""

    server: str
    title: str


@dataclass(frozen=True, slots=True)
class ShownCopy:
    """A program and how its copy stands: `state` and `reason` as +FOBCOPIES has them.

    `validated`: by the last VAL_OK, in seconds since 1970; 0 before the first.
    """

    program: str
    version: str
    state: str
    reason: str = ""
    validated: int = 0
    is_own: bool = False


class Deed(StrEnum):
    """What the person at the device asks of its office."""

    CONFIGURE = "configure"
    LOOK = "look"
    TEMPLATE = "template"
    REGISTER = "register"
    VALIDATE = "validate"
    LETTER = "letter"


@dataclass(frozen=True, slots=True)
class AskedField:
    """What a server wants to know, at most `limit` octets; `text`: what was filled in last."""

    name: str
    label: str
    limit: int
    is_required: bool
    text: str = ""


@dataclass(frozen=True, slots=True)
class OpenForm:
    """A registration that is filled in."""

    server: str
    title: str
    fields: Sequence[AskedField]


@dataclass(frozen=True, slots=True)
class Ended:
    """What came of the person's last deed. `refusal` is the name of what was in the way, and `why` says more of it.

    `at` in seconds since 1970.
    """

    deed: Deed
    server: str
    at: float
    refusal: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class OfficeOverview:
    """`state` and `words` as +FOBOFFICE has them, but that `trouble` has the name of what was in the way.

    `done` of `total` steps, 0 of 0 when that is not known, and the seconds that the others still take. `doing` is what
    the person waits for. Without a `relay` the device needs no computer.
    """

    serial: str
    hardware: str
    state: str
    words: str
    done: int = 0
    total: int = 0
    seconds_left: float | None = None
    trouble: str = ""
    held: HeldSet | None = None
    candidate: HeldSet | None = None
    components: Sequence[InstalledComponent] = ()
    registrations: Sequence[RegisteredAt] = ()
    servers: Sequence[ListedServer] = ()
    doing: Deed | None = None
    ended: Ended | None = None
    form: OpenForm | None = None
    has_relay: bool = True
    copies: Sequence[ShownCopy] = ()
