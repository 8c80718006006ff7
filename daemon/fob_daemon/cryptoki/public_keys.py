"""Public keys from attributes, and what their sizes tell without any arithmetic."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from fob_daemon.cryptoki.hash_table import SHA256, SHA384, SHA512, HashFunction
from fob_daemon.cryptoki.limits import EXPONENT_BITS_LIMIT, MODULUS_BITS_LIMIT
from fob_daemon.cryptoki.templates import octets
from fob_protocol.pkcs11.attributes import Template
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Ckk
from fob_protocol.pkcs11.errors import CkrError

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey

ED25519_SIGNATURE: Final = 64
ED25519_PARAMS: Final = (bytes.fromhex("06032b6570"), bytes.fromhex("130c656477617264733235353139"))


@dataclass(frozen=True, slots=True)
class Curve:
    """`size`: octets of a coordinate; `digest`: the longest hash that ECDSA takes whole."""

    curve: ec.EllipticCurve
    size: int
    digest: HashFunction


CURVES: Final[Mapping[bytes, Curve]] = MappingProxyType(
    {
        bytes.fromhex("06082a8648ce3d030107"): Curve(ec.SECP256R1(), 32, SHA256),
        bytes.fromhex("06052b81040022"): Curve(ec.SECP384R1(), 48, SHA384),
        bytes.fromhex("06052b81040023"): Curve(ec.SECP521R1(), 66, SHA512),
    }
)


def curve_of(attributes: Template) -> Curve:
    """The curve of CKA_EC_PARAMS. Raises CkrError CURVE_NOT_SUPPORTED."""
    curve = CURVES.get(octets(attributes, Cka.EC_PARAMS))
    if curve is None:
        raise CkrError(Ckr.CURVE_NOT_SUPPORTED, "P-256, P-384 and P-521 are offered")
    return curve


def modulus_bits(attributes: Template) -> int:
    """Bits of an RSA modulus. Raises CkrError KEY_TYPE_INCONSISTENT."""
    modulus = int.from_bytes(octets(attributes, Cka.MODULUS))
    if modulus == 0:
        raise CkrError(Ckr.KEY_TYPE_INCONSISTENT, "an RSA key without its modulus")
    return modulus.bit_length()


def modulus_size(attributes: Template) -> int:
    """Octets of an RSA modulus. Raises CkrError KEY_TYPE_INCONSISTENT."""
    return (modulus_bits(attributes) + 7) // 8


def load_public_key(attributes: Template) -> PublicKey:
    """Raises CkrError KEY_TYPE_INCONSISTENT, KEY_SIZE_RANGE, CURVE_NOT_SUPPORTED or ATTRIBUTE_VALUE_INVALID."""
    try:
        match attributes.get(Cka.KEY_TYPE):
            case Ckk.RSA:
                return _load_rsa(attributes)
            case Ckk.EC:
                return ec.EllipticCurvePublicKey.from_encoded_point(curve_of(attributes).curve, _point(attributes))
            case Ckk.EC_EDWARDS:
                return _load_edwards(attributes)
    except (ValueError, UnsupportedAlgorithm):
        raise CkrError(Ckr.ATTRIBUTE_VALUE_INVALID, "these attributes are no public key") from None
    raise CkrError(Ckr.KEY_TYPE_INCONSISTENT, "RSA, EC and Ed25519 keys are offered")


def _load_rsa(attributes: Template) -> rsa.RSAPublicKey:
    modulus = int.from_bytes(octets(attributes, Cka.MODULUS))
    exponent = int.from_bytes(octets(attributes, Cka.PUBLIC_EXPONENT))
    if modulus.bit_length() > MODULUS_BITS_LIMIT or exponent.bit_length() > EXPONENT_BITS_LIMIT:
        raise CkrError(Ckr.KEY_SIZE_RANGE, f"moduli to {MODULUS_BITS_LIMIT} bits, exponents to {EXPONENT_BITS_LIMIT}")
    return rsa.RSAPublicNumbers(exponent, modulus).public_key()


def _load_edwards(attributes: Template) -> ed25519.Ed25519PublicKey:
    if octets(attributes, Cka.EC_PARAMS) not in ED25519_PARAMS:
        raise CkrError(Ckr.CURVE_NOT_SUPPORTED, "Ed25519 is offered")
    return ed25519.Ed25519PublicKey.from_public_bytes(_point(attributes))


def _point(attributes: Template) -> bytes:
    """CKA_EC_POINT: a DER octet string, or the bare octets as some clients write it."""
    point = octets(attributes, Cka.EC_POINT)
    for head in (2, 3):
        if point[:1] == b"\x04" and len(point) > head and point[1:head] == _der_length(len(point) - head):
            return point[head:]
    return point


def _der_length(length: int) -> bytes:
    return bytes((length,)) if length < 0x80 else bytes((0x81, length)) if length < 0x100 else b""
