"""Service `distribution`: which copies a holder has (V1, V3, V6)."""

import hmac
from typing import Annotated

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Meta

from fob_protocol.cose import sign1
from fob_protocol.cose.errors import CoseError
from fob_protocol.cose.labels import Label
from fob_protocol.integrity.identifier import MARK_SIZE, identifier_name
from fob_protocol.integrity.limits import HOLDINGS_LIMIT
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.hashing import authenticate
from fob_protocol.office.message import Count, Message, Name, Nonce, Octets32, Version, read


class Holding(Message, frozen=True):
    """A program that somebody has, without any mark."""

    program: Name
    version: Version
    digest: Octets32


class AskCopies(Message, tag=1, frozen=True):
    """`request` is a signed CopyRequest."""

    request: bytes


class Enrol(Message, tag=2, frozen=True):
    """`enrolment` is a signed Enrolment."""

    enrolment: bytes


class CopyRequest(Message, tag=1, frozen=True):
    """*copy request*: copies of what is held, new ones in the place of `replaced`. `counter` goes up."""

    holder: Octets32
    counter: Count
    holdings: Annotated[tuple[Holding, ...], Meta(max_length=HOLDINGS_LIMIT)]
    replaced: Annotated[tuple[Nonce, ...], Meta(max_length=HOLDINGS_LIMIT)]

    def signed(self, key: Ed25519PrivateKey) -> bytes:
        """By the holder."""
        return sign1.sign(key, Label.COPY_REQUEST, [], self.octets())


class Enrolment(Message, tag=1, frozen=True):
    """*enrolment*: a letter's copy becomes this holder's; `proof` shows that its identifier is known."""

    holder: Octets32
    holding: Holding
    identifier_name: Octets32
    proof: Octets32

    @classmethod
    def made(cls, holder: bytes, holding: Holding, identifier: bytes) -> "Enrolment":
        """With the identifier of a letter."""
        return cls(holder, holding, identifier_name(identifier), _proof(identifier, holder))

    def signed(self, key: Ed25519PrivateKey) -> bytes:
        """By the holder."""
        return sign1.sign(key, Label.ENROLMENT, [], self.octets())

    def proves(self, identifier: bytes) -> bool:
        """At the office: whoever enrols has this identifier. In constant time."""
        return hmac.compare_digest(self.proof, _proof(identifier, self.holder))


class Copy(Message, frozen=True):
    """`record` as it was signed; `mark` of what the distributor embeds; `certificate` of the validation server."""

    record: bytes
    mark: Annotated[bytes, Meta(min_length=MARK_SIZE, max_length=MARK_SIZE)] | None
    certificate: bytes

    def __repr__(self) -> str:
        # A mark holds the identifier.
        return "Copy(...)"


class Copies(Message, tag=1, frozen=True):
    """The answer to both; what is not known at the office is left out."""

    copies: Annotated[tuple[Copy, ...], Meta(max_length=HOLDINGS_LIMIT)]


def read_copy_request(signed: bytes) -> CopyRequest:
    """Signed by the key that it names. Raises OfficeError."""
    request = read(CopyRequest, _payload(signed))
    _verify(request.holder, Label.COPY_REQUEST, signed)
    return request


def read_enrolment(signed: bytes) -> Enrolment:
    """Signed by the key that it names. Raises OfficeError."""
    enrolment = read(Enrolment, _payload(signed))
    _verify(enrolment.holder, Label.ENROLMENT, signed)
    return enrolment


def _payload(signed: bytes) -> bytes:
    try:
        return sign1.unverified_payload(signed)
    except CoseError as error:
        raise OfficeError(Fault.MALFORMED, str(error)) from None


def _verify(holder: bytes, label: Label, signed: bytes) -> None:
    try:
        sign1.verify(holder, label, [], signed)
    except CoseError as error:
        raise OfficeError(Fault.WRONG_SIGNATURE, f"not signed by its holder: {error}") from None


def _proof(identifier: bytes, holder: bytes) -> bytes:
    return authenticate(identifier, ["fob/1 enrolment", holder])
