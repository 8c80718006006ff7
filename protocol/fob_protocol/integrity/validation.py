"""Service `validation`: challenge, VAL_REQ, and what comes of it (V11, V12, V15)."""

from enum import IntEnum
from typing import Annotated

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Meta

from fob_protocol.cose import sign1
from fob_protocol.cose.errors import CoseError
from fob_protocol.cose.labels import Label
from fob_protocol.integrity.evidence import Challenge, ProgramNumber, SecretPart
from fob_protocol.integrity.identifier import Seed
from fob_protocol.integrity.limits import TICKET_LIMIT
from fob_protocol.office.certificate import Certificate, Usage
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.message import Message, Nonce, Octets32, Time, read


class State(IntEnum):
    """Of a copy, at the office."""

    VALID = 1
    INVALID = 2
    CLONED = 3
    DISABLED = 4


class GetChallenge(Message, tag=1, frozen=True):
    """For one copy."""

    copy: Nonce


class ChallengeGiven(Message, tag=1, frozen=True):
    """Good for the copy's next request, and for CHALLENGE_TIME; that another one is asked for takes nothing from it."""

    challenge: Challenge


class Validate(Message, tag=2, frozen=True):
    """VAL_REQ; `evidence` as it was signed."""

    evidence: bytes
    secret: SecretPart


class Validated(Message, tag=2, frozen=True):
    """VAL_OK; with a seed the identifier rolls. `challenge`: of the next request, where the method has challenges."""

    ticket: Annotated[bytes, Meta(max_length=TICKET_LIMIT)]
    seed: Seed | None
    challenge: Challenge | None

    def __repr__(self) -> str:
        return "Validated(...)"


class NotValidated(Message, tag=3, frozen=True):
    """`verdict` as it was signed."""

    verdict: bytes


class Verdict(Message, tag=1, frozen=True):
    """*verdict*; `evidence` is the digest of the evidence that it answers."""

    copy: Nonce
    program_number: ProgramNumber
    state: State
    time: Time
    evidence: Octets32

    def signed(self, key: Ed25519PrivateKey) -> bytes:
        """By the validation server."""
        return sign1.sign(key, Label.VERDICT, [], self.octets())


def read_verdict(server: Certificate, signed: bytes, evidence: bytes) -> Verdict:
    """What the server says of this evidence (its digest). Raises OfficeError."""
    if Usage.VALIDATION not in server.usages:
        raise OfficeError(Fault.OTHER_USAGE, f"{server.server} may not validate")
    try:
        verdict = read(Verdict, sign1.verify(server.signing_key, Label.VERDICT, [], signed))
    except CoseError as error:
        raise OfficeError(Fault.WRONG_SIGNATURE, f"no verdict of {server.server}: {error}") from None
    if verdict.evidence != evidence:
        raise OfficeError(Fault.STALE_ANSWER, "a verdict about another request")
    if verdict.state is State.VALID:
        raise OfficeError(Fault.MALFORMED, "a verdict that says valid; that is what tickets are for")
    return verdict
