"""RSA encryption: paddings, and how much fits (PKCS#11 v2.40 mechanisms, 2.1.6 and 2.1.8; RFC 8017, 7.1 and 7.2)."""

from typing import Final

from cryptography.hazmat.primitives.asymmetric import padding

from fob_daemon.cryptoki.hash_table import BY_MECHANISM, BY_MGF
from fob_daemon.cryptoki.operations.sign import PKCS1_OVERHEAD
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Ckz
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.pkcs11.mechanisms import Mechanism, OaepParameters

RSA_CIPHERS: Final = frozenset({Ckm.RSA_PKCS, Ckm.RSA_PKCS_OAEP})


def encryption_padding(mechanism: Mechanism) -> tuple[padding.AsymmetricPadding, int]:
    """The padding, and what it takes of the modulus in octets. Raises CkrError MECHANISM_PARAM_INVALID."""
    match mechanism.type, mechanism.parameters:
        case Ckm.RSA_PKCS, None | b"":
            return padding.PKCS1v15(), PKCS1_OVERHEAD
        case Ckm.RSA_PKCS_OAEP, OaepParameters() as oaep:
            return _oaep(oaep)
    raise CkrError(Ckr.MECHANISM_PARAM_INVALID, "the parameter does not fit this RSA mechanism")


def _oaep(oaep: OaepParameters) -> tuple[padding.AsymmetricPadding, int]:
    function, mgf = BY_MECHANISM.get(oaep.hash_mechanism), BY_MGF.get(oaep.mgf)
    # NSS and others leave the source 0 when there is no label.
    is_source = oaep.source == Ckz.DATA_SPECIFIED or not (oaep.source or oaep.source_data)
    if function is None or mgf is None or not is_source:
        raise CkrError(Ckr.MECHANISM_PARAM_INVALID, "these OAEP parameters are not offered")
    scheme = padding.OAEP(padding.MGF1(mgf.algorithm), function.algorithm, oaep.source_data or None)
    return scheme, 2 * function.size + 2
