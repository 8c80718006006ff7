"""Secret keys of the PC: they last as long as their session and may leave the token anyway."""

from typing import Final

from fob_daemon.cryptoki.attribute_rules import completed
from fob_daemon.cryptoki.limits import SECRET_SIZE_LIMIT
from fob_daemon.cryptoki.templates import number
from fob_protocol.pkcs11.attributes import Attributes, Template
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Ckk, Cko
from fob_protocol.pkcs11.errors import CkrError

AES_SIZES: Final = frozenset({16, 24, 32})
_LATER: Final = frozenset({int(Cka.VALUE), int(Cka.VALUE_LEN)})


def secret_template(template: Template, key_type: int = Ckk.GENERIC_SECRET) -> Attributes:
    """The attributes of a secret key whose value is made later; `key_type` where the template has none.

    Raises CkrError TEMPLATE_INCONSISTENT for a token key or another class: the device keeps no secret keys.
    """
    if template.get(Cka.CLASS, Cko.SECRET_KEY) != Cko.SECRET_KEY or template.get(Cka.TOKEN, False):
        raise CkrError(Ckr.TEMPLATE_INCONSISTENT, "secret keys are session objects")
    if Cka.VALUE in template:
        raise CkrError(Ckr.TEMPLATE_INCONSISTENT, "the value is made here")
    kind = {int(Cka.CLASS): int(Cko.SECRET_KEY), int(Cka.KEY_TYPE): int(key_type)}
    return completed(kind | dict(template), computed=_LATER)


def secret_key(attributes: Attributes, value: bytes) -> Attributes:
    """The key with its value. Raises CkrError TEMPLATE_INCONSISTENT or ATTRIBUTE_VALUE_INVALID for a wrong length."""
    length = number(attributes, Cka.VALUE_LEN, len(value))
    if length != len(value):
        raise CkrError(Ckr.TEMPLATE_INCONSISTENT, f"a key of {len(value)} octets where {length} are due")
    if not 1 <= length <= SECRET_SIZE_LIMIT:
        raise CkrError(Ckr.ATTRIBUTE_VALUE_INVALID, f"a secret key has 1 to {SECRET_SIZE_LIMIT} octets")
    if attributes.get(Cka.KEY_TYPE) == Ckk.AES and length not in AES_SIZES:
        raise CkrError(Ckr.ATTRIBUTE_VALUE_INVALID, f"an AES key of {length} octets")
    return attributes | {
        int(Cka.VALUE): value,
        int(Cka.VALUE_LEN): length,
        int(Cka.ALWAYS_SENSITIVE): False,
        int(Cka.NEVER_EXTRACTABLE): False,
    }
