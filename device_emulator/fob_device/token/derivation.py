"""ECDH into a session secret that the PC keeps (PKCS#11 v2.40 mechanisms, 2.3.7)."""

from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.x963kdf import X963KDF

from fob_device.token import limits
from fob_device.token.curves import curve_of_key, read_point
from fob_device.token.keys import PrivateKey
from fob_device.token.mechanisms import HASHES
from fob_device.token.template_check import require_equal
from fob_protocol.pkcs11.attributes import Template
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Ckd, Ckk, Cko
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.pkcs11.mechanisms import Ecdh1Parameters, Mechanism

_KDF_HASHES: Final[dict[int, hashes.HashAlgorithm]] = {
    Ckd.SHA1_KDF: HASHES[Ckm.SHA_1],
    Ckd.SHA224_KDF: HASHES[Ckm.SHA224],
    Ckd.SHA256_KDF: HASHES[Ckm.SHA256],
    Ckd.SHA384_KDF: HASHES[Ckm.SHA384],
    Ckd.SHA512_KDF: HASHES[Ckm.SHA512],
}
_AES_SIZES: Final = frozenset({16, 24, 32})


@dataclass(frozen=True, slots=True)
class Derived:
    """The CKA_VALUE of the secret key that C_DeriveKey makes on the PC."""

    value: bytes = field(repr=False)


def check_derive_template(template: Template) -> None:
    """Raises CkrError TEMPLATE_INCONSISTENT unless the template describes a secret that may leave the token."""
    require_equal(template, Cka.CLASS, Cko.SECRET_KEY)
    require_equal(template, Cka.TOKEN, False)
    require_equal(template, Cka.SENSITIVE, False)
    require_equal(template, Cka.EXTRACTABLE, True)
    if template.get(Cka.KEY_TYPE, Ckk.GENERIC_SECRET) not in (Ckk.GENERIC_SECRET, Ckk.AES):
        raise CkrError(Ckr.TEMPLATE_INCONSISTENT, "generic secrets and AES keys are derived here")


def derive_secret(key: PrivateKey, mechanism: Mechanism, template: Template) -> Derived:
    """The shared secret with the mechanism's point, as long as the template's CKA_VALUE_LEN.

    Without a key derivation function it is the x coordinate, cut at its leading end.
    Raises CkrError MECHANISM_PARAM_INVALID, TEMPLATE_INCOMPLETE, TEMPLATE_INCONSISTENT, KEY_TYPE_INCONSISTENT.
    """
    parameters = mechanism.parameters
    if not isinstance(parameters, Ecdh1Parameters):
        raise CkrError(Ckr.MECHANISM_PARAM_INVALID, "CK_ECDH1_DERIVE_PARAMS is due")
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise CkrError(Ckr.KEY_TYPE_INCONSISTENT, "only EC keys derive")
    try:
        peer = read_point(curve_of_key(key), parameters.public_data)
    except ValueError:
        raise CkrError(Ckr.MECHANISM_PARAM_INVALID, "the other side's point is not on the curve") from None
    length = _value_length(template)
    shared = key.exchange(ec.ECDH(), peer)
    value = _cut(shared, length, parameters) if parameters.kdf == Ckd.NULL else _expand(shared, length, parameters)
    if template.get(Cka.KEY_TYPE) == Ckk.AES and len(value) not in _AES_SIZES:
        raise CkrError(Ckr.TEMPLATE_INCONSISTENT, f"an AES key of {len(value)} octets")
    return Derived(value)


def _value_length(template: Template) -> int | None:
    length = template.get(Cka.VALUE_LEN)
    if length is None:
        return None
    if not isinstance(length, int) or not 1 <= length <= limits.DERIVED_LIMIT:
        raise CkrError(Ckr.ATTRIBUTE_VALUE_INVALID, f"CKA_VALUE_LEN is 1 to {limits.DERIVED_LIMIT}")
    return length


def _cut(shared: bytes, length: int | None, parameters: Ecdh1Parameters) -> bytes:
    if parameters.shared_data:
        raise CkrError(Ckr.MECHANISM_PARAM_INVALID, "shared data without a key derivation function")
    if length is not None and length > len(shared):
        raise CkrError(Ckr.TEMPLATE_INCONSISTENT, f"the curve gives {len(shared)} octets, not {length}")
    return shared if length is None else shared[-length:]


def _expand(shared: bytes, length: int | None, parameters: Ecdh1Parameters) -> bytes:
    if parameters.kdf not in _KDF_HASHES or len(parameters.shared_data) > limits.SHARED_DATA_LIMIT:
        raise CkrError(Ckr.MECHANISM_PARAM_INVALID, f"key derivation function {parameters.kdf:#x} or its shared data")
    if length is None:
        raise CkrError(Ckr.TEMPLATE_INCOMPLETE, "CKA_VALUE_LEN is due with a key derivation function")
    return X963KDF(_KDF_HASHES[parameters.kdf], length, parameters.shared_data).derive(shared)
