"""Which attributes an object has, who may give them, and what they are when nobody does.

PKCS#11 v2.40 base, section 4 (the footnotes of its tables are the columns here), and mechanisms, sections 2.1 and 2.3.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto
from types import MappingProxyType
from typing import Final

from fob_device.token import limits
from fob_protocol.pkcs11.attributes import AttributeValue
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.constants import Ckk, Cko


class Origin(Enum):
    """How an object comes to be."""

    CREATE = auto()
    GENERATE = auto()


class Give(Enum):
    """Whether a template may carry the attribute when the object comes to be."""

    MUST = auto()
    MAY = auto()
    NEVER = auto()


class Change(Enum):
    """What C_SetAttributeValue or C_CopyObject may make of it."""

    FIXED = auto()
    FREE = auto()
    ONLY_TRUE = auto()
    ONLY_FALSE = auto()


@dataclass(frozen=True, slots=True)
class Rule:
    """One attribute. `limit`: octets of a byte string, entries of a list. `default` None: absent, or computed."""

    create: Give = Give.MAY
    generate: Give = Give.MAY
    change: Change = Change.FIXED
    copy: Change | None = None
    default: AttributeValue | None = None
    limit: int = 0

    def give(self, origin: Origin) -> Give:
        """Whether the attribute may be given."""
        return self.create if origin is Origin.CREATE else self.generate

    def change_by_copy(self) -> Change:
        """What a copy may change; the same as C_SetAttributeValue where nothing else is said."""
        return self.change if self.copy is None else self.copy


Rules = Mapping[int, Rule]


def _text(limit: int) -> Rule:
    return Rule(change=Change.FREE, default=b"", limit=limit)


def _switch(default: bool) -> Rule:
    return Rule(change=Change.FREE, default=default)


COMPUTED: Final = Rule(create=Give.NEVER, generate=Give.NEVER)
# A part of the key itself: given when it is imported, made when it is generated.
DUE_PART: Final = Rule(create=Give.MUST, generate=Give.NEVER, limit=limits.NUMBER_LIMIT)
PART: Final = replace(DUE_PART, create=Give.MAY)
PUBLIC_PART: Final = replace(DUE_PART, generate=Give.MUST)
DATE: Final = Rule(change=Change.FREE, default=b"", limit=8)

STORAGE: Final[Rules] = {
    Cka.CLASS: Rule(create=Give.MUST),
    Cka.TOKEN: Rule(default=False, copy=Change.FREE),
    Cka.PRIVATE: Rule(default=False, copy=Change.ONLY_TRUE),
    Cka.MODIFIABLE: Rule(default=True, copy=Change.FREE),
    Cka.COPYABLE: Rule(default=True, change=Change.ONLY_FALSE),
    Cka.LABEL: _text(limits.LABEL_LIMIT),
}

DATA: Final[Rules] = {
    **STORAGE,
    Cka.APPLICATION: _text(limits.LABEL_LIMIT),
    Cka.OBJECT_ID: _text(limits.ID_LIMIT),
    Cka.VALUE: _text(limits.VALUE_LIMIT),
}

CERTIFICATE: Final[Rules] = {
    **STORAGE,
    Cka.CERTIFICATE_TYPE: Rule(create=Give.MUST),
    Cka.TRUSTED: _switch(False),
    Cka.CERTIFICATE_CATEGORY: Rule(default=0),
    Cka.CHECK_VALUE: Rule(limit=3),
    Cka.START_DATE: replace(DATE, change=Change.FIXED),
    Cka.END_DATE: replace(DATE, change=Change.FIXED),
    Cka.VALUE: Rule(create=Give.MUST, limit=limits.VALUE_LIMIT),
    Cka.SUBJECT: Rule(limit=limits.NAME_LIMIT),
    Cka.ID: _text(limits.ID_LIMIT),
    Cka.ISSUER: Rule(change=Change.FREE, limit=limits.NAME_LIMIT),
    Cka.SERIAL_NUMBER: Rule(change=Change.FREE, limit=limits.ID_LIMIT),
}

KEY: Final[Rules] = {
    **STORAGE,
    Cka.KEY_TYPE: Rule(create=Give.MUST),
    Cka.ID: _text(limits.ID_LIMIT),
    Cka.START_DATE: DATE,
    Cka.END_DATE: DATE,
    Cka.DERIVE: _switch(False),
    Cka.LOCAL: COMPUTED,
    Cka.KEY_GEN_MECHANISM: COMPUTED,
    Cka.SUBJECT: _text(limits.NAME_LIMIT),
    Cka.ALLOWED_MECHANISMS: Rule(default=(), limit=limits.ALLOWED_MECHANISMS_LIMIT),
}

PUBLIC_KEY: Final[Rules] = {
    **KEY,
    Cka.ENCRYPT: _switch(False),
    Cka.VERIFY: _switch(True),
    Cka.VERIFY_RECOVER: _switch(False),
    Cka.WRAP: _switch(False),
    Cka.TRUSTED: _switch(False),
}

# SENSITIVE and EXTRACTABLE may be given as a client likes; the value stays inside whatever it says.
PRIVATE_KEY: Final[Rules] = {
    **KEY,
    Cka.PRIVATE: Rule(default=True, copy=Change.ONLY_TRUE),
    Cka.SENSITIVE: Rule(default=True, change=Change.ONLY_TRUE),
    Cka.EXTRACTABLE: Rule(default=False, change=Change.ONLY_FALSE),
    Cka.ALWAYS_SENSITIVE: COMPUTED,
    Cka.NEVER_EXTRACTABLE: COMPUTED,
    Cka.DECRYPT: _switch(False),
    Cka.SIGN: _switch(True),
    Cka.SIGN_RECOVER: _switch(False),
    Cka.UNWRAP: _switch(False),
    Cka.WRAP_WITH_TRUSTED: Rule(default=False),
    Cka.ALWAYS_AUTHENTICATE: Rule(default=False),
}

RSA_PUBLIC: Final[Rules] = {
    **PUBLIC_KEY,
    Cka.ENCRYPT: _switch(True),
    Cka.MODULUS: DUE_PART,
    Cka.MODULUS_BITS: Rule(create=Give.NEVER, generate=Give.MUST),
    Cka.PUBLIC_EXPONENT: Rule(create=Give.MUST, default=(65537).to_bytes(3), limit=limits.NUMBER_LIMIT),
}
RSA_PRIVATE: Final[Rules] = {
    **PRIVATE_KEY,
    Cka.DECRYPT: _switch(True),
    Cka.MODULUS: DUE_PART,
    Cka.PRIVATE_EXPONENT: DUE_PART,
    Cka.PUBLIC_EXPONENT: PART,
    Cka.PRIME_1: PART,
    Cka.PRIME_2: PART,
    Cka.EXPONENT_1: PART,
    Cka.EXPONENT_2: PART,
    Cka.COEFFICIENT: PART,
}
EC_PUBLIC: Final[Rules] = {
    **PUBLIC_KEY,
    Cka.EC_PARAMS: replace(PUBLIC_PART, limit=limits.EC_PARAMS_LIMIT),
    Cka.EC_POINT: replace(DUE_PART, limit=limits.POINT_LIMIT),
}
EC_PRIVATE: Final[Rules] = {
    **PRIVATE_KEY,
    Cka.EC_PARAMS: replace(DUE_PART, limit=limits.EC_PARAMS_LIMIT),
    Cka.EC_POINT: replace(PART, limit=limits.POINT_LIMIT),
    Cka.VALUE: DUE_PART,
}

# An object that is not a key has no key type.
RULES: Final[Mapping[tuple[Cko, Ckk | None], Rules]] = MappingProxyType(
    {
        (Cko.DATA, None): DATA,
        (Cko.CERTIFICATE, None): CERTIFICATE,
        (Cko.PUBLIC_KEY, Ckk.RSA): RSA_PUBLIC,
        (Cko.PRIVATE_KEY, Ckk.RSA): RSA_PRIVATE,
        (Cko.PUBLIC_KEY, Ckk.EC): EC_PUBLIC,
        (Cko.PRIVATE_KEY, Ckk.EC): EC_PRIVATE,
        (Cko.PUBLIC_KEY, Ckk.EC_EDWARDS): EC_PUBLIC,
        (Cko.PRIVATE_KEY, Ckk.EC_EDWARDS): EC_PRIVATE,
    }
)
