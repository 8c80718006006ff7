"""Templates against the rules (rules.py), in the order of PKCS#11 v2.40 base, section 4.1.1."""

import datetime
from typing import Final

from fob_device.token.rules import RULES, Change, Give, Origin, Rule, Rules
from fob_protocol.pkcs11.attributes import Attributes, AttributeValue, Kind, Template, kind_of
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Ckk, Cko
from fob_protocol.pkcs11.errors import CkrError

ULONG_LIMIT: Final = 1 << 64
MECHANISM_LIMIT: Final = 1 << 32
DATE_SIZE: Final = 8


def class_of(template: Template) -> tuple[Cko, Ckk | None]:
    """What kind of object a template describes.

    Raises CkrError TEMPLATE_INCOMPLETE without CKA_CLASS, or CKA_KEY_TYPE of a key; ATTRIBUTE_VALUE_INVALID for what
    the token does not keep.
    """
    value = _due_number(template, Cka.CLASS)
    key_type = _due_number(template, Cka.KEY_TYPE) if is_key(template) else None
    for known_class, known_type in RULES:
        if (known_class, known_type) == (value, key_type):
            return known_class, known_type
    raise CkrError(Ckr.ATTRIBUTE_VALUE_INVALID, f"objects of class {value}, key type {key_type} are not kept here")


def is_key(attributes: Template) -> bool:
    """Whether an object is a key of either kind."""
    return attributes.get(Cka.CLASS) in (Cko.PUBLIC_KEY, Cko.PRIVATE_KEY)


def check_new(rules: Rules, template: Template, origin: Origin) -> Attributes:
    """The attributes of a new object, defaults filled in.

    Raises CkrError ATTRIBUTE_TYPE_INVALID, ATTRIBUTE_VALUE_INVALID, ATTRIBUTE_READ_ONLY, TEMPLATE_INCOMPLETE.
    """
    for attribute, value in template.items():
        rule = _rule(rules, attribute)
        _check_value(attribute, value, rule)
        if rule.give(origin) is Give.NEVER:
            raise CkrError(Ckr.ATTRIBUTE_READ_ONLY, f"{_name(attribute)} is not yours to give")
    for attribute, rule in rules.items():
        if rule.give(origin) is Give.MUST and attribute not in template:
            raise CkrError(Ckr.TEMPLATE_INCOMPLETE, f"{_name(attribute)} is missing")
    defaults = {attribute: rule.default for attribute, rule in rules.items() if rule.default is not None}
    return defaults | dict(template)


def check_change(rules: Rules, template: Template) -> None:
    """Raises CkrError like `check_new`, for C_SetAttributeValue."""
    for attribute, value in template.items():
        rule = _rule(rules, attribute)
        _check_value(attribute, value, rule)
        _check_transition(attribute, value, rule.change)


def check_copy(rules: Rules, template: Template) -> None:
    """Raises CkrError like `check_new`, for C_CopyObject."""
    for attribute, value in template.items():
        rule = _rule(rules, attribute)
        _check_value(attribute, value, rule)
        _check_transition(attribute, value, rule.change_by_copy())


def require_equal(template: Template, attribute: Cka, value: AttributeValue) -> None:
    """Raises CkrError TEMPLATE_INCONSISTENT when the template has another value than must be."""
    if template.get(attribute, value) != value:
        raise CkrError(Ckr.TEMPLATE_INCONSISTENT, f"CKA_{attribute.name} does not fit the rest")


def _rule(rules: Rules, attribute: int) -> Rule:
    if attribute not in rules:
        raise CkrError(Ckr.ATTRIBUTE_TYPE_INVALID, f"this object has no {_name(attribute)}")
    return rules[attribute]


def _check_value(attribute: int, value: AttributeValue, rule: Rule) -> None:
    if not _fits(kind_of(attribute), value, rule.limit):
        raise CkrError(Ckr.ATTRIBUTE_VALUE_INVALID, f"{_name(attribute)} has a wrong type or size")


def _fits(kind: Kind, value: AttributeValue, limit: int) -> bool:
    match kind, value:
        case Kind.BOOL, bool():
            return True
        case Kind.ULONG, int():
            return not isinstance(value, bool) and 0 <= value < ULONG_LIMIT
        case Kind.DATE, bytes():
            return not value or _is_date(value)
        case Kind.BYTES, bytes():
            return len(value) <= limit
        case Kind.MECHANISMS, tuple():
            return len(value) <= limit and all(0 <= mechanism < MECHANISM_LIMIT for mechanism in value)
    return False


def _is_date(value: bytes) -> bool:
    """CK_DATE: eight digits, a day of the calendar."""
    if len(value) != DATE_SIZE or not value.isdigit():
        return False
    try:
        datetime.date(int(value[:4]), int(value[4:6]), int(value[6:]))
    except ValueError:
        return False
    return True


def _check_transition(attribute: int, value: AttributeValue, change: Change) -> None:
    allowed = {Change.FREE: True, Change.ONLY_TRUE: value is True, Change.ONLY_FALSE: value is False}
    if not allowed.get(change, False):
        raise CkrError(Ckr.ATTRIBUTE_READ_ONLY, f"{_name(attribute)} cannot become that")


def _due_number(template: Template, attribute: Cka) -> int:
    if attribute not in template:
        raise CkrError(Ckr.TEMPLATE_INCOMPLETE, f"CKA_{attribute.name} is missing")
    value = template[attribute]
    if not isinstance(value, int) or isinstance(value, bool):
        raise CkrError(Ckr.ATTRIBUTE_VALUE_INVALID, f"CKA_{attribute.name} is not a number")
    return value


def _name(attribute: int) -> str:
    try:
        return f"CKA_{Cka(attribute).name}"
    except ValueError:
        return f"attribute {attribute:#x}"
