"""Software keys as a token has them: a public and a private object, and C_Sign."""

from dataclasses import dataclass
from functools import cache

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from fob_protocol.pkcs11.attributes import Attributes
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Ckk, Cko
from fob_protocol.pkcs11.errors import CkrError

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

CURVE_OIDS = {
    "secp256r1": bytes.fromhex("06082a8648ce3d030107"),
    "secp384r1": bytes.fromhex("06052b81040022"),
    "secp521r1": bytes.fromhex("06052b81040023"),
    "secp256k1": bytes.fromhex("06052b8104000a"),
}
ED25519_OID = bytes.fromhex("06032b6570")

RSA_HASHES: dict[int, hashes.HashAlgorithm] = {
    Ckm.SHA256_RSA_PKCS: hashes.SHA256(),
    Ckm.SHA512_RSA_PKCS: hashes.SHA512(),
}
ECDSA_HASHES: dict[int, hashes.HashAlgorithm] = {32: hashes.SHA256(), 48: hashes.SHA384(), 64: hashes.SHA512()}


@dataclass(frozen=True)
class FakeKey:
    """A key pair on a token."""

    private_key: PrivateKey
    label: str
    id: bytes
    signs: bool = True
    always_authenticate: bool = False

    @property
    def line(self) -> str:
        """The public key as `ssh-add -L` prints it."""
        encoded = self.private_key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
        return f"{encoded.decode()} {self.label}"

    def public_object(self) -> Attributes:
        return self._common() | public_attributes(self.private_key) | {Cka.CLASS: Cko.PUBLIC_KEY, Cka.PRIVATE: False}

    def private_object(self) -> Attributes:
        return self._common() | {
            Cka.CLASS: Cko.PRIVATE_KEY,
            Cka.KEY_TYPE: public_attributes(self.private_key)[Cka.KEY_TYPE],
            Cka.PRIVATE: True,
            Cka.SIGN: self.signs,
            Cka.ALWAYS_AUTHENTICATE: self.always_authenticate,
        }

    def sign(self, mechanism: int, data: bytes) -> bytes:
        """C_Sign; KEY_TYPE_INCONSISTENT for a mechanism of another key type."""
        key = self.private_key
        if isinstance(key, rsa.RSAPrivateKey) and mechanism in RSA_HASHES:
            return key.sign(data, padding.PKCS1v15(), RSA_HASHES[mechanism])
        if isinstance(key, ec.EllipticCurvePrivateKey) and mechanism == Ckm.ECDSA:
            r, s = decode_dss_signature(key.sign(data, ec.ECDSA(Prehashed(ECDSA_HASHES[len(data)]))))
            size = (key.key_size + 7) // 8
            return r.to_bytes(size, "big") + s.to_bytes(size, "big")
        if isinstance(key, ed25519.Ed25519PrivateKey) and mechanism == Ckm.EDDSA:
            return key.sign(data)
        raise CkrError(Ckr.KEY_TYPE_INCONSISTENT)

    def _common(self) -> Attributes:
        return {Cka.ID: self.id, Cka.LABEL: self.label.encode(), Cka.TOKEN: True}


def public_attributes(key: PrivateKey) -> Attributes:
    """The attributes that hold the public key itself."""
    match key:
        case rsa.RSAPrivateKey():
            numbers = key.public_key().public_numbers()
            return {
                Cka.KEY_TYPE: int(Ckk.RSA),
                Cka.MODULUS: number(numbers.n),
                Cka.PUBLIC_EXPONENT: number(numbers.e),
            }
        case ec.EllipticCurvePrivateKey():
            point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
            return {
                Cka.KEY_TYPE: int(Ckk.EC),
                Cka.EC_PARAMS: CURVE_OIDS[key.curve.name],
                Cka.EC_POINT: octet_string(point),
            }
        case ed25519.Ed25519PrivateKey():
            point = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
            return {
                Cka.KEY_TYPE: int(Ckk.EC_EDWARDS),
                Cka.EC_PARAMS: ED25519_OID,
                Cka.EC_POINT: octet_string(point),
            }


def number(value: int) -> bytes:
    """A PKCS#11 big integer."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def octet_string(content: bytes) -> bytes:
    """DER, up to 255 bytes."""
    length = bytes((len(content),)) if len(content) < 0x80 else bytes((0x81, len(content)))
    return b"\x04" + length + content


@cache
def rsa_key() -> FakeKey:
    return FakeKey(rsa.generate_private_key(public_exponent=65537, key_size=2048), "phone rsa", b"\x01")


@cache
def p256_key() -> FakeKey:
    return FakeKey(ec.generate_private_key(ec.SECP256R1()), "phone p256", b"\x02")


@cache
def ed25519_key() -> FakeKey:
    return FakeKey(ed25519.Ed25519PrivateKey.generate(), "phone ed25519", b"\x03")


@cache
def p384_key() -> FakeKey:
    return FakeKey(ec.generate_private_key(ec.SECP384R1()), "phone p384", b"\x04")


@cache
def p521_key() -> FakeKey:
    return FakeKey(ec.generate_private_key(ec.SECP521R1()), "phone p521", b"\x05")


ALL_KEYS = (rsa_key, p256_key, p384_key, p521_key, ed25519_key)
