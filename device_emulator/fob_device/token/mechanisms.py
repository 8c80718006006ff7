"""The one table of what the token can do."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from types import MappingProxyType
from typing import Final

from cryptography.hazmat.primitives import hashes

from fob_device.token import limits
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Ckk
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.pkcs11.flags import MechanismFlag
from fob_protocol.pkcs11.infos import MechanismInfo
from fob_protocol.pkcs11.mechanisms import Mechanism


class Scheme(Enum):
    """What a mechanism computes."""

    GENERATE = auto()
    PKCS1 = auto()
    PSS = auto()
    OAEP = auto()
    ECDSA = auto()
    ECDH = auto()
    EDDSA = auto()


@dataclass(frozen=True, slots=True)
class Entry:
    """A mechanism. `hash` is set where the mechanism hashes: the PC does that, and the token is given the digest."""

    scheme: Scheme
    key_type: Ckk
    info: MechanismInfo
    hash: hashes.HashAlgorithm | None = None


SIGN_VERIFY: Final = MechanismFlag.SIGN | MechanismFlag.VERIFY
ENCRYPT_DECRYPT: Final = MechanismFlag.ENCRYPT | MechanismFlag.DECRYPT
CURVE_KINDS: Final = MechanismFlag.EC_F_P | MechanismFlag.EC_NAMEDCURVE | MechanismFlag.EC_UNCOMPRESS

HASHES: Final[Mapping[int, hashes.HashAlgorithm]] = MappingProxyType(
    {
        Ckm.SHA_1: hashes.SHA1(),  # noqa: S303 - signatures of old protocols still name it
        Ckm.SHA224: hashes.SHA224(),
        Ckm.SHA256: hashes.SHA256(),
        Ckm.SHA384: hashes.SHA384(),
        Ckm.SHA512: hashes.SHA512(),
    }
)
_HASHING: Final = (
    (Ckm.SHA_1, Ckm.SHA1_RSA_PKCS, Ckm.SHA1_RSA_PKCS_PSS, Ckm.ECDSA_SHA1),
    (Ckm.SHA224, Ckm.SHA224_RSA_PKCS, Ckm.SHA224_RSA_PKCS_PSS, Ckm.ECDSA_SHA224),
    (Ckm.SHA256, Ckm.SHA256_RSA_PKCS, Ckm.SHA256_RSA_PKCS_PSS, Ckm.ECDSA_SHA256),
    (Ckm.SHA384, Ckm.SHA384_RSA_PKCS, Ckm.SHA384_RSA_PKCS_PSS, Ckm.ECDSA_SHA384),
    (Ckm.SHA512, Ckm.SHA512_RSA_PKCS, Ckm.SHA512_RSA_PKCS_PSS, Ckm.ECDSA_SHA512),
)


def _rsa(scheme: Scheme, flags: MechanismFlag, algorithm: hashes.HashAlgorithm | None = None) -> Entry:
    return Entry(scheme, Ckk.RSA, MechanismInfo(limits.RSA_MIN_BITS, limits.RSA_MAX_BITS, flags), algorithm)


def _ec(scheme: Scheme, flags: MechanismFlag, algorithm: hashes.HashAlgorithm | None = None) -> Entry:
    info = MechanismInfo(limits.EC_MIN_BITS, limits.EC_MAX_BITS, flags | CURVE_KINDS)
    return Entry(scheme, Ckk.EC, info, algorithm)


def _edwards(scheme: Scheme, flags: MechanismFlag) -> Entry:
    info = MechanismInfo(limits.ED25519_BITS, limits.ED25519_BITS, flags | CURVE_KINDS)
    return Entry(scheme, Ckk.EC_EDWARDS, info)


def _entries() -> Iterator[tuple[int, Entry]]:
    yield Ckm.RSA_PKCS_KEY_PAIR_GEN, _rsa(Scheme.GENERATE, MechanismFlag.GENERATE_KEY_PAIR)
    yield Ckm.RSA_PKCS, _rsa(Scheme.PKCS1, SIGN_VERIFY | ENCRYPT_DECRYPT)
    yield Ckm.RSA_PKCS_PSS, _rsa(Scheme.PSS, SIGN_VERIFY)
    yield Ckm.RSA_PKCS_OAEP, _rsa(Scheme.OAEP, ENCRYPT_DECRYPT)
    yield Ckm.EC_KEY_PAIR_GEN, _ec(Scheme.GENERATE, MechanismFlag.GENERATE_KEY_PAIR)
    yield Ckm.ECDSA, _ec(Scheme.ECDSA, SIGN_VERIFY)
    yield Ckm.ECDH1_DERIVE, _ec(Scheme.ECDH, MechanismFlag.DERIVE)
    yield Ckm.EC_EDWARDS_KEY_PAIR_GEN, _edwards(Scheme.GENERATE, MechanismFlag.GENERATE_KEY_PAIR)
    yield Ckm.EDDSA, _edwards(Scheme.EDDSA, SIGN_VERIFY)
    for digest, pkcs1, pss, ecdsa in _HASHING:
        yield pkcs1, _rsa(Scheme.PKCS1, SIGN_VERIFY, HASHES[digest])
        yield pss, _rsa(Scheme.PSS, SIGN_VERIFY, HASHES[digest])
        yield ecdsa, _ec(Scheme.ECDSA, SIGN_VERIFY, HASHES[digest])


MECHANISMS: Final[Mapping[int, Entry]] = MappingProxyType(dict(_entries()))
MECHANISM_INFOS: Final[Mapping[int, MechanismInfo]] = MappingProxyType({m: e.info for m, e in MECHANISMS.items()})


def entry_for(mechanism: Mechanism, use: MechanismFlag) -> Entry:
    """The table's entry for one use. Raises CkrError MECHANISM_INVALID."""
    entry = MECHANISMS.get(mechanism.type)
    if entry is None or not entry.info.flags & use:
        raise CkrError(Ckr.MECHANISM_INVALID, f"mechanism {mechanism.type:#x} cannot {use.name}")
    return entry


def require_no_parameters(mechanism: Mechanism) -> None:
    """Raises CkrError MECHANISM_PARAM_INVALID for a parameter where there is none."""
    if mechanism.parameters not in (None, b""):
        raise CkrError(Ckr.MECHANISM_PARAM_INVALID, "this mechanism has no parameter")
