"""What a device tells of its back office and of what came of it (docs/protocol.md, section 4.3)."""

from dataclasses import dataclass, field
from enum import IntEnum


class Purpose(IntEnum):
    """Why a device asks for its configuration (docs/office-protocol.md, section 6.2)."""

    CONFIGURE = 1
    RECONFIGURE = 2
    LOOK = 3


@dataclass(frozen=True, slots=True)
class OfficeState:
    """What a device is to its office; `words`, `done` and `total` tell what it is at."""

    serial: str
    hardware: str
    set_number: int
    security_counter: int
    state: str
    words: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Server:
    """One that the device may register with; `name` is the one it is registered by there."""

    id: str
    title: str
    application: str
    registered: bool
    name: str


@dataclass(frozen=True, slots=True)
class TemplateField:
    """What a person fills in, at most `limit` octets."""

    name: str
    label: str
    limit: int
    required: bool


@dataclass(frozen=True, slots=True)
class Template:
    """What a server wants to know; `form` is 1, or 2 without a secret of the server's."""

    title: str
    form: int
    fields: tuple[TemplateField, ...]


@dataclass(frozen=True, slots=True)
class Entitled:
    """What the device may do at a server: the level at each application.

    `until`, and `told`, when the server said so, in seconds since 1970; None where that is not known.
    """

    version: int
    active: bool
    until: int
    applications: dict[str, int]
    told: int | None = None


@dataclass(frozen=True, slots=True)
class Used:
    """An application's answer."""

    status: int
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Option:
    """A component that runs; `newest` is empty where there is no newer version."""

    id: str
    version: str
    kind: int
    title: str
    octets: int
    newest: str
    commands: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Copy:
    """A program on the device, and the copy of it that it holds.

    `copy`: the copy's number in hexadecimal, empty before there is one. `validated` and `until`: of the last VAL_OK, in
    seconds since 1970, None before it. `reason`: why it is not valid, by name.
    """

    program: str
    version: str
    copy: str
    state: str
    reason: str
    validated: int | None
    until: int | None


@dataclass(frozen=True, slots=True)
class OptionPage:
    """A part of a component's content, which has `size` octets in all."""

    size: int
    octets: bytes = field(repr=False)
