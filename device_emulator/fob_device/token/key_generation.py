"""New key pairs. Their randomness is the cryptographic library's own."""

from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from fob_device.token import limits
from fob_device.token.curves import curve_of, require_ed25519
from fob_device.token.keys import PrivateKey
from fob_device.token.values import bytes_of, int_of
from fob_protocol.pkcs11.attributes import Template
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Ckk
from fob_protocol.pkcs11.errors import CkrError

PUBLIC_EXPONENT: Final = 65537
# Sizes in use; odd ones only make keys that other programs refuse.
MODULUS_STEP: Final = 1024


def generate_key(key_type: Ckk, public: Template) -> PrivateKey:
    """A new key as the public template asks. Takes up to seconds for RSA.

    Raises CkrError ATTRIBUTE_VALUE_INVALID, CURVE_NOT_SUPPORTED.
    """
    if key_type is Ckk.RSA:
        return _generate_rsa(public)
    parameters = bytes_of(public, Cka.EC_PARAMS)
    if key_type is Ckk.EC:
        return ec.generate_private_key(curve_of(parameters).curve)
    require_ed25519(parameters)
    return ed25519.Ed25519PrivateKey.generate()


def _generate_rsa(public: Template) -> PrivateKey:
    bits = int_of(public, Cka.MODULUS_BITS)
    if not limits.RSA_MIN_BITS <= bits <= limits.RSA_MAX_BITS or bits % MODULUS_STEP:
        raise CkrError(Ckr.ATTRIBUTE_VALUE_INVALID, f"CKA_MODULUS_BITS {bits}: 2048, 3072 and 4096 are made here")
    if int.from_bytes(bytes_of(public, Cka.PUBLIC_EXPONENT)) != PUBLIC_EXPONENT:
        raise CkrError(Ckr.ATTRIBUTE_VALUE_INVALID, f"CKA_PUBLIC_EXPONENT must be {PUBLIC_EXPONENT}")
    return rsa.generate_private_key(PUBLIC_EXPONENT, bits)
