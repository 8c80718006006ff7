"""Services `configuration`, `content` and `report` (C3 to C6, C10, C11, C19, C24)."""

from enum import IntEnum
from typing import Annotated

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Meta

from fob_protocol.cose import hpke, sign1
from fob_protocol.cose.errors import CoseError
from fob_protocol.cose.headers import Context
from fob_protocol.cose.labels import Label
from fob_protocol.office.component import Catalogue
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.factory import Serial
from fob_protocol.office.limits import CHUNK_SIZE, COMPONENTS_LIMIT
from fob_protocol.office.message import Challenge, Count, Message, Name, Octets32, Version, read
from fob_protocol.office.release import CHUNKS_LIMIT

# Opaque to the device.
Ticket = Annotated[bytes, Meta(min_length=16, max_length=256)]


class Purpose(IntEnum):
    """Why a device asks."""

    FIRST = 1
    AGAIN = 2
    LOOK = 3


class Variant(IntEnum):
    """How a device shows its serial: C4, C5."""

    SEALED_IDENTIFIER = 1
    SIGNED_REQUEST = 2


class GetChallenge(Message, tag=1, frozen=True):
    """The first question."""


class ChallengeAnswer(Message, tag=1, frozen=True):
    """Good for CHALLENGE_TIME."""

    challenge: Challenge


class Configure(Message, tag=2, frozen=True):
    """`request` is signed by the system key."""

    variant: Variant
    request: bytes


class Request(Message, tag=1, frozen=True):
    """*configuration request*; `counter` is higher than in every request of before."""

    purpose: Purpose
    signing_key: Octets32
    identifier: bytes | None
    challenge: Challenge
    counter: Count
    hardware: Name
    set_number: Count
    security_counter: Count
    catalogue: Catalogue


class Identifier(Message, frozen=True):
    """*identifier*: what is coded with the server's key (C4)."""

    serial: Serial


class Notice(Message, frozen=True):
    """There is a newer version of what is installed (C11)."""

    component: Name
    installed: Version
    newest: Version


Notices = Annotated[tuple[Notice, ...], Meta(max_length=COMPONENTS_LIMIT)]


class Granted(Message, tag=2, frozen=True):
    """What the device shall hold; `releases` and `keys` in the order of the manifest's entries."""

    manifest: bytes
    releases: Annotated[tuple[bytes, ...], Meta(max_length=COMPONENTS_LIMIT)]
    release_certificates: Annotated[tuple[bytes, ...], Meta(max_length=COMPONENTS_LIMIT)]
    keys: Annotated[tuple[bytes, ...], Meta(max_length=COMPONENTS_LIMIT)]
    code: Octets32
    ticket: Ticket
    notices: Notices


class Current(Message, tag=3, frozen=True):
    """The device holds what it should."""

    notices: Notices


class GetChunk(Message, tag=1, frozen=True):
    """Of the content of a release (the digest of the signed one)."""

    ticket: Ticket
    release: Octets32
    index: Annotated[int, Meta(ge=0, lt=CHUNKS_LIMIT)]


class Chunk(Message, tag=1, frozen=True):
    """Sealed content."""

    data: Annotated[bytes, Meta(max_length=CHUNK_SIZE)]


class Outcome(IntEnum):
    """What became of a set."""

    CONFIRMED = 1
    REVERTED = 2
    REFUSED = 3
    FAILED = 4


class SendReport(Message, tag=1, frozen=True):
    """`report` is signed by the system key."""

    report: bytes


class Report(Message, tag=1, frozen=True):
    """*report*; `reason` is the name of a fault, or empty."""

    signing_key: Octets32
    counter: Count
    set_number: Count
    outcome: Outcome
    reason: Annotated[str, Meta(max_length=64)]
    security_counter: Count
    catalogue: Catalogue


class Reported(Message, tag=1, frozen=True):
    """The office has it."""


def request_context(variant: Variant, serial: str) -> Context:
    """What a request's signature binds beside it: in the second variant the serial, which is not sent."""
    return [variant] if variant is Variant.SEALED_IDENTIFIER else [variant, serial]


def sign_request(key: Ed25519PrivateKey, variant: Variant, serial: str, request: Request) -> bytes:
    """At the device."""
    return sign1.sign(key, Label.CONFIGURATION_REQUEST, request_context(variant, serial), request.octets())


def seal_identifier(office: bytes, challenge: bytes, serial: str) -> bytes:
    """At the device: for the server with this sealing key."""
    return hpke.seal_to(office, Label.IDENTIFIER, [challenge], Identifier(serial).octets())


def unverified_request(signed: bytes) -> Request:
    """What a request says, to find the record by its key (C3). Raises OfficeError MALFORMED."""
    try:
        return read(Request, sign1.unverified_payload(signed))
    except CoseError as error:
        raise OfficeError(Fault.MALFORMED, str(error)) from None


def sign_report(key: Ed25519PrivateKey, report: Report) -> bytes:
    """At the device."""
    return sign1.sign(key, Label.REPORT, [], report.octets())


def read_report(signed: bytes) -> Report:
    """At the office: signed by the key that it names. Raises OfficeError."""
    try:
        report = read(Report, sign1.unverified_payload(signed))
        sign1.verify(report.signing_key, Label.REPORT, [], signed)
    except CoseError as error:
        raise OfficeError(Fault.WRONG_SIGNATURE, f"not signed by the device: {error}") from None
    return report
