"""RSA decryption (PKCS#11 v2.40 mechanisms, 2.1.6 and 2.1.8)."""

from cryptography.hazmat.primitives.asymmetric import padding, rsa

from fob_device.token.keys import PrivateKey
from fob_device.token.mechanisms import Entry, Scheme, require_no_parameters
from fob_device.token.rsa_parameters import oaep_padding
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.pkcs11.mechanisms import Mechanism


def decrypt_data(key: PrivateKey, mechanism: Mechanism, entry: Entry, data: bytes) -> bytes:
    """The plaintext.

    A broken PKCS#1 v1.5 padding gives random-looking octets, always the same for the same input, and no error:
    implicit rejection in the cryptographic library, so that nobody learns about the padding (Bleichenbacher's attack).
    Raises CkrError ENCRYPTED_DATA_LEN_RANGE, ENCRYPTED_DATA_INVALID, MECHANISM_PARAM_INVALID.
    """
    if not isinstance(key, rsa.RSAPrivateKey):
        raise CkrError(Ckr.KEY_TYPE_INCONSISTENT, "only RSA keys decrypt")
    scheme = _padding(mechanism, entry)
    if len(data) != key.key_size // 8:
        raise CkrError(Ckr.ENCRYPTED_DATA_LEN_RANGE, f"{len(data)} octets, {key.key_size // 8} are due")
    try:
        return key.decrypt(data, scheme)
    except ValueError:
        raise CkrError(Ckr.ENCRYPTED_DATA_INVALID, "not encrypted for this key") from None


def _padding(mechanism: Mechanism, entry: Entry) -> padding.AsymmetricPadding:
    if entry.scheme is Scheme.OAEP:
        return oaep_padding(mechanism)
    require_no_parameters(mechanism)
    return padding.PKCS1v15()
