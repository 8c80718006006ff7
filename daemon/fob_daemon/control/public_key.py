"""A public key object's attributes as a key that other programs read: PEM, an OpenSSH line, the words for its type."""

from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from fob_daemon.control.key_type import KeyType
from fob_protocol.pkcs11.attributes import AttributeValue, Template
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.constants import Ckk

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey

# CKA_EC_PARAMS (DER object identifiers, RFC 5480 and RFC 8410) of the curves that devices have.
CURVES: Final[dict[bytes, tuple[KeyType, ec.EllipticCurve]]] = {
    bytes.fromhex("06082a8648ce3d030107"): (KeyType.EC_P256, ec.SECP256R1()),
    bytes.fromhex("06052b81040022"): (KeyType.EC_P384, ec.SECP384R1()),
    bytes.fromhex("06052b81040023"): (KeyType.EC_P521, ec.SECP521R1()),
}
ED25519_PARAMETERS: Final = bytes.fromhex("06032b6570")
ED25519_POINT_SIZE: Final = 32

NEEDED: Final = (Cka.KEY_TYPE, Cka.MODULUS, Cka.PUBLIC_EXPONENT, Cka.EC_PARAMS, Cka.EC_POINT)


def public_key(attributes: Template) -> PublicKey | None:
    """The key that NEEDED attributes describe; None for another kind, or when they do not fit together."""
    try:
        match attributes.get(Cka.KEY_TYPE):
            case Ckk.RSA:
                return _rsa_key(octets(attributes, Cka.MODULUS), octets(attributes, Cka.PUBLIC_EXPONENT))
            case Ckk.EC:
                _, curve = CURVES[octets(attributes, Cka.EC_PARAMS)]
                return ec.EllipticCurvePublicKey.from_encoded_point(curve, _point(attributes))
            case Ckk.EC_EDWARDS:
                return ed25519.Ed25519PublicKey.from_public_bytes(_point(attributes))
    except (KeyError, ValueError):
        return None
    return None


def type_words(attributes: Template) -> str:
    """As KeyType spells it where it can; `rsa:1024` and the like where it cannot."""
    match attributes.get(Cka.KEY_TYPE):
        case Ckk.RSA:
            return f"rsa:{8 * len(octets(attributes, Cka.MODULUS))}"
        case Ckk.EC:
            curve = CURVES.get(octets(attributes, Cka.EC_PARAMS))
            return curve[0].value if curve else "ec"
        case Ckk.EC_EDWARDS:
            return KeyType.ED25519.value
    return "unknown"


def pem(key: PublicKey) -> str:
    """SubjectPublicKeyInfo in PEM (RFC 7468)."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def ssh_line(key: PublicKey, comment: str) -> str:
    """A line of an authorized_keys file, without its end."""
    words = "".join(character if character.isprintable() else "?" for character in comment)
    return f"{key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()} {words}".rstrip()


def _rsa_key(modulus: bytes, exponent: bytes) -> rsa.RSAPublicKey:
    return rsa.RSAPublicNumbers(int.from_bytes(exponent, "big"), int.from_bytes(modulus, "big")).public_key()


def octets(attributes: Template, attribute: Cka) -> bytes:
    """An attribute's octets, none when it is absent or something else."""
    value: AttributeValue = attributes.get(attribute, b"")
    return value if isinstance(value, bytes) else b""


def _point(attributes: Template) -> bytes:
    """The point out of its DER octet string, which PKCS#11 v2.40 wants and some tokens leave away."""
    point = octets(attributes, Cka.EC_POINT)
    if len(point) == ED25519_POINT_SIZE or point[:1] != b"\x04":
        return point
    if point[1:2] == b"\x81" and len(point) == 3 + point[2]:
        return point[3:]
    return point[2:] if len(point) > 1 and len(point) == 2 + point[1] else point
