"""Which attributes a session object of the PC has, what they are by default, and which may change.

PKCS#11 v2.40 base, sections 4.4 to 4.10.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from fob_protocol.pkcs11.attributes import Attributes, AttributeValue, Template
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Ckk, Cko
from fob_protocol.pkcs11.errors import CkrError

# CK_UNAVAILABLE_INFORMATION: no mechanism of ours made the key.
NO_MECHANISM: Final = 0xFFFF_FFFF_FFFF_FFFF

Defaults = Mapping[int, AttributeValue]

STORAGE: Final[Defaults] = {
    Cka.TOKEN: False,
    Cka.PRIVATE: False,
    Cka.MODIFIABLE: True,
    Cka.COPYABLE: True,
    Cka.LABEL: b"",
}
KEY: Final[Defaults] = {
    **STORAGE,
    Cka.ID: b"",
    Cka.START_DATE: b"",
    Cka.END_DATE: b"",
    Cka.DERIVE: False,
    Cka.LOCAL: False,
    Cka.KEY_GEN_MECHANISM: NO_MECHANISM,
    Cka.ALLOWED_MECHANISMS: (),
}
DEFAULTS: Final[Mapping[int, Defaults]] = MappingProxyType(
    {
        Cko.DATA: {**STORAGE, Cka.APPLICATION: b"", Cka.OBJECT_ID: b"", Cka.VALUE: b""},
        Cko.CERTIFICATE: {
            **STORAGE,
            Cka.TRUSTED: False,
            Cka.CERTIFICATE_CATEGORY: 0,
            Cka.SUBJECT: b"",
            Cka.ID: b"",
            Cka.ISSUER: b"",
            Cka.SERIAL_NUMBER: b"",
            Cka.START_DATE: b"",
            Cka.END_DATE: b"",
        },
        Cko.PUBLIC_KEY: {
            **KEY,
            Cka.SUBJECT: b"",
            Cka.ENCRYPT: True,
            Cka.VERIFY: True,
            Cka.VERIFY_RECOVER: False,
            Cka.WRAP: True,
            Cka.TRUSTED: False,
        },
        Cko.SECRET_KEY: {
            **KEY,
            Cka.SENSITIVE: False,
            Cka.EXTRACTABLE: True,
            Cka.ENCRYPT: True,
            Cka.DECRYPT: True,
            Cka.SIGN: True,
            Cka.VERIFY: True,
            Cka.WRAP: True,
            Cka.UNWRAP: True,
            Cka.WRAP_WITH_TRUSTED: False,
            Cka.TRUSTED: False,
        },
    }
)

# What a template has to bring, and what else it may bring, beside what has a default.
REQUIRED: Final[Mapping[tuple[int, int | None], frozenset[int]]] = MappingProxyType(
    {
        (Cko.DATA, None): frozenset(),
        (Cko.CERTIFICATE, None): frozenset({Cka.CERTIFICATE_TYPE, Cka.VALUE}),
        (Cko.PUBLIC_KEY, Ckk.RSA): frozenset({Cka.MODULUS, Cka.PUBLIC_EXPONENT}),
        (Cko.PUBLIC_KEY, Ckk.EC): frozenset({Cka.EC_PARAMS, Cka.EC_POINT}),
        (Cko.PUBLIC_KEY, Ckk.EC_EDWARDS): frozenset({Cka.EC_PARAMS, Cka.EC_POINT}),
        **{
            (Cko.SECRET_KEY, key_type): frozenset({Cka.VALUE})
            for key_type in (
                *(Ckk.GENERIC_SECRET, Ckk.AES, Ckk.SHA_1_HMAC, Ckk.SHA224_HMAC),
                *(Ckk.SHA256_HMAC, Ckk.SHA384_HMAC, Ckk.SHA512_HMAC),
            )
        },
    }
)
COMPUTED: Final = frozenset(
    {Cka.LOCAL, Cka.KEY_GEN_MECHANISM, Cka.ALWAYS_SENSITIVE, Cka.NEVER_EXTRACTABLE, Cka.MODULUS_BITS, Cka.VALUE_LEN}
)
_CERTIFICATE_EXTRAS: Final = frozenset({Cka.CHECK_VALUE, Cka.URL})

# C_SetAttributeValue: anything, or in one direction only.
FREE: Final = frozenset(
    {
        Cka.LABEL, Cka.ID, Cka.SUBJECT, Cka.START_DATE, Cka.END_DATE, Cka.APPLICATION, Cka.OBJECT_ID, Cka.ISSUER,
        Cka.SERIAL_NUMBER, Cka.ENCRYPT, Cka.DECRYPT, Cka.SIGN, Cka.VERIFY, Cka.VERIFY_RECOVER, Cka.WRAP, Cka.UNWRAP,
        Cka.DERIVE,
    }
)  # fmt: skip
ONE_WAY: Final[Mapping[int, bool]] = MappingProxyType(
    {Cka.SENSITIVE: True, Cka.WRAP_WITH_TRUSTED: True, Cka.EXTRACTABLE: False, Cka.COPYABLE: False}
)
# C_CopyObject may change these too.
BY_COPY: Final = frozenset({Cka.TOKEN, Cka.PRIVATE, Cka.MODIFIABLE})


def object_type(template: Template) -> tuple[int, int | None]:
    """Class and key type. Raises CkrError TEMPLATE_INCOMPLETE or ATTRIBUTE_VALUE_INVALID."""
    cls = template.get(Cka.CLASS)
    key_type = template.get(Cka.KEY_TYPE)
    if not isinstance(cls, int):
        raise CkrError(Ckr.TEMPLATE_INCOMPLETE, "CKA_CLASS is due")
    is_key = cls in (Cko.PUBLIC_KEY, Cko.PRIVATE_KEY, Cko.SECRET_KEY)
    if is_key and not isinstance(key_type, int):
        raise CkrError(Ckr.TEMPLATE_INCOMPLETE, "CKA_KEY_TYPE is due")
    found = (cls, key_type if is_key and isinstance(key_type, int) else None)
    if found not in REQUIRED:
        raise CkrError(Ckr.ATTRIBUTE_VALUE_INVALID, "no such objects are made on the PC")
    return found


def completed(template: Template, *, computed: frozenset[int] = frozenset()) -> Attributes:
    """A template with the defaults of its class. `computed`: required parts that the caller adds later.

    Raises CkrError TEMPLATE_INCOMPLETE, ATTRIBUTE_TYPE_INVALID, ATTRIBUTE_READ_ONLY, ATTRIBUTE_VALUE_INVALID.
    """
    cls, key_type = object_type(template)
    required = REQUIRED[cls, key_type]
    defaults = DEFAULTS[cls]
    missing = required - computed - set(template)
    if missing:
        raise CkrError(Ckr.TEMPLATE_INCOMPLETE, f"attribute {min(missing):#x} is due")
    extras = _CERTIFICATE_EXTRAS if cls == Cko.CERTIFICATE else frozenset()
    for attribute in template:
        if attribute in COMPUTED and attribute not in computed:
            raise CkrError(Ckr.ATTRIBUTE_READ_ONLY, f"attribute {attribute:#x} is computed")
        if attribute not in {*required, *defaults, *extras, *computed, Cka.CLASS, Cka.KEY_TYPE}:
            raise CkrError(Ckr.ATTRIBUTE_TYPE_INVALID, f"attribute {attribute:#x} does not belong to this object")
    if template.get(Cka.TRUSTED) is True:
        raise CkrError(Ckr.ATTRIBUTE_READ_ONLY, "what is on the PC alone is never CKA_TRUSTED")
    return {**defaults, **template}


def check_change(attributes: Template, change: Template, *, is_copy: bool) -> None:
    """Raises CkrError ATTRIBUTE_READ_ONLY, ATTRIBUTE_TYPE_INVALID or ACTION_PROHIBITED."""
    if attributes.get(Cka.COPYABLE if is_copy else Cka.MODIFIABLE) is False:
        raise CkrError(Ckr.ACTION_PROHIBITED, "the object forbids it")
    for attribute, value in change.items():
        if attribute not in attributes:
            raise CkrError(Ckr.ATTRIBUTE_TYPE_INVALID, f"the object has no attribute {attribute:#x}")
        is_free = attribute in FREE or (is_copy and attribute in BY_COPY) or ONE_WAY.get(attribute) == value
        if not is_free and attributes[attribute] != value:
            raise CkrError(Ckr.ATTRIBUTE_READ_ONLY, f"attribute {attribute:#x} cannot become that")
