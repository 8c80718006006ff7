"""Session objects of the PC: public keys, certificates, data, secret keys that a client brings."""

from fob_daemon.cryptoki.attribute_rules import check_change, completed
from fob_daemon.cryptoki.public_keys import load_public_key
from fob_daemon.cryptoki.secret_keys import secret_key
from fob_daemon.cryptoki.templates import octets
from fob_protocol.pkcs11.attributes import Attributes, Template
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.constants import Ckk, Cko


def created(template: Template) -> Attributes:
    """C_CreateObject. Raises CkrError."""
    attributes = completed(template)
    match attributes.get(Cka.CLASS):
        case Cko.SECRET_KEY:
            return secret_key(attributes, octets(attributes, Cka.VALUE))
        case Cko.PUBLIC_KEY:
            load_public_key(attributes)
            if attributes.get(Cka.KEY_TYPE) == Ckk.RSA:
                modulus = int.from_bytes(octets(attributes, Cka.MODULUS))
                attributes[Cka.MODULUS_BITS] = modulus.bit_length()
    return attributes


def copied(attributes: Attributes, change: Template) -> Attributes:
    """C_CopyObject between session objects. Raises CkrError."""
    check_change(attributes, change, is_copy=True)
    return {**attributes, **change}


def change(attributes: Attributes, change: Template) -> None:
    """C_SetAttributeValue: all of it or nothing. Raises CkrError."""
    check_change(attributes, change, is_copy=False)
    attributes.update(change)
