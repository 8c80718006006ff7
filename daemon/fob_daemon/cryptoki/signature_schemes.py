"""The one table of signature mechanisms with asymmetric keys (PKCS#11 v2.40 mechanisms, 2.1 and 2.3; v3.0, 2.3.14)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from types import MappingProxyType
from typing import Final

from fob_daemon.cryptoki.hash_table import ALL, BY_MECHANISM, BY_MGF, HashFunction
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Ckk
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.pkcs11.mechanisms import Mechanism, PssParameters


class Family(Enum):
    """How the signature is made."""

    PKCS1 = auto()
    PSS = auto()
    ECDSA = auto()
    EDDSA = auto()


@dataclass(frozen=True, slots=True)
class SignatureScheme:
    """A mechanism; `hash` is set where it hashes."""

    family: Family
    key_type: Ckk
    hash: HashFunction | None = None


def _schemes() -> Iterator[tuple[int, SignatureScheme]]:
    yield Ckm.RSA_PKCS, SignatureScheme(Family.PKCS1, Ckk.RSA)
    yield Ckm.RSA_PKCS_PSS, SignatureScheme(Family.PSS, Ckk.RSA)
    yield Ckm.ECDSA, SignatureScheme(Family.ECDSA, Ckk.EC)
    yield Ckm.EDDSA, SignatureScheme(Family.EDDSA, Ckk.EC_EDWARDS)
    for function in ALL:
        yield function.rsa, SignatureScheme(Family.PKCS1, Ckk.RSA, function)
        yield function.pss, SignatureScheme(Family.PSS, Ckk.RSA, function)
        yield function.ecdsa, SignatureScheme(Family.ECDSA, Ckk.EC, function)


SIGNATURE_SCHEMES: Final[Mapping[int, SignatureScheme]] = MappingProxyType(dict(_schemes()))


def scheme_of(mechanism: Mechanism) -> SignatureScheme:
    """Raises CkrError MECHANISM_INVALID for an unknown mechanism, MECHANISM_PARAM_INVALID for its parameter."""
    scheme = SIGNATURE_SCHEMES.get(mechanism.type)
    if scheme is None:
        raise CkrError(Ckr.MECHANISM_INVALID, f"mechanism {mechanism.type:#x} does not sign")
    if scheme.family is Family.PSS:
        pss_hash(mechanism, scheme)
    elif mechanism.parameters not in (None, b""):
        raise CkrError(Ckr.MECHANISM_PARAM_INVALID, "this mechanism has no parameter")
    return scheme


def pss_hash(mechanism: Mechanism, scheme: SignatureScheme) -> tuple[PssParameters, HashFunction]:
    """The parameters and the hash they name. Raises CkrError MECHANISM_PARAM_INVALID."""
    parameters = mechanism.parameters
    if not isinstance(parameters, PssParameters):
        raise CkrError(Ckr.MECHANISM_PARAM_INVALID, "CK_RSA_PKCS_PSS_PARAMS is due")
    function = BY_MECHANISM.get(parameters.hash_mechanism)
    if function is None or parameters.mgf not in BY_MGF or scheme.hash not in (None, function):
        raise CkrError(Ckr.MECHANISM_PARAM_INVALID, "these hashes do not go together")
    return parameters, function


def require_room_for_salt(mechanism: Mechanism, scheme: SignatureScheme, modulus_bits: int) -> None:
    """Raises CkrError MECHANISM_PARAM_INVALID for a PSS salt that the modulus is too short for (RFC 8017, 9.1.1)."""
    parameters, function = pss_hash(mechanism, scheme)
    room = (modulus_bits - 1 + 7) // 8 - function.size - 2
    if parameters.salt_length > room:
        raise CkrError(Ckr.MECHANISM_PARAM_INVALID, f"a salt of {parameters.salt_length} octets, {room} are possible")
