"""Curves by CKA_EC_PARAMS, points by CKA_EC_POINT (PKCS#11 v2.40 mechanisms, section 2.3; v3.0 for Edwards)."""

from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from fob_device.token import der
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError


@dataclass(frozen=True, slots=True)
class Curve:
    """A prime curve: its DER object identifier, and the octets of a coordinate (and of r and of s)."""

    name: str
    parameters: bytes
    size: int
    curve: ec.EllipticCurve


CURVES: Final = (
    Curve("P-256", bytes.fromhex("06082a8648ce3d030107"), 32, ec.SECP256R1()),
    Curve("P-384", bytes.fromhex("06052b81040022"), 48, ec.SECP384R1()),
    Curve("P-521", bytes.fromhex("06052b81040023"), 66, ec.SECP521R1()),
)
_BY_PARAMETERS: Final = {curve.parameters: curve for curve in CURVES}
_BY_NAME: Final = {curve.curve.name: curve for curve in CURVES}

ED25519_PARAMETERS: Final = bytes.fromhex("06032b6570")
# PKCS#11 v3.0 gives the curve as a PrintableString too, and OpenSC sends it so.
_ED25519_NAMES: Final = frozenset({ED25519_PARAMETERS, bytes.fromhex("130c656477617264733235353139")})
ED25519_POINT_SIZE: Final = 32


def curve_of(parameters: bytes) -> Curve:
    """The prime curve that CKA_EC_PARAMS names. Raises CkrError CURVE_NOT_SUPPORTED."""
    if parameters not in _BY_PARAMETERS:
        raise CkrError(Ckr.CURVE_NOT_SUPPORTED, "P-256, P-384 and P-521 by object identifier are supported")
    return _BY_PARAMETERS[parameters]


def curve_of_key(key: ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey) -> Curve:
    """The curve of a key of one of CURVES."""
    return _BY_NAME[key.curve.name]


def require_ed25519(parameters: bytes) -> None:
    """Raises CkrError CURVE_NOT_SUPPORTED unless CKA_EC_PARAMS names edwards25519."""
    if parameters not in _ED25519_NAMES:
        raise CkrError(Ckr.CURVE_NOT_SUPPORTED, "edwards25519 is the only Edwards curve here")


def raw_point(point: bytes, sizes: frozenset[int]) -> bytes:
    """A point of one of `sizes` octets, given raw or in a DER octet string. Raises DerError."""
    raw = point if len(point) in sizes else der.only_content(der.OCTET_STRING, point)
    if len(raw) not in sizes:
        raise der.DerError(f"a point of {len(raw)} octets")
    return raw


def read_point(curve: Curve, point: bytes) -> ec.EllipticCurvePublicKey:
    """The public key at `point`, raw or DER, uncompressed or compressed. Raises ValueError when it is off the curve."""
    raw = raw_point(point, frozenset({1 + curve.size, 1 + 2 * curve.size}))
    return ec.EllipticCurvePublicKey.from_encoded_point(curve.curve, raw)


def write_point(raw: bytes) -> bytes:
    """CKA_EC_POINT: a raw point in a DER octet string."""
    return der.encode(der.OCTET_STRING, raw)
