"""New objects from their templates: the attributes to store and the secret to seal."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from fob_device.token import certificates, limits
from fob_device.token.der import DerError
from fob_device.token.key_import import import_private_key, import_public_key
from fob_device.token.keys import PrivateKey, key_identifier, key_to_secret, public_attributes, shared_attributes
from fob_device.token.mechanisms import Entry
from fob_device.token.rules import RULES, Origin
from fob_device.token.template_check import check_new, class_of, is_key, require_equal
from fob_device.token.values import bytes_of, int_of, is_true
from fob_protocol.pkcs11.attributes import SECRET_VALUES, Attributes, Template
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Ckc, Ckk, Cko
from fob_protocol.pkcs11.errors import CkrError

# CK_UNAVAILABLE_INFORMATION: CKA_KEY_GEN_MECHANISM of a key that was not generated here.
UNAVAILABLE_INFORMATION: Final = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Draft:
    """An object that is not stored yet: what a list shows, and the secret: a PKCS#8 key, a private value, or none."""

    attributes: Attributes
    secret: bytes | None = field(default=None, repr=False)


def draft_object(template: Template) -> Draft:
    """The object of C_CreateObject. Raises CkrError as templates do (template_check.py)."""
    object_class, key_type = class_of(template)
    attributes = check_new(RULES[object_class, key_type], template, Origin.CREATE)
    if object_class is Cko.PRIVATE_KEY:
        key = import_private_key(_key_type(attributes), attributes)
        return _private_draft(attributes, key, generated_by=None)
    if object_class is Cko.PUBLIC_KEY:
        made = public_attributes(import_public_key(_key_type(attributes), attributes))
        return Draft(attributes | made | _origin_of_key(None))
    if object_class is Cko.CERTIFICATE:
        attributes = _complete_certificate(attributes)
    return split_secret(attributes)


def check_pair(mechanism: int, entry: Entry, public: Template, private: Template) -> tuple[Attributes, Attributes]:
    """Both templates of C_GenerateKeyPair, completed. Raises CkrError as templates do."""
    return (
        _check_half(Cko.PUBLIC_KEY, mechanism, entry.key_type, public),
        _check_half(Cko.PRIVATE_KEY, mechanism, entry.key_type, private),
    )


def draft_pair(mechanism: int, public: Attributes, private: Attributes, key: PrivateKey) -> tuple[Draft, Draft]:
    """Both objects of a generated key. An identifier that only one template gives, or none, is the same on both."""
    identifier = bytes_of(public, Cka.ID) or bytes_of(private, Cka.ID) or key_identifier(key.public_key())
    public_half = public | public_attributes(key.public_key()) | _origin_of_key(mechanism)
    public_half[Cka.ID] = bytes_of(public, Cka.ID) or identifier
    private = private | {Cka.ID: bytes_of(private, Cka.ID) or identifier}
    return Draft(public_half), _private_draft(private, key, generated_by=mechanism)


def split_secret(attributes: Attributes) -> Draft:
    """A data object or certificate: the value of a private one is a secret, and no attribute that a list shows."""
    if not is_true(attributes, Cka.PRIVATE):
        return Draft(attributes)
    shown = {attribute: value for attribute, value in attributes.items() if attribute != Cka.VALUE}
    return Draft(shown, bytes_of(attributes, Cka.VALUE))


def changed_draft(attributes: Attributes, secret: bytes | None, template: Template) -> Draft:
    """An object with `template` written over it (checked already): what a change or a copy stores."""
    changed = attributes | dict(template)
    if is_key(attributes):
        return Draft(changed, secret)
    value: Attributes = {} if secret is None or Cka.VALUE in template else {Cka.VALUE: secret}
    return split_secret(changed | value)


def _check_half(object_class: Cko, mechanism: int, key_type: Ckk, template: Template) -> Attributes:
    require_equal(template, Cka.CLASS, object_class)
    require_equal(template, Cka.KEY_TYPE, key_type)
    attributes = check_new(RULES[object_class, key_type], template, Origin.GENERATE)
    if object_class is Cko.PRIVATE_KEY:
        _require_private(attributes)
    return attributes | {Cka.CLASS: object_class, Cka.KEY_TYPE: key_type} | _origin_of_key(mechanism)


def _private_draft(attributes: Attributes, key: PrivateKey, *, generated_by: int | None) -> Draft:
    _require_private(attributes)
    generated = generated_by is not None
    shown: Attributes = {name: value for name, value in attributes.items() if name not in SECRET_VALUES}
    shown |= shared_attributes(key.public_key()) | _origin_of_key(generated_by)
    # Whatever the template says, the value never leaves; that it was elsewhere before stays on record.
    shown |= {Cka.SENSITIVE: True, Cka.EXTRACTABLE: False}
    shown |= {Cka.ALWAYS_SENSITIVE: generated, Cka.NEVER_EXTRACTABLE: generated}
    return Draft(shown, key_to_secret(key))


def _require_private(attributes: Attributes) -> None:
    if not is_true(attributes, Cka.PRIVATE):
        raise CkrError(Ckr.TEMPLATE_INCONSISTENT, "private keys here are CKA_PRIVATE")


def _origin_of_key(generated_by: int | None) -> Attributes:
    if generated_by is None:
        return {Cka.LOCAL: False, Cka.KEY_GEN_MECHANISM: UNAVAILABLE_INFORMATION}
    return {Cka.LOCAL: True, Cka.KEY_GEN_MECHANISM: generated_by}


def _complete_certificate(attributes: Attributes) -> Attributes:
    if attributes[Cka.CERTIFICATE_TYPE] != Ckc.X_509:
        raise CkrError(Ckr.ATTRIBUTE_VALUE_INVALID, "X.509 certificates are kept here, no others")
    value = bytes_of(attributes, Cka.VALUE)
    try:
        fields = certificates.read_certificate(value)
    except DerError as error:
        raise CkrError(Ckr.ATTRIBUTE_VALUE_INVALID, f"CKA_VALUE is not a certificate: {error}") from None
    found = {
        Cka.SUBJECT: (fields.subject, limits.NAME_LIMIT),
        Cka.ISSUER: (fields.issuer, limits.NAME_LIMIT),
        Cka.SERIAL_NUMBER: (fields.serial_number, limits.ID_LIMIT),
    }
    return _limited(found) | {Cka.CHECK_VALUE: certificates.check_value(value)} | attributes


def _limited(found: Mapping[Cka, tuple[bytes, int]]) -> Attributes:
    for attribute, (value, limit) in found.items():
        if len(value) > limit:
            raise CkrError(Ckr.ATTRIBUTE_VALUE_INVALID, f"the certificate's {attribute.name} is over {limit} octets")
    return {attribute: value for attribute, (value, _) in found.items()}


def _key_type(attributes: Attributes) -> Ckk:
    return Ckk(int_of(attributes, Cka.KEY_TYPE))
