"""COSE_Encrypt0 with HPKE (RFC 9180), base mode: X25519, HKDF-SHA256, AES-256-GCM."""

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from fob_protocol.cose.errors import SealError
from fob_protocol.cose.headers import (
    KEY_ID_SIZE,
    Algorithm,
    Context,
    Parameter,
    Parts,
    Tag,
    join,
    key_id,
    protected_header,
    take_apart,
)
from fob_protocol.cose.labels import Label
from fob_protocol.cose.structures import encrypt0_structure

_SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def seal_to(key: bytes, label: Label, context: Context, plaintext: bytes) -> bytes:
    """For the holder of the private half of `key` (X25519, raw, 32 octets). Raises SealError for no key."""
    protected = protected_header(Algorithm.HPKE_X25519_AES_256_GCM, Parameter.KID, key_id(key))
    info = encrypt0_structure(protected, label, context)
    try:
        ciphertext = _SUITE.encrypt(plaintext, X25519PublicKey.from_public_bytes(key), info)
    except ValueError:
        # A point of low order too: its secret would be known to everybody.
        raise SealError("that is no X25519 key") from None
    return join(Tag.ENCRYPT0, protected, ciphertext)


def unseal_with(key: X25519PrivateKey, label: Label, context: Context, sealed: bytes) -> bytes:
    """The plaintext. Raises CoseError for another shape, SealError."""
    protected, _, (ciphertext,) = _take_apart(sealed)
    try:
        return _SUITE.decrypt(ciphertext, key, encrypt0_structure(protected, label, context))
    except (InvalidTag, ValueError):
        raise SealError("it does not open with this key") from None


def receiver_of(sealed: bytes) -> bytes:
    """The key id that an object is sealed to. Raises CoseError."""
    return _take_apart(sealed).parameter


def _take_apart(sealed: bytes) -> Parts:
    return take_apart(Tag.ENCRYPT0, sealed, Algorithm.HPKE_X25519_AES_256_GCM, Parameter.KID, KEY_ID_SIZE, body=1)
