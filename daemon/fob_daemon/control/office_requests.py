"""What is asked of the control socket about the back office. No I/O in here."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from fob_daemon.control import limits
from fob_daemon.control.fields import Fields, bad_request
from fob_daemon.control.route import Route
from fob_daemon.device.office_views import Purpose
from fob_protocol.at.values import Value
from fob_protocol.catalogue import OPTION_PREFIX
from fob_protocol.office.limits import BODY_LIMIT, CONTENT_LIMIT, FIELD_LIMIT, FIELDS_LIMIT, ID_LIMIT, PATH_LIMIT

# A command of a component: V.250's names, 16 characters behind the plus sign.
_COMMAND: Final = re.compile(r"\+X[A-Z0-9!%\-./:_]{0,15}")


class PurposeName(StrEnum):
    """Purpose, as the API spells it."""

    CONFIGURE = "configure"
    RECONFIGURE = "reconfigure"
    LOOK = "look"

    @property
    def purpose(self) -> Purpose:
        """What it stands for."""
        return Purpose[self.name]


@dataclass(frozen=True, slots=True)
class GetOffice:
    """GET office: what is configured, and what was relayed."""


@dataclass(frozen=True, slots=True)
class CheckOffice:
    """POST office/check: does an office answer?"""


@dataclass(frozen=True, slots=True)
class GetDeviceOffice:
    """GET devices/{device}/office"""

    device: str


@dataclass(frozen=True, slots=True)
class Configure:
    """POST devices/{device}/configuration; answered by a stream."""

    device: str
    purpose: Purpose


@dataclass(frozen=True, slots=True)
class ListServers:
    """GET devices/{device}/servers"""

    device: str


@dataclass(frozen=True, slots=True)
class GetEntitled:
    """GET devices/{device}/servers/{server}"""

    device: str
    server: str


@dataclass(frozen=True, slots=True)
class Register:
    """POST devices/{device}/servers/{server}/registration; the template when `fields` is None."""

    device: str
    server: str
    fields: dict[str, str] | None
    pin: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Use:
    """POST devices/{device}/servers/{server}/use"""

    device: str
    server: str
    application: str
    path: str
    body: bytes = field(repr=False)
    pin: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class ListOptions:
    """GET devices/{device}/options"""

    device: str


@dataclass(frozen=True, slots=True)
class ReadOption:
    """GET devices/{device}/options/{component}: a part of its content."""

    device: str
    component: str
    start: int


@dataclass(frozen=True, slots=True)
class RunOption:
    """POST devices/{device}/commands/{command}: a component's own."""

    device: str
    command: str
    values: tuple[Value, ...] = field(repr=False)


OfficeRequest = (
    GetOffice | CheckOffice | GetDeviceOffice | ListServers | GetEntitled | Register | Use | ListOptions | ReadOption
    | RunOption
)  # fmt: skip


def _device(path: Mapping[str, str]) -> str:
    return Fields((("device", path["device"]),)).name("device", limits.MAX_NAME)


def _named(path: Mapping[str, str], what: str) -> str:
    return Fields(((what, path[what]),)).name(what, ID_LIMIT)


def _register(path: Mapping[str, str], body: Fields) -> Register:
    fields = body.optional_texts("fields", FIELDS_LIMIT, ID_LIMIT, FIELD_LIMIT)
    return Register(_device(path), _named(path, "server"), fields, body.optional_secret("pin", limits.MAX_PIN))


def _use(path: Mapping[str, str], body: Fields) -> Use:
    return Use(
        _device(path),
        _named(path, "server"),
        body.name("application", ID_LIMIT),
        body.name("path", PATH_LIMIT),
        body.optional_octets("body", BODY_LIMIT) or b"",
        body.optional_secret("pin", limits.MAX_PIN),
    )


def _run(path: Mapping[str, str], body: Fields) -> RunOption:
    command = path["command"]
    if _COMMAND.fullmatch(command) is None:
        raise bad_request(f"a component's command is {OPTION_PREFIX} and capital letters")
    return RunOption(_device(path), command, body.at_values("values", limits.MAX_VALUES))


OFFICE_ROUTES: Final = (
    Route("GET", "office", lambda path, query: GetOffice()),
    Route("POST", "office/check", lambda path, body: CheckOffice()),
    Route("GET", "devices/{device}/office", lambda path, query: GetDeviceOffice(_device(path))),
    Route(
        "POST",
        "devices/{device}/configuration",
        lambda path, body: Configure(_device(path), body.choice("purpose", PurposeName).purpose),
    ),
    Route("GET", "devices/{device}/servers", lambda path, query: ListServers(_device(path))),
    Route(
        "GET",
        "devices/{device}/servers/{server}",
        lambda path, query: GetEntitled(_device(path), _named(path, "server")),
    ),
    Route("POST", "devices/{device}/servers/{server}/registration", _register),
    Route("POST", "devices/{device}/servers/{server}/use", _use),
    Route("GET", "devices/{device}/options", lambda path, query: ListOptions(_device(path))),
    Route(
        "GET",
        "devices/{device}/options/{component}",
        lambda path, query: ReadOption(
            _device(path), _named(path, "component"), query.number("from", 0, CONTENT_LIMIT)
        ),
    ),
    Route("POST", "devices/{device}/commands/{command}", _run),
)
