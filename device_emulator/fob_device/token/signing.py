"""Signatures by each scheme (PKCS#11 v2.40 mechanisms, 2.1 and 2.3; v3.0, 2.3.14 for EdDSA)."""

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import NoDigestInfo, Prehashed, decode_dss_signature

from fob_device.token import limits
from fob_device.token.curves import curve_of_key
from fob_device.token.keys import PrivateKey
from fob_device.token.mechanisms import Entry, Scheme, require_no_parameters
from fob_device.token.rsa_parameters import PKCS1_OVERHEAD, pss_padding
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.pkcs11.mechanisms import Mechanism

# A number as long as the digest stands in for it: ECDSA reads the digest as a number, so its name has no meaning there.
_BY_SIZE: dict[int, hashes.HashAlgorithm] = {32: hashes.SHA256(), 48: hashes.SHA384(), 64: hashes.SHA512()}


def make_signature(key: PrivateKey, mechanism: Mechanism, entry: Entry, data: bytes) -> bytes:
    """A signature. `data` is the digest where the mechanism hashes, else what C_Sign was given.

    The signature is as long as the modulus for RSA, r and s of the curve's size for ECDSA, 64 octets for Ed25519.
    Raises CkrError DATA_LEN_RANGE, MECHANISM_PARAM_INVALID, KEY_TYPE_INCONSISTENT.
    """
    match entry.scheme, key:
        case Scheme.PKCS1, rsa.RSAPrivateKey():
            return _sign_pkcs1(key, mechanism, entry, data)
        case Scheme.PSS, rsa.RSAPrivateKey():
            return _sign_pss(key, mechanism, entry, data)
        case Scheme.ECDSA, ec.EllipticCurvePrivateKey():
            return _sign_ecdsa(key, mechanism, entry, data)
        case Scheme.EDDSA, ed25519.Ed25519PrivateKey():
            require_no_parameters(mechanism)
            _require_size(data, 0, limits.MESSAGE_LIMIT)
            return key.sign(data)
    raise CkrError(Ckr.KEY_TYPE_INCONSISTENT, "this key does not sign so")


def _sign_pkcs1(key: rsa.RSAPrivateKey, mechanism: Mechanism, entry: Entry, data: bytes) -> bytes:
    require_no_parameters(mechanism)
    if entry.hash is None:
        _require_size(data, 0, key.key_size // 8 - PKCS1_OVERHEAD)
        return key.sign(data, padding.PKCS1v15(), NoDigestInfo())
    _require_digest(data, entry.hash)
    return key.sign(data, padding.PKCS1v15(), Prehashed(entry.hash))


def _sign_pss(key: rsa.RSAPrivateKey, mechanism: Mechanism, entry: Entry, data: bytes) -> bytes:
    pss, digest = pss_padding(mechanism, entry, key.key_size // 8)
    _require_digest(data, digest)
    return key.sign(data, pss, Prehashed(digest))


def _sign_ecdsa(key: ec.EllipticCurvePrivateKey, mechanism: Mechanism, entry: Entry, data: bytes) -> bytes:
    require_no_parameters(mechanism)
    if entry.hash is not None:
        _require_digest(data, entry.hash)
    _require_size(data, 1, max(_BY_SIZE))
    size = curve_of_key(key).size
    # FIPS 186-5, 6.4.1: the leftmost bits of a digest that is longer than the order; a shorter one is a smaller number.
    # No digest here is longer than P-521's order, so 64 octets hold all of it.
    width = min(size, max(_BY_SIZE))
    number = data[:width].rjust(width, b"\0")
    r, s = decode_dss_signature(key.sign(number, ec.ECDSA(Prehashed(_BY_SIZE[width]))))
    return r.to_bytes(size) + s.to_bytes(size)


def _require_digest(data: bytes, algorithm: hashes.HashAlgorithm) -> None:
    _require_size(data, algorithm.digest_size, algorithm.digest_size)


def _require_size(data: bytes, least: int, most: int) -> None:
    if not least <= len(data) <= most:
        raise CkrError(Ckr.DATA_LEN_RANGE, f"{len(data)} octets to sign, {least} to {most} are possible")
