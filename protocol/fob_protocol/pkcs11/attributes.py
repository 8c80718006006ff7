"""What kind of value each attribute type has (PKCS#11 v2.40 base, section 4).

An attribute value is a bool, an int, bytes, or for CKA_ALLOWED_MECHANISMS a tuple of mechanism types. A type that is
not listed here travels as bytes.
"""

from collections.abc import Mapping
from enum import Enum

from fob_protocol.pkcs11.cka import Cka

AttributeValue = bool | int | bytes | tuple[int, ...]
Attributes = dict[int, AttributeValue]
Template = Mapping[int, AttributeValue]


class Kind(Enum):
    """How an attribute value is typed."""

    BOOL = "bool"
    ULONG = "ulong"
    BYTES = "bytes"
    DATE = "date"
    MECHANISMS = "mechanisms"
    TEMPLATE = "template"


BOOLS = frozenset(
    {
        Cka.TOKEN, Cka.PRIVATE, Cka.TRUSTED, Cka.SENSITIVE, Cka.ENCRYPT, Cka.DECRYPT, Cka.WRAP, Cka.UNWRAP, Cka.SIGN,
        Cka.SIGN_RECOVER, Cka.VERIFY, Cka.VERIFY_RECOVER, Cka.DERIVE, Cka.EXTRACTABLE, Cka.LOCAL,
        Cka.NEVER_EXTRACTABLE, Cka.ALWAYS_SENSITIVE, Cka.MODIFIABLE, Cka.COPYABLE, Cka.SECONDARY_AUTH,
        Cka.ALWAYS_AUTHENTICATE, Cka.WRAP_WITH_TRUSTED, Cka.RESET_ON_INIT, Cka.HAS_RESET, Cka.COLOR,
    }
)  # fmt: skip

ULONGS = frozenset(
    {
        Cka.CLASS, Cka.CERTIFICATE_TYPE, Cka.CERTIFICATE_CATEGORY, Cka.JAVA_MIDP_SECURITY_DOMAIN, Cka.KEY_TYPE,
        Cka.MODULUS_BITS, Cka.PRIME_BITS, Cka.SUB_PRIME_BITS, Cka.VALUE_BITS, Cka.VALUE_LEN, Cka.KEY_GEN_MECHANISM,
        Cka.AUTH_PIN_FLAGS, Cka.HW_FEATURE_TYPE, Cka.PIXEL_X, Cka.PIXEL_Y, Cka.RESOLUTION, Cka.CHAR_ROWS,
        Cka.CHAR_COLUMNS, Cka.BITS_PER_PIXEL, Cka.MECHANISM_TYPE,
    }
)  # fmt: skip

DATES = frozenset({Cka.START_DATE, Cka.END_DATE})
TEMPLATES = frozenset({Cka.WRAP_TEMPLATE, Cka.UNWRAP_TEMPLATE})

# Never readable when the key is sensitive or not extractable (PKCS#11 v2.40 base, sections 4.9 and 4.10).
SECRET_VALUES = frozenset(
    {
        Cka.VALUE, Cka.PRIVATE_EXPONENT, Cka.PRIME_1, Cka.PRIME_2, Cka.EXPONENT_1, Cka.EXPONENT_2, Cka.COEFFICIENT,
    }
)  # fmt: skip

_KINDS: dict[int, Kind] = {
    **dict.fromkeys(BOOLS, Kind.BOOL),
    **dict.fromkeys(ULONGS, Kind.ULONG),
    **dict.fromkeys(DATES, Kind.DATE),
    **dict.fromkeys(TEMPLATES, Kind.TEMPLATE),
    Cka.ALLOWED_MECHANISMS: Kind.MECHANISMS,
}


def kind_of(attribute: int) -> Kind:
    """The kind of an attribute type; unknown and vendor types are bytes."""
    return _KINDS.get(attribute, Kind.BYTES)
