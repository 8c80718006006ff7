"""Keys of the three types: their stored form, and the attributes that follow from them."""

from typing import cast

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509 import SubjectKeyIdentifier

from fob_device.token.curves import ED25519_PARAMETERS, curve_of_key, write_point
from fob_protocol.pkcs11.attributes import Attributes
from fob_protocol.pkcs11.cka import Cka

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey


def key_to_secret(key: PrivateKey) -> bytes:
    """PKCS#8 (RFC 5208) in DER: what is sealed."""
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def key_from_secret(secret: bytes) -> PrivateKey:
    """The key that `key_to_secret` stored; it was validated when it came in, and its seal shows that it is the same."""
    key = serialization.load_der_private_key(secret, None, unsafe_skip_rsa_key_validation=True)
    return cast(PrivateKey, key)


def shared_attributes(key: PublicKey) -> Attributes:
    """What both halves of a pair carry: Java and OpenSSL need it on the private key as well."""
    match key:
        case rsa.RSAPublicKey():
            numbers = key.public_numbers()
            return {Cka.MODULUS: _unsigned(numbers.n), Cka.PUBLIC_EXPONENT: _unsigned(numbers.e)}
        case ec.EllipticCurvePublicKey():
            point = key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
            return {Cka.EC_PARAMS: curve_of_key(key).parameters, Cka.EC_POINT: write_point(point)}
        case ed25519.Ed25519PublicKey():
            return {Cka.EC_PARAMS: ED25519_PARAMETERS, Cka.EC_POINT: write_point(key.public_bytes_raw())}


def public_attributes(key: PublicKey) -> Attributes:
    """What follows from a public key for its own object."""
    bits: Attributes = {Cka.MODULUS_BITS: key.key_size} if isinstance(key, rsa.RSAPublicKey) else {}
    return shared_attributes(key) | bits


def key_identifier(key: PublicKey) -> bytes:
    """20 octets: SHA-1 of the public key (RFC 5280, 4.2.1.2, method 1), so that a certificate can name it too."""
    return SubjectKeyIdentifier.from_public_key(key).digest


def _unsigned(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8)
