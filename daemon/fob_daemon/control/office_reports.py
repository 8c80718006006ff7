"""The back office as the control socket shows it: what is configured, what was relayed, what devices tell of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from fob_daemon.device.office_views import (
    Copy,
    Entitled,
    OfficeState,
    Option,
    OptionPage,
    Purpose,
    Server,
    Template,
    Used,
)
from fob_protocol.at.values import Value, Values


@dataclass(frozen=True, slots=True)
class Progress:
    """An event: how far a device is with what it is at; 0 of 0 when that is not known."""

    device: str
    words: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class RelayReport:
    """A device's relay. `busy`: a question is under way. The counters run since the daemon started.

    The rest is of the last question: `result` is the name of a RelayStatus, empty before the first one, `why` explains
    any but answered, and `seconds` is how long it took. `newer`: the components of the device that have a newer
    version, when its options were last listed. `doing`: what the device told last that it is at; None: nothing.
    `refused`: programs whose copies the device does not let run, as it told last, with their states.
    """

    device: str
    busy: bool
    questions: int
    failures: int
    service: str
    words: str
    done: int
    total: int
    result: str
    why: str
    seconds: float
    newer: int = 0
    doing: Progress | None = None
    refused: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Relayed:
    """An event: what became of a question."""

    device: str
    service: str
    words: str
    done: int
    total: int
    result: str
    why: str
    seconds: float


@dataclass(frozen=True, slots=True)
class OptionsChange:
    """An event: other components run now."""

    device: str
    set_number: int


@dataclass(frozen=True, slots=True)
class IntegrityChange:
    """An event: a copy stands otherwise than before (docs/protocol.md, section 4.3)."""

    device: str
    program: str
    state: str


@dataclass(frozen=True, slots=True)
class MeterChange:
    """An event: the meter counts something new, or something is wrong with its data centre."""

    device: str
    counter: int
    descending: int
    fault: str
    ascending: int = 0
    pieces: int = 0


@dataclass(frozen=True, slots=True)
class OfficeReport:
    """What the configuration names, empty where it names nothing, and the relay of each device."""

    url: str
    ca_file: str
    relays: tuple[RelayReport, ...]
    certificate: str = ""


@dataclass(frozen=True, slots=True)
class OfficeCheck:
    """Whether an office answers at the configured address; `why` explains it when it does not."""

    url: str
    reachable: bool
    why: str
    milliseconds: float


class DeviceOffice(Protocol):
    """What one device is asked about its back office. Each raises CkrError."""

    async def office(self) -> OfficeState:
        """What it is to its office."""

    async def configure(self, purpose: Purpose) -> None:
        """Returns when the office has answered, and what it sent runs."""

    async def servers(self) -> list[Server]:
        """Those that it may register with."""

    async def template(self, server: str) -> Template:
        """What a server wants to know."""

    async def register(self, server: str, fields: Mapping[str, str]) -> None:
        """Returns when it is registered."""

    async def entitled(self, server: str) -> Entitled:
        """What it may do there."""

    async def use(self, server: str, application: str, path: str, body: bytes) -> Used:
        """A request to an application behind a server."""

    async def options(self) -> list[Option]:
        """The components that run."""

    async def option(self, component: str, start: int) -> OptionPage:
        """A part of a component's content."""

    async def run(self, command: str, values: tuple[Value, ...]) -> tuple[Values, ...]:
        """A component's own command; the lines of its answer."""

    async def copies(self) -> list[Copy]:
        """How the copies of its programs stand."""

    async def validate(self, program: str) -> None:
        """Returns when the validation server has said VAL_OK."""

    async def ticket(self, program: str) -> bytes:
        """The last VAL_OK."""

    async def present(self, program: str, audience: str, nonce: bytes) -> bytes:
        """The ticket with the proof that it is this device's."""

    async def enter_letter(self, program: str, letter: str) -> None:
        """Returns when the letter's copy is this device's, and validated."""
