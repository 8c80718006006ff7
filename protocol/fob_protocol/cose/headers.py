"""Protected headers: exactly what an algorithm needs, and nothing unprotected (RFC 9052, section 3)."""

import hashlib
from collections.abc import Sequence
from enum import IntEnum
from typing import Final, NamedTuple

from fob_protocol.cose.cbor import Value, decode, decode_tagged, encode, encode_tagged
from fob_protocol.cose.errors import CborError, CoseError
from fob_protocol.cose.labels import Label

KEY_ID_SIZE: Final = 16

# What is bound beside the label: names, digests, nonces.
Context = Sequence[Value]


class Algorithm(IntEnum):
    """COSE's numbers; HPKE's is a private one (docs/office-protocol.md, section 1)."""

    ED25519 = -19
    AES_256_GCM = 3
    HMAC_SHA256 = 5
    HPKE_X25519_AES_256_GCM = -70001


class Parameter(IntEnum):
    """The header parameters in use."""

    ALG = 1
    KID = 4
    IV = 5
    TYP = 16


class Tag(IntEnum):
    """CBOR tags of COSE objects."""

    ENCRYPT0 = 16
    MAC0 = 17
    SIGN1 = 18


class Parts(NamedTuple):
    """An object taken apart: the protected header as it was sent, its second parameter, and what follows."""

    protected: bytes
    parameter: bytes
    body: tuple[bytes, ...]


def key_id(public_key: bytes) -> bytes:
    """16 octets that name a public key (raw, 32 octets)."""
    return hashlib.sha256(public_key).digest()[:KEY_ID_SIZE]


def protected_header(algorithm: Algorithm, parameter: Parameter, value: bytes) -> bytes:
    """The header's octets."""
    return encode({Parameter.ALG: algorithm, parameter: value})


def external(label: Label, context: Context) -> bytes:
    """The external associated data."""
    return encode([label, *context])


def join(tag: Tag, protected: bytes, *body: bytes) -> bytes:
    """The object."""
    return encode_tagged(tag, [protected, {}, *body])


def take_apart(tag: Tag, octets: bytes, algorithm: Algorithm, parameter: Parameter, size: int, body: int) -> Parts:
    """An object with this algorithm, whose second parameter has `size` octets, and `body` octet strings behind it.

    Raises CoseError for any other shape.
    """
    try:
        array = decode_tagged(tag, octets)
        if not isinstance(array, list) or len(array) != 2 + body:
            raise CoseError(f"a COSE object of another shape than {tag.name}")
        protected, unprotected, *rest = array
        if unprotected != {} or not isinstance(protected, bytes) or not all(isinstance(part, bytes) for part in rest):
            raise CoseError("a COSE object with an unprotected header, or without its octets")
        header = decode(protected)
    except CborError as error:
        raise CoseError(str(error)) from None
    if not isinstance(header, dict) or header.keys() != {Parameter.ALG, parameter}:
        raise CoseError("a protected header with other parameters")
    value = header[parameter]
    if header[Parameter.ALG] != algorithm or not isinstance(value, bytes) or len(value) != size:
        raise CoseError("a protected header with another algorithm, or a parameter of another size")
    return Parts(protected, value, tuple(rest))
