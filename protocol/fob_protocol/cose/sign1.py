"""COSE_Sign1 with Ed25519 (RFC 9052, section 4.2; RFC 9864)."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from fob_protocol.cose.cbor import encode
from fob_protocol.cose.errors import SignatureError
from fob_protocol.cose.headers import (
    KEY_ID_SIZE,
    Algorithm,
    Context,
    Parameter,
    Parts,
    Tag,
    external,
    join,
    key_id,
    protected_header,
    take_apart,
)
from fob_protocol.cose.labels import Label


def sign(key: Ed25519PrivateKey, label: Label, context: Context, payload: bytes) -> bytes:
    """The signed object; `context` is bound and not sent."""
    signer = key_id(key.public_key().public_bytes_raw())
    protected = protected_header(Algorithm.ED25519, Parameter.KID, signer)
    return join(Tag.SIGN1, protected, payload, key.sign(_to_be_signed(protected, label, context, payload)))


def verify(key: bytes, label: Label, context: Context, signed: bytes) -> bytes:
    """The payload, if `key` (raw, 32 octets) signed it for this label and context.

    Raises CoseError for another shape, SignatureError.
    """
    parts = _take_apart(signed)
    payload, signature = parts.body
    if parts.parameter != key_id(key):
        raise SignatureError("signed by another key")
    try:
        public = Ed25519PublicKey.from_public_bytes(key)
        public.verify(signature, _to_be_signed(parts.protected, label, context, payload))
    except (InvalidSignature, ValueError):
        raise SignatureError("the signature is wrong") from None
    return payload


def signer_of(signed: bytes) -> bytes:
    """The key id that an object names; it proves nothing. Raises CoseError."""
    return _take_apart(signed).parameter


def unverified_payload(signed: bytes) -> bytes:
    """What an object says, before it is known which key has to have signed it. Raises CoseError."""
    return _take_apart(signed).body[0]


def _take_apart(signed: bytes) -> Parts:
    return take_apart(Tag.SIGN1, signed, Algorithm.ED25519, Parameter.KID, KEY_ID_SIZE, body=2)


def _to_be_signed(protected: bytes, label: Label, context: Context, payload: bytes) -> bytes:
    return encode(["Signature1", protected, external(label, context), payload])
