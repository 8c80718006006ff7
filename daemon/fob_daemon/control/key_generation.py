"""Mechanism and templates for a new key pair: it stays on the token, sensitive and never extractable."""

from typing import Final

from fob_daemon.control.key_type import KeyType
from fob_daemon.control.public_key import EC_KEY_TYPES
from fob_daemon.cryptoki.public_keys import ED25519_PARAMS
from fob_protocol.pkcs11.attributes import Attributes
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.mechanisms import Mechanism

# F4, which every program accepts.
PUBLIC_EXPONENT: Final = b"\x01\x00\x01"

_EC_PARAMETERS: Final = {key_type: parameters for parameters, key_type in EC_KEY_TYPES.items()}


def generation(key_type: KeyType, label: str, key_id: bytes) -> tuple[Mechanism, Attributes, Attributes]:
    """For C_GenerateKeyPair: mechanism, public template, private template."""
    common: Attributes = {Cka.TOKEN: True, Cka.LABEL: label.encode(), Cka.ID: key_id}
    public = common | {Cka.PRIVATE: False, Cka.VERIFY: True}
    private = common | {Cka.PRIVATE: True, Cka.SENSITIVE: True, Cka.EXTRACTABLE: False, Cka.SIGN: True}
    if key_type in _EC_PARAMETERS:
        public[Cka.EC_PARAMS] = _EC_PARAMETERS[key_type]
        private[Cka.DERIVE] = True
        return Mechanism(Ckm.EC_KEY_PAIR_GEN), public, private
    if key_type is KeyType.ED25519:
        public[Cka.EC_PARAMS] = ED25519_PARAMS[0]
        return Mechanism(Ckm.EC_EDWARDS_KEY_PAIR_GEN), public, private
    public |= {
        Cka.ENCRYPT: True,
        Cka.MODULUS_BITS: int(key_type.value.partition(":")[2]),
        Cka.PUBLIC_EXPONENT: PUBLIC_EXPONENT,
    }
    private[Cka.DECRYPT] = True
    return Mechanism(Ckm.RSA_PKCS_KEY_PAIR_GEN), public, private
