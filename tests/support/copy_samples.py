"""One copy of one program, and every object that is signed about it, for tests of who believes what."""

import dataclasses
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from fob_protocol.cose.headers import key_id
from fob_protocol.integrity.cloning import CloneProof
from fob_protocol.integrity.copy_record import COMPONENT_POLICY, CopyRecord
from fob_protocol.integrity.distribution import CopyRequest, Enrolment, Holding
from fob_protocol.integrity.evidence import Evidence, SecretPart, commitment
from fob_protocol.integrity.identifier import identifier_name
from fob_protocol.integrity.measure import initialisation_value
from fob_protocol.integrity.method import Embedder, Method, Technique, Variant
from fob_protocol.integrity.presentation import Presentation
from fob_protocol.integrity.ticket import Ticket
from fob_protocol.integrity.validation import State, Verdict
from fob_protocol.office.certificate import Certificate, Usage
from fob_protocol.office.hashing import digest
from support.office_trust import NOW, SERVER


def public(key: Ed25519PrivateKey) -> bytes:
    """Raw."""
    return key.public_key().public_bytes_raw()


HOLDER: Final = Ed25519PrivateKey.from_private_bytes(bytes([5] * 32))
THIEF: Final = Ed25519PrivateKey.from_private_bytes(bytes([6] * 32))
OTHER_SERVER: Final = Ed25519PrivateKey.from_private_bytes(bytes([7] * 32))

COPY: Final = bytes(range(16))
IDENTIFIER: Final = bytes(range(32, 64))
METHOD: Final = Method(Technique.D7, Embedder.TOOL, Variant.VA_7)
HOLDING: Final = Holding("calculator", (1, 4, 0), digest(b"program"))
SECRET: Final = SecretPart(IDENTIFIER, bytes([8] * 32), bytes([9] * 32))

# A relying party, and what it asked.
AUDIENCE: Final = "work.example"
NONCE: Final = bytes(range(100, 132))


def office(usages: tuple[Usage, ...] = (Usage.DISTRIBUTION, Usage.VALIDATION)) -> Certificate:
    """Of a server that distributes and validates; `SERVER.signing` is its key."""
    return SERVER.certificate(server="office", usages=usages)


def copy_record() -> CopyRecord:
    """Of HOLDER's copy."""
    return CopyRecord(
        COPY, HOLDING.program, HOLDING.version, 7, HOLDING.digest, key_id(public(HOLDER)), METHOD, COMPONENT_POLICY,
        identifier_name(IDENTIFIER), "office", NOW,
    )  # fmt: skip


def copy_request() -> CopyRequest:
    """Of HOLDER, who has one program and wants one copy replaced."""
    return CopyRequest(public(HOLDER), 3, (HOLDING,), (COPY,))


def enrolment() -> Enrolment:
    """Of HOLDER, by the letter of IDENTIFIER."""
    return Enrolment.made(public(HOLDER), HOLDING, IDENTIFIER)


def evidence(number: int = 1, **changes: Any) -> Evidence:
    """What HOLDER says of its copy."""
    drafted = Evidence(
        COPY, number, number - 1, NOW, "office", initialisation_value(number, bytes(8)), commitment(SECRET)
    )
    return replace(drafted, **changes)


def verdict(state: State = State.INVALID) -> Verdict:
    """About HOLDER's first evidence."""
    return Verdict(COPY, 1, state, NOW, digest(evidence().signed(HOLDER)))


def ticket(**changes: Any) -> Ticket:
    """For HOLDER's first evidence, good for a day."""
    drafted = Ticket(
        "office", NOW, NOW + 86_400, public(HOLDER), digest(evidence().signed(HOLDER)), COPY, HOLDING.program,
        HOLDING.version, identifier_name(IDENTIFIER), 1, 1, initialisation_value(1, bytes(8)),
    )  # fmt: skip
    return dataclasses.replace(drafted, **changes)


def presentation(token: bytes | None = None, holder: Ed25519PrivateKey = HOLDER) -> bytes:
    """Of the ticket, for AUDIENCE and NONCE."""
    shown = ticket().signed(SERVER.signing) if token is None else token
    return Presentation(shown).signed(holder, AUDIENCE, NONCE)


def clone_proof(first: bytes | None = None, second: bytes | None = None) -> CloneProof:
    """Two requests under one number, which differ in their time."""
    one = evidence().signed(HOLDER) if first is None else first
    other = evidence(time=NOW + 1).signed(HOLDER) if second is None else second
    return CloneProof(COPY, public(HOLDER), one, other, NOW)
