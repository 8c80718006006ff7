"""What is asked of the control socket about copies of programs, a device's and this computer's own. No I/O in here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from fob_daemon.control import limits
from fob_daemon.control.fields import Fields, bad_request
from fob_daemon.control.route import Route
from fob_protocol.history.limits import KEY_SIZE
from fob_protocol.integrity.limits import AUDIENCE_LIMIT, NONCE_LEAST, NONCE_MOST
from fob_protocol.office.limits import ID_LIMIT


@dataclass(frozen=True, slots=True)
class ListCopies:
    """GET devices/{device}/copies"""

    device: str


@dataclass(frozen=True, slots=True)
class ValidateCopy:
    """POST devices/{device}/copies/{program}/validation"""

    device: str
    program: str


@dataclass(frozen=True, slots=True)
class GetTicket:
    """GET devices/{device}/copies/{program}/ticket"""

    device: str
    program: str


@dataclass(frozen=True, slots=True)
class PresentTicket:
    """POST devices/{device}/copies/{program}/presentation"""

    device: str
    program: str
    audience: str
    nonce: bytes


@dataclass(frozen=True, slots=True)
class EnterLetter:
    """POST devices/{device}/copies/{program}/letter"""

    device: str
    program: str
    letter: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class GetOwnCopy:
    """GET integrity: this computer's own copy."""


@dataclass(frozen=True, slots=True)
class EnrolOwn:
    """POST integrity/enrolment"""

    letter: str = field(repr=False)
    issuer: bytes | None
    certificate: bytes | None


@dataclass(frozen=True, slots=True)
class ValidateOwn:
    """POST integrity/validation"""


@dataclass(frozen=True, slots=True)
class GetOwnTicket:
    """GET integrity/ticket"""


@dataclass(frozen=True, slots=True)
class PresentOwnTicket:
    """POST integrity/presentation"""

    audience: str
    nonce: bytes


CopyRequest = ListCopies | ValidateCopy | GetTicket | PresentTicket | EnterLetter
OwnCopyRequest = GetOwnCopy | EnrolOwn | ValidateOwn | GetOwnTicket | PresentOwnTicket


def _device(path: Mapping[str, str]) -> str:
    return Fields((("device", path["device"]),)).name("device", limits.MAX_NAME)


def _enrol(_: Mapping[str, str], body: Fields) -> EnrolOwn:
    issuer = body.optional_octets("issuer", KEY_SIZE)
    if issuer is not None and len(issuer) != KEY_SIZE:
        raise bad_request(f"'issuer' has to be of {KEY_SIZE} octets")
    return EnrolOwn(letter_of(body), issuer, body.optional_octets("certificate", limits.MAX_CERTIFICATE))


def _program(path: Mapping[str, str]) -> str:
    return Fields((("program", path["program"]),)).name("program", ID_LIMIT)


def audience_and_nonce(body: Fields) -> tuple[str, bytes]:
    """Of a relying party."""
    audience, nonce = body.name("audience", AUDIENCE_LIMIT), body.octets("nonce", NONCE_MOST)
    if len(nonce) < NONCE_LEAST:
        raise bad_request(f"'nonce' has to be of {NONCE_LEAST} to {NONCE_MOST} octets")
    return audience, nonce


def letter_of(body: Fields) -> str:
    """As somebody typed it."""
    letter = body.optional_secret("letter", limits.MAX_LETTER)
    if letter is None:
        raise bad_request("'letter' is missing")
    return letter.decode()


COPY_ROUTES: Final = (
    Route("GET", "integrity", lambda path, query: GetOwnCopy()),
    Route("POST", "integrity/enrolment", _enrol),
    Route("POST", "integrity/validation", lambda path, body: ValidateOwn()),
    Route("GET", "integrity/ticket", lambda path, query: GetOwnTicket()),
    Route("POST", "integrity/presentation", lambda path, body: PresentOwnTicket(*audience_and_nonce(body))),
    Route("GET", "devices/{device}/copies", lambda path, query: ListCopies(_device(path))),
    Route(
        "POST",
        "devices/{device}/copies/{program}/validation",
        lambda path, body: ValidateCopy(_device(path), _program(path)),
    ),
    Route(
        "GET",
        "devices/{device}/copies/{program}/ticket",
        lambda path, query: GetTicket(_device(path), _program(path)),
    ),
    Route(
        "POST",
        "devices/{device}/copies/{program}/presentation",
        lambda path, body: PresentTicket(_device(path), _program(path), *audience_and_nonce(body)),
    ),
    Route(
        "POST",
        "devices/{device}/copies/{program}/letter",
        lambda path, body: EnterLetter(_device(path), _program(path), letter_of(body)),
    ),
)
