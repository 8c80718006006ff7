"""Keys that C_CreateObject brings in: built from their attributes and checked whole."""

import math

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from fob_device.token import limits
from fob_device.token.curves import ED25519_POINT_SIZE, curve_of, raw_point, read_point, require_ed25519
from fob_device.token.keys import PrivateKey, PublicKey
from fob_device.token.values import bytes_of
from fob_protocol.pkcs11.attributes import Template
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Ckk
from fob_protocol.pkcs11.errors import CkrError

# CKA_PRIME_1 ... CKA_COEFFICIENT: given together or left out together, exponents and coefficient may be computed.
_PRIMES = (Cka.PRIME_1, Cka.PRIME_2)
_CRT = (Cka.EXPONENT_1, Cka.EXPONENT_2, Cka.COEFFICIENT)


def import_private_key(key_type: Ckk, template: Template) -> PrivateKey:
    """The private key of a template.

    Raises CkrError ATTRIBUTE_VALUE_INVALID, TEMPLATE_INCOMPLETE, CURVE_NOT_SUPPORTED.
    """
    try:
        if key_type is Ckk.RSA:
            return _import_rsa(template)
        if key_type is Ckk.EC:
            return _import_ec(template)
        return _import_ed25519(template)
    except ValueError:
        # The library's words could quote a value; say less.
        raise CkrError(Ckr.ATTRIBUTE_VALUE_INVALID, "the attributes do not make a valid private key") from None


def import_public_key(key_type: Ckk, template: Template) -> PublicKey:
    """The public key of a template. Raises CkrError ATTRIBUTE_VALUE_INVALID, CURVE_NOT_SUPPORTED."""
    try:
        if key_type is Ckk.RSA:
            modulus = _number(template, Cka.MODULUS)
            _check_rsa_size(modulus)
            return rsa.RSAPublicNumbers(_number(template, Cka.PUBLIC_EXPONENT), modulus).public_key()
        parameters, point = bytes_of(template, Cka.EC_PARAMS), bytes_of(template, Cka.EC_POINT)
        if key_type is Ckk.EC:
            return read_point(curve_of(parameters), point)
        require_ed25519(parameters)
        return ed25519.Ed25519PublicKey.from_public_bytes(raw_point(point, frozenset({ED25519_POINT_SIZE})))
    except ValueError:
        raise CkrError(Ckr.ATTRIBUTE_VALUE_INVALID, "the attributes do not make a valid public key") from None


def _import_rsa(template: Template) -> PrivateKey:
    modulus, private = _number(template, Cka.MODULUS), _number(template, Cka.PRIVATE_EXPONENT)
    _check_rsa_size(modulus)
    if private >= modulus:
        raise ValueError("private exponent")
    public, p, q = _complete_rsa(template, modulus, private)
    dmp1, dmq1, iqmp = (_number(template, attribute) for attribute in _CRT)
    numbers = rsa.RSAPrivateNumbers(
        p=p,
        q=q,
        d=private,
        dmp1=dmp1 or rsa.rsa_crt_dmp1(private, p),
        dmq1=dmq1 or rsa.rsa_crt_dmq1(private, q),
        iqmp=iqmp or rsa.rsa_crt_iqmp(p, q),
        public_numbers=rsa.RSAPublicNumbers(public, modulus),
    )
    return numbers.private_key()


def _complete_rsa(template: Template, modulus: int, private: int) -> tuple[int, int, int]:
    """Public exponent and both primes: either of them follows from the other and the private exponent."""
    public = _number(template, Cka.PUBLIC_EXPONENT)
    p, q = (_number(template, attribute) for attribute in _PRIMES)
    if p and q:
        if p * q != modulus or min(p, q) < 3:
            raise ValueError("primes")
        return public or pow(private, -1, math.lcm(p - 1, q - 1)), p, q
    if not public:
        raise CkrError(Ckr.TEMPLATE_INCOMPLETE, "CKA_PUBLIC_EXPONENT or both primes are due")
    # The search for the primes ends soon only if the exponents belong together.
    if not 2 < public < 1 << 64 or pow(pow(2, public, modulus), private, modulus) != 2:
        raise ValueError("exponents")
    p, q = rsa.rsa_recover_prime_factors(modulus, public, private)
    return public, p, q


def _import_ec(template: Template) -> PrivateKey:
    curve = curve_of(bytes_of(template, Cka.EC_PARAMS))
    key = ec.derive_private_key(_number(template, Cka.VALUE), curve.curve)
    point = bytes_of(template, Cka.EC_POINT)
    if point and read_point(curve, point) != key.public_key():
        raise ValueError("point")
    return key


def _import_ed25519(template: Template) -> PrivateKey:
    require_ed25519(bytes_of(template, Cka.EC_PARAMS))
    key = ed25519.Ed25519PrivateKey.from_private_bytes(bytes_of(template, Cka.VALUE))
    point = bytes_of(template, Cka.EC_POINT)
    if point and raw_point(point, frozenset({ED25519_POINT_SIZE})) != key.public_key().public_bytes_raw():
        raise ValueError("point")
    return key


def _check_rsa_size(modulus: int) -> None:
    if not limits.RSA_MIN_BITS <= modulus.bit_length() <= limits.RSA_MAX_BITS:
        raise CkrError(Ckr.ATTRIBUTE_VALUE_INVALID, f"a modulus of {modulus.bit_length()} bits")


def _number(template: Template, attribute: Cka) -> int:
    return int.from_bytes(bytes_of(template, attribute))
