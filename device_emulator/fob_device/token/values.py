"""Attributes that a template check has typed already, narrowed for the type checker."""

from fob_protocol.pkcs11.attributes import Template
from fob_protocol.pkcs11.cka import Cka


def bytes_of(template: Template, attribute: Cka) -> bytes:
    """A byte-string attribute; empty when it is absent."""
    value = template.get(attribute, b"")
    if not isinstance(value, bytes):
        raise TypeError(f"CKA_{attribute.name} is not a byte string")
    return value


def int_of(template: Template, attribute: Cka) -> int:
    """A CK_ULONG attribute; 0 when it is absent."""
    value = template.get(attribute, 0)
    if not isinstance(value, int):
        raise TypeError(f"CKA_{attribute.name} is not a number")
    return value


def is_true(template: Template, attribute: Cka) -> bool:
    """A boolean attribute; false when it is absent."""
    return template.get(attribute) is True


def mechanisms_of(template: Template, attribute: Cka) -> tuple[int, ...]:
    """A mechanism list; empty when it is absent."""
    value = template.get(attribute, ())
    if not isinstance(value, tuple):
        raise TypeError(f"CKA_{attribute.name} is not a mechanism list")
    return value
