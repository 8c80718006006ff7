"""HMAC with secret keys of the PC (PKCS#11 v2.40 mechanisms, 2.18 to 2.23)."""

from fob_daemon.cryptoki.hash_table import BY_HMAC, Hasher
from fob_daemon.cryptoki.key_use import require_key_type
from fob_daemon.cryptoki.objects import StoredObject
from fob_daemon.cryptoki.templates import octets
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Ckk
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.pkcs11.mechanisms import Mechanism

HMAC_KEY_TYPES = {
    "sha1": Ckk.SHA_1_HMAC,
    "sha224": Ckk.SHA224_HMAC,
    "sha256": Ckk.SHA256_HMAC,
    "sha384": Ckk.SHA384_HMAC,
    "sha512": Ckk.SHA512_HMAC,
}


def start_mac(mechanism: Mechanism, key: StoredObject) -> tuple[Hasher, int]:
    """A fresh HMAC and the octets it will have. Raises CkrError."""
    function = BY_HMAC[mechanism.type]
    if mechanism.parameters not in (None, b""):
        raise CkrError(Ckr.MECHANISM_PARAM_INVALID, "this mechanism has no parameter")
    require_key_type(key, Ckk.GENERIC_SECRET, HMAC_KEY_TYPES[function.name])
    return function.start_hmac(octets(key.attributes, Cka.VALUE)), function.size
