"""Passwords on their way to an authentication box: sealed to it, and to the request that they stand in (M14, M30)."""

from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from fob_protocol.cose import hpke
from fob_protocol.cose.cbor import Value
from fob_protocol.cose.errors import SealError
from fob_protocol.cose.labels import Label
from fob_protocol.metering.requests import SignOnRequest, SignUpRequest


def seal_password(box: bytes, unsealed: SignUpRequest | SignOnRequest, password: str) -> bytes:
    """For the authentication box with this sealing key (its pass's); the request's own password is not looked at.

    Raises SealError for no key.
    """
    return hpke.seal_to(box, Label.LOGIN, _context(unsealed), password.encode())


def open_password(box: X25519PrivateKey, request: SignUpRequest | SignOnRequest) -> str:
    """Raises CoseError for another shape, SealError: for another box, or moved here from another request."""
    try:
        return hpke.unseal_with(box, Label.LOGIN, _context(request), request.password).decode()
    except UnicodeDecodeError:
        raise SealError("what is sealed is no text") from None


def _context(request: SignUpRequest | SignOnRequest) -> Sequence[Value]:
    """Whoever carries the request cannot make the password one of a device of its own."""
    return [request.name, request.request_id, request.signing_key, request.sealing_key]
