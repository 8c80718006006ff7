"""Public key objects of a token as SSH public key blobs (RFC 4253 section 6.6, RFC 5656 section 3.1, RFC 8709)."""

import base64
from collections.abc import Callable
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from fob_protocol.pkcs11.attributes import Attributes
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.constants import Ckk

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey

# What `public_key_blob` looks at.
KEY_ATTRIBUTES: Final = (Cka.KEY_TYPE, Cka.MODULUS, Cka.PUBLIC_EXPONENT, Cka.EC_PARAMS, Cka.EC_POINT)

# CKA_EC_PARAMS, DER object identifiers (RFC 5480, section 2.1.1.1).
_CURVES: Final[dict[bytes, ec.EllipticCurve]] = {
    bytes.fromhex("06082a8648ce3d030107"): ec.SECP256R1(),
    bytes.fromhex("06052b81040022"): ec.SECP384R1(),
    bytes.fromhex("06052b81040023"): ec.SECP521R1(),
}

# Ed25519 goes by its object identifier (RFC 8410) or, as in PKCS#11 v3.0, by its name as a PrintableString.
_ED25519: Final = (bytes.fromhex("06032b6570"), b"\x13\x0cedwards25519")
_ED25519_SIZE: Final = 32

# DER: OCTET STRING, and a length of one byte that follows.
_OCTET_STRING: Final = 0x04
_LONG_LENGTH: Final = 0x81


class UnsupportedKeyError(Exception):
    """A public key object that has no place in SSH; the message says why."""


def public_key_blob(attributes: Attributes) -> tuple[str, bytes]:
    """The key's SSH algorithm name and its blob. Raises UnsupportedKeyError."""
    key_type = attributes.get(Cka.KEY_TYPE)
    load = _LOADERS.get(key_type) if isinstance(key_type, int) else None
    if load is None:
        raise UnsupportedKeyError(f"SSH has no keys of type {key_type!r}")
    try:
        line = load(attributes).public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UnsupportedKeyError(str(error)) from error
    algorithm, encoded = line.split()
    return algorithm.decode(), base64.b64decode(encoded)


def _rsa(attributes: Attributes) -> PublicKey:
    modulus = int.from_bytes(_octets(attributes, Cka.MODULUS), "big")
    exponent = int.from_bytes(_octets(attributes, Cka.PUBLIC_EXPONENT), "big")
    return rsa.RSAPublicNumbers(exponent, modulus).public_key()


def _ec(attributes: Attributes) -> PublicKey:
    curve = _CURVES.get(_octets(attributes, Cka.EC_PARAMS))
    if curve is None:
        raise UnsupportedKeyError("SSH does not have this curve")
    point = _point(attributes, 1 + 2 * ((curve.key_size + 7) // 8))
    return ec.EllipticCurvePublicKey.from_encoded_point(curve, point)


def _ed25519(attributes: Attributes) -> PublicKey:
    if _octets(attributes, Cka.EC_PARAMS) not in _ED25519:
        raise UnsupportedKeyError("SSH does not have this Edwards curve")
    return ed25519.Ed25519PublicKey.from_public_bytes(_point(attributes, _ED25519_SIZE))


_LOADERS: Final[dict[int, Callable[[Attributes], PublicKey]]] = {
    Ckk.RSA: _rsa,
    Ckk.EC: _ec,
    Ckk.EC_EDWARDS: _ed25519,
}


def _octets(attributes: Attributes, attribute: Cka) -> bytes:
    value = attributes.get(attribute)
    if not isinstance(value, bytes):
        raise UnsupportedKeyError(f"the key has no CKA_{attribute.name}")
    return value


def _point(attributes: Attributes, size: int) -> bytes:
    """CKA_EC_POINT of `size` bytes: a DER OCTET STRING of it, or bare as older tokens have it."""
    point = _octets(attributes, Cka.EC_POINT)
    head = bytes((_OCTET_STRING, size)) if size < 0x80 else bytes((_OCTET_STRING, _LONG_LENGTH, size))
    bare = point.removeprefix(head) if len(point) == len(head) + size else point
    if len(bare) != size:
        raise UnsupportedKeyError("CKA_EC_POINT does not fit the curve")
    return bare
