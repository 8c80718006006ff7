"""Parameters of RSA mechanisms as paddings (PKCS#11 v2.40 mechanisms, 2.1.8 and 2.1.10; RFC 8017)."""

from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from fob_device.token.mechanisms import HASHES, Entry
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Ckg, Ckz
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.pkcs11.mechanisms import Mechanism, OaepParameters, PssParameters

# PKCS#1 v1.5 (RFC 8017, 7.2 and 9.2): at least eight padding octets and three that frame them.
PKCS1_OVERHEAD: Final = 11

_MGF_HASHES: Final[dict[int, hashes.HashAlgorithm]] = {
    Ckg.MGF1_SHA1: HASHES[Ckm.SHA_1],
    Ckg.MGF1_SHA224: HASHES[Ckm.SHA224],
    Ckg.MGF1_SHA256: HASHES[Ckm.SHA256],
    Ckg.MGF1_SHA384: HASHES[Ckm.SHA384],
    Ckg.MGF1_SHA512: HASHES[Ckm.SHA512],
}


def pss_padding(mechanism: Mechanism, entry: Entry, modulus_size: int) -> tuple[padding.PSS, hashes.HashAlgorithm]:
    """Padding and digest of a PSS mechanism for a modulus of `modulus_size` octets.

    Raises CkrError MECHANISM_PARAM_INVALID.
    """
    parameters = mechanism.parameters
    if not isinstance(parameters, PssParameters):
        raise CkrError(Ckr.MECHANISM_PARAM_INVALID, "CK_RSA_PKCS_PSS_PARAMS is due")
    digest = _hash(parameters.hash_mechanism)
    if entry.hash is not None and entry.hash.name != digest.name:
        raise CkrError(Ckr.MECHANISM_PARAM_INVALID, "the parameter names another hash than the mechanism")
    # RFC 8017, 9.1.1, step 3: encoded message >= digest + salt + 2.
    if not 0 <= parameters.salt_length <= modulus_size - digest.digest_size - 2:
        raise CkrError(Ckr.MECHANISM_PARAM_INVALID, "the salt does not fit")
    return padding.PSS(padding.MGF1(_mgf_hash(parameters.mgf)), parameters.salt_length), digest


def oaep_padding(mechanism: Mechanism) -> padding.OAEP:
    """Padding of an OAEP mechanism. Raises CkrError MECHANISM_PARAM_INVALID."""
    parameters = mechanism.parameters
    if not isinstance(parameters, OaepParameters):
        raise CkrError(Ckr.MECHANISM_PARAM_INVALID, "CK_RSA_PKCS_OAEP_PARAMS is due")
    # Many clients leave the source 0 when there is no label.
    if parameters.source != Ckz.DATA_SPECIFIED and (parameters.source != 0 or parameters.source_data):
        raise CkrError(Ckr.MECHANISM_PARAM_INVALID, f"OAEP source {parameters.source}")
    digest = _hash(parameters.hash_mechanism)
    return padding.OAEP(padding.MGF1(_mgf_hash(parameters.mgf)), digest, parameters.source_data or None)


def _hash(mechanism: int) -> hashes.HashAlgorithm:
    if mechanism not in HASHES:
        raise CkrError(Ckr.MECHANISM_PARAM_INVALID, f"hash mechanism {mechanism:#x}")
    return HASHES[mechanism]


def _mgf_hash(mgf: int) -> hashes.HashAlgorithm:
    if mgf not in _MGF_HASHES:
        raise CkrError(Ckr.MECHANISM_PARAM_INVALID, f"mask generation function {mgf:#x}")
    return _MGF_HASHES[mgf]
