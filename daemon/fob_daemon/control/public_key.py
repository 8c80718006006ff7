"""A public key object's attributes as other programs read them: PEM, an OpenSSH line, the words for its type."""

from typing import Final

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from fob_daemon.control.key_type import KeyType
from fob_daemon.cryptoki.public_keys import CURVES, PublicKey, load_public_key
from fob_daemon.cryptoki.templates import octets
from fob_protocol.pkcs11.attributes import Template
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.constants import Ckk
from fob_protocol.pkcs11.errors import CkrError

# What the functions here look at.
NEEDED: Final = (Cka.KEY_TYPE, Cka.MODULUS, Cka.PUBLIC_EXPONENT, Cka.EC_PARAMS, Cka.EC_POINT)

_BY_CURVE_NAME: Final = {
    "secp256r1": KeyType.EC_P256,
    "secp384r1": KeyType.EC_P384,
    "secp521r1": KeyType.EC_P521,
}
# CKA_EC_PARAMS of the curves that devices have.
EC_KEY_TYPES: Final = {parameters: _BY_CURVE_NAME[curve.curve.name] for parameters, curve in CURVES.items()}


def public_key(attributes: Template) -> PublicKey | None:
    """The key that NEEDED attributes describe; None for another kind, or when they do not fit together."""
    try:
        return load_public_key(attributes)
    except CkrError:
        return None


def type_words(attributes: Template) -> str:
    """As KeyType spells it where it can; `rsa:1024` and the like where it cannot."""
    match attributes.get(Cka.KEY_TYPE):
        case Ckk.RSA:
            return f"rsa:{8 * len(octets(attributes, Cka.MODULUS))}"
        case Ckk.EC:
            return EC_KEY_TYPES.get(octets(attributes, Cka.EC_PARAMS), "ec")
        case Ckk.EC_EDWARDS:
            return KeyType.ED25519
    return "unknown"


def pem(key: PublicKey) -> str:
    """SubjectPublicKeyInfo in PEM (RFC 7468)."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def ssh_line(key: PublicKey, comment: str) -> str:
    """A line of an authorized_keys file, without its end."""
    words = "".join(character if character.isprintable() else "?" for character in comment)
    return f"{key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()} {words}".rstrip()
