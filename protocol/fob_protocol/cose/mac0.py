"""COSE_Mac0 with HMAC-SHA256 (RFC 9052, section 6.2; RFC 9053, section 3.1)."""

import hmac
from typing import Final

from fob_protocol.cose.cbor import decode_tagged, encode
from fob_protocol.cose.errors import CborError, CoseError, SignatureError
from fob_protocol.cose.headers import Algorithm, Context, Parameter, Tag, external, join
from fob_protocol.cose.labels import Label

# The key is known from who holds it and what for: no parameter names it.
_PROTECTED: Final = encode({Parameter.ALG: Algorithm.HMAC_SHA256})


def authenticate(key: bytes, label: Label, context: Context, payload: bytes) -> bytes:
    """The payload with its code under `key` (32 octets); `context` is bound and not sent."""
    return join(Tag.MAC0, _PROTECTED, payload, _code(key, label, context, payload))


def check(key: bytes, label: Label, context: Context, octets: bytes) -> bytes:
    """The payload, if a holder of `key` made it for this label and context.

    Raises CoseError for another shape, SignatureError.
    """
    payload, code = _take_apart(octets)
    if not hmac.compare_digest(code, _code(key, label, context, payload)):
        raise SignatureError("the code is wrong")
    return payload


def unchecked_payload(octets: bytes) -> bytes:
    """What an object says, before it is known which key has to have made it. Raises CoseError."""
    return _take_apart(octets)[0]


def _take_apart(octets: bytes) -> tuple[bytes, bytes]:
    try:
        array = decode_tagged(Tag.MAC0, octets)
    except CborError as error:
        raise CoseError(str(error)) from None
    match array:
        case [bytes() as protected, {} as unprotected, bytes() as payload, bytes() as code]:
            if protected == _PROTECTED and not unprotected:
                return payload, code
    raise CoseError("a COSE object of another shape than MAC0")


def _code(key: bytes, label: Label, context: Context, payload: bytes) -> bytes:
    return hmac.digest(key, encode(["MAC0", _PROTECTED, external(label, context), payload]), "sha256")
