"""Templates: what a client may write into one, and which objects one matches."""

from collections.abc import Mapping
from typing import Final

from fob_daemon.cryptoki.interface import AttributeAnswer
from fob_daemon.cryptoki.limits import ATTRIBUTE_SIZE_LIMIT, TEMPLATE_LIMIT
from fob_protocol.pkcs11.attributes import SECRET_VALUES, Attributes, AttributeValue, Kind, Template, kind_of
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Cko
from fob_protocol.pkcs11.errors import CkrError

_TYPES: Final[Mapping[Kind, type]] = {
    Kind.BOOL: bool,
    Kind.ULONG: int,
    Kind.BYTES: bytes,
    Kind.DATE: bytes,
    Kind.MECHANISMS: tuple,
}
_KEYS: Final = frozenset({Cko.PRIVATE_KEY, Cko.SECRET_KEY})


def checked(template: Template) -> Attributes:
    """A copy of a client's template. Raises CkrError for one that is too long or has a value of the wrong kind."""
    if len(template) > TEMPLATE_LIMIT:
        raise CkrError(Ckr.ARGUMENTS_BAD, f"a template of more than {TEMPLATE_LIMIT} attributes")
    for attribute, value in template.items():
        _check(attribute, value)
    return dict(template)


def _check(attribute: int, value: AttributeValue) -> None:
    kind = kind_of(attribute)
    if kind is Kind.TEMPLATE:
        raise CkrError(Ckr.ATTRIBUTE_TYPE_INVALID, f"attribute {attribute:#x} is not offered")
    expected = _TYPES[kind]
    is_number = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    if not isinstance(value, expected) or (expected is int and not is_number):
        raise CkrError(Ckr.ATTRIBUTE_VALUE_INVALID, f"attribute {attribute:#x} has a value of the wrong kind")
    if isinstance(value, bytes | tuple) and len(value) > ATTRIBUTE_SIZE_LIMIT:
        raise CkrError(Ckr.ATTRIBUTE_VALUE_INVALID, f"attribute {attribute:#x} is too long")


def matches(attributes: Attributes, template: Template) -> bool:
    """True when every attribute of the template is readable and equal."""
    return all(_same(readable(attributes, attribute), value) for attribute, value in template.items())


def _same(answer: AttributeAnswer, value: AttributeValue) -> bool:
    return not isinstance(answer, Ckr) and answer == value


def readable(attributes: Attributes, attribute: int) -> AttributeAnswer:
    """The value, or SENSITIVE or TYPE_INVALID (PKCS#11 v2.40 base, 5.7, C_GetAttributeValue)."""
    if attribute in SECRET_VALUES and is_sensitive(attributes):
        return Ckr.ATTRIBUTE_SENSITIVE
    return attributes.get(attribute, Ckr.ATTRIBUTE_TYPE_INVALID)


def is_sensitive(attributes: Attributes) -> bool:
    """True for a key whose value never shows; a private key's stays on the device whatever its flags say."""
    match attributes.get(Cka.CLASS):
        case Cko.PRIVATE_KEY:
            return True
        case Cko.SECRET_KEY:
            return bool(attributes.get(Cka.SENSITIVE, False)) or not attributes.get(Cka.EXTRACTABLE, True)
    return False


def is_private(attributes: Attributes) -> bool:
    """True for an object that shows after the user's login only; the default is the class's."""
    return bool(attributes.get(Cka.PRIVATE, attributes.get(Cka.CLASS) in _KEYS))


def octets(attributes: Template, attribute: int) -> bytes:
    """A byte string, empty where there is none."""
    value = attributes.get(attribute)
    return value if isinstance(value, bytes) else b""


def label_of(attributes: Template) -> str:
    """CKA_LABEL for people to read."""
    return octets(attributes, Cka.LABEL).decode("utf-8", "replace")


def number(attributes: Template, attribute: int, default: int) -> int:
    """A CK_ULONG, or `default` where there is none."""
    value = attributes.get(attribute)
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def mechanisms(attributes: Template) -> tuple[int, ...]:
    """CKA_ALLOWED_MECHANISMS; empty allows all."""
    value = attributes.get(Cka.ALLOWED_MECHANISMS)
    return value if isinstance(value, tuple) else ()
