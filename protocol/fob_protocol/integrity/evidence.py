"""VAL_REQ: what a holder says of its copy; what is signed, and what is secret (V11, V13, V23)."""

from typing import Annotated

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Meta

from fob_protocol.cose import sign1
from fob_protocol.cose.errors import CoseError
from fob_protocol.cose.labels import Label
from fob_protocol.integrity.limits import CHALLENGE_SIZE, IV_SIZE
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.hashing import digest, is_same
from fob_protocol.office.message import Count, Message, Name, Nonce, Octets32, Time, read

Challenge = Annotated[bytes, Meta(min_length=CHALLENGE_SIZE, max_length=CHALLENGE_SIZE)]
InitialisationValue = Annotated[bytes, Meta(min_length=IV_SIZE, max_length=IV_SIZE)]
ProgramNumber = Annotated[int, Meta(ge=1, le=(1 << 53) - 1)]


class SecretPart(Message, frozen=True):
    """UI, ICV and challenge: together only inside a question."""

    identifier: Octets32
    integrity_value: Octets32
    challenge: Challenge | None

    def __repr__(self) -> str:
        return "SecretPart(...)"


class Evidence(Message, tag=1, frozen=True):
    """PSI, VSSI, DT, VSI and IV by their names; `secret` is the digest of the secret part."""

    copy: Nonce
    program_number: ProgramNumber
    server_number: Count
    time: Time
    server: Name
    iv: InitialisationValue | None
    secret: Octets32

    def signed(self, holder: Ed25519PrivateKey) -> bytes:
        """By the holder of the copy."""
        return sign1.sign(holder, Label.EVIDENCE, [], self.octets())


def commitment(secret: SecretPart) -> bytes:
    """What evidence says of its secret part."""
    return digest(secret.octets())


def unverified_evidence(signed: bytes) -> Evidence:
    """What evidence says, to find its copy. Raises OfficeError MALFORMED."""
    try:
        return read(Evidence, sign1.unverified_payload(signed))
    except CoseError as error:
        raise OfficeError(Fault.MALFORMED, str(error)) from None


def verify_evidence(holder: bytes, signed: bytes) -> Evidence:
    """Evidence of this holder (raw public key). Raises OfficeError."""
    try:
        return read(Evidence, sign1.verify(holder, Label.EVIDENCE, [], signed))
    except CoseError as error:
        raise OfficeError(Fault.WRONG_SIGNATURE, f"no evidence of this holder: {error}") from None


def belongs(evidence: Evidence, secret: SecretPart) -> bool:
    """Whether it is this secret part that was signed. In constant time."""
    return is_same(evidence.secret, commitment(secret))
