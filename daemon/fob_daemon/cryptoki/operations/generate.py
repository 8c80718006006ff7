"""C_GenerateKey on the PC, C_GenerateKeyPair on the device with one request."""

from collections.abc import Callable
from typing import Final

from fob_daemon.cryptoki.limits import SECRET_SIZE_LIMIT
from fob_daemon.cryptoki.secret_keys import secret_key, secret_template
from fob_daemon.cryptoki.templates import number
from fob_protocol.pkcs11.attributes import Attributes
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Ckk
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.pkcs11.mechanisms import Mechanism

SECRET_KEY_GENERATORS: Final = {Ckm.AES_KEY_GEN: Ckk.AES, Ckm.GENERIC_SECRET_KEY_GEN: Ckk.GENERIC_SECRET}
KEY_PAIR_GENERATORS: Final = frozenset({Ckm.RSA_PKCS_KEY_PAIR_GEN, Ckm.EC_KEY_PAIR_GEN, Ckm.EC_EDWARDS_KEY_PAIR_GEN})


def generate_secret_key(mechanism: Mechanism, template: Attributes, random: Callable[[int], bytes]) -> Attributes:
    """The attributes of a fresh session key. Raises CkrError."""
    key_type = {int(m): k for m, k in SECRET_KEY_GENERATORS.items()}.get(mechanism.type)
    if key_type is None:
        raise CkrError(Ckr.MECHANISM_INVALID, f"mechanism {mechanism.type:#x} does not generate a key")
    if template.get(Cka.KEY_TYPE, key_type) != key_type:
        raise CkrError(Ckr.TEMPLATE_INCONSISTENT, "the mechanism makes another type of key")
    wanted = secret_template(template, key_type)
    length = number(wanted, Cka.VALUE_LEN, 0)
    if length == 0:
        raise CkrError(Ckr.TEMPLATE_INCOMPLETE, "CKA_VALUE_LEN is due")
    if length > SECRET_SIZE_LIMIT:
        raise CkrError(Ckr.ATTRIBUTE_VALUE_INVALID, f"a secret key has 1 to {SECRET_SIZE_LIMIT} octets")
    made = secret_key(wanted, random(length))
    return made | {int(Cka.LOCAL): True, int(Cka.KEY_GEN_MECHANISM): mechanism.type}


def require_key_pair_generator(mechanism: Mechanism) -> None:
    """Raises CkrError MECHANISM_INVALID."""
    if mechanism.type not in KEY_PAIR_GENERATORS:
        raise CkrError(Ckr.MECHANISM_INVALID, f"mechanism {mechanism.type:#x} does not generate a key pair")
