"""Tokens for anybody: CWT claims in COSE_Sign1 with a media type, no external data (RFC 8392, RFC 9596).

Every other signature of Fob has external data with a label, so that none passes for one of these, nor the reverse.
"""

from collections.abc import Mapping
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from fob_protocol.cose.cbor import Value, decode, decode_tagged, encode
from fob_protocol.cose.errors import CborError, CoseError, SignatureError
from fob_protocol.cose.headers import Algorithm, Parameter, Tag, join, key_id

Claims = Mapping[int | str, Value]

_OKP: Final = 1
_ED25519_CURVE: Final = 6
_KTY, _CRV, _X = 1, -1, -2


def sign_claims(key: Ed25519PrivateKey, media_type: str, claims: Claims) -> bytes:
    """The token."""
    protected = encode(_header(key.public_key().public_bytes_raw(), media_type))
    payload = encode(claims)
    return join(Tag.SIGN1, protected, payload, key.sign(_to_be_signed(protected, payload)))


def verify_claims(key: bytes, media_type: str, token: bytes) -> Claims:
    """The claims, if `key` (raw, 32 octets) signed them under this type. Raises CoseError, SignatureError."""
    protected, payload, signature = _take_apart(token)
    if protected != encode(_header(key, media_type)):
        raise SignatureError("signed by another key, or no token of this kind")
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, _to_be_signed(protected, payload))
    except (InvalidSignature, ValueError):
        raise SignatureError("the signature is wrong") from None
    return _map(payload)


def unverified_claims(token: bytes) -> Claims:
    """What a token says, before it is known who has to have signed it. Raises CoseError."""
    return _map(_take_apart(token)[1])


def cose_key(public: bytes) -> Claims:
    """An Ed25519 public key (raw, 32 octets) as a COSE_Key (RFC 9053, section 7.2)."""
    return {_KTY: _OKP, _CRV: _ED25519_CURVE, _X: public}


def read_cose_key(key: Value) -> bytes:
    """The raw public key. Raises CoseError."""
    if not isinstance(key, Mapping) or key.keys() != {_KTY, _CRV, _X} or (key[_KTY], key[_CRV]) != (1, 6):
        raise CoseError("no Ed25519 key")
    x = key[_X]
    if not isinstance(x, bytes) or len(x) != 32:
        raise CoseError("an Ed25519 key of another size")
    return x


def _header(key: bytes, media_type: str) -> Claims:
    return {Parameter.ALG: Algorithm.ED25519, Parameter.KID: key_id(key), Parameter.TYP: media_type}


def _take_apart(token: bytes) -> tuple[bytes, bytes, bytes]:
    try:
        array = decode_tagged(Tag.SIGN1, token)
    except CborError as error:
        raise CoseError(str(error)) from None
    match array:
        case [bytes() as protected, dict() as unprotected, bytes() as payload, bytes() as signature] if not unprotected:
            return protected, payload, signature
    raise CoseError("a COSE object of another shape than a token")


def _map(payload: bytes) -> Claims:
    try:
        claims = decode(payload)
    except CborError as error:
        raise CoseError(str(error)) from None
    if not isinstance(claims, dict):
        raise CoseError("claims are a map")
    return claims


def _to_be_signed(protected: bytes, payload: bytes) -> bytes:
    return encode(["Signature1", protected, b"", payload])
