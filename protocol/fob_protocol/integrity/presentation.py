"""*presentation*: a ticket, and the proof that who shows it is its holder (V18)."""

from typing import Annotated

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Meta

from fob_protocol.cose import sign1
from fob_protocol.cose.errors import CoseError
from fob_protocol.cose.labels import Label
from fob_protocol.integrity.limits import AUDIENCE_LIMIT, NONCE_LEAST, NONCE_MOST, PRESENTATION_LIMIT, TICKET_LIMIT
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.message import Message, read


class Presentation(Message, tag=1, frozen=True):
    """`ticket` as it was signed."""

    ticket: Annotated[bytes, Meta(max_length=TICKET_LIMIT)]

    def signed(self, holder: Ed25519PrivateKey, audience: str, nonce: bytes) -> bytes:
        """For one relying party and one request of it. Raises ValueError for a bad audience or nonce."""
        check_request(audience, nonce)
        return sign1.sign(holder, Label.PRESENTATION, [audience, nonce], self.octets())


def unverified_presentation(signed: bytes) -> Presentation:
    """What is shown; it proves nothing. Raises OfficeError."""
    if len(signed) > PRESENTATION_LIMIT:
        raise OfficeError(Fault.TOO_LARGE, f"a presentation of {len(signed)} octets")
    try:
        return read(Presentation, sign1.unverified_payload(signed))
    except CoseError as error:
        raise OfficeError(Fault.MALFORMED, str(error)) from None


def is_by(holder: bytes, signed: bytes, audience: str, nonce: bytes) -> bool:
    """Whether this holder (raw public key) signed for this audience and nonce. Raises ValueError."""
    check_request(audience, nonce)
    try:
        sign1.verify(holder, Label.PRESENTATION, [audience, nonce], signed)
    except CoseError:
        return False
    return True


def check_request(audience: str, nonce: bytes) -> None:
    """Raises ValueError for an audience or nonce of another size than the specification allows."""
    if not 1 <= len(audience) <= AUDIENCE_LIMIT:
        raise ValueError(f"an audience has 1 to {AUDIENCE_LIMIT} characters")
    if not NONCE_LEAST <= len(nonce) <= NONCE_MOST:
        raise ValueError(f"a nonce has {NONCE_LEAST} to {NONCE_MOST} octets")
