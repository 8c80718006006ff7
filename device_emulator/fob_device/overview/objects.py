"""The private keys and certificates on the token."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from fob_device.phone import Phone
from fob_device.settings import KeySetting
from fob_device.token.curves import curve_of_key
from fob_device.token.key_import import import_public_key
from fob_device.token.keys import PublicKey
from fob_device.token.values import bytes_of, int_of, is_true
from fob_device.token.views import ObjectView
from fob_protocol.names import plain_name
from fob_protocol.pkcs11.attributes import Attributes
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.constants import Ckk, Cko

# Read in one piece: a token has a bounded number of objects.
_ALL: Final = 1 << 30

_USES: Final = {"sign": Cka.SIGN, "decrypt": Cka.DECRYPT, "derive": Cka.DERIVE}


@dataclass(frozen=True, slots=True)
class KeyView:
    """`handle` names it for Phone.set_key_setting. `type`: `P-256`, `RSA 2048`. `public_key`: PEM; `ssh`: a line."""

    handle: int
    label: str
    id: bytes
    type: str
    uses: tuple[str, ...]
    asks_pin_always: bool
    setting: KeySetting
    public_key: str
    ssh: str


@dataclass(frozen=True, slots=True)
class CertificateView:
    """Names as RFC 4514 writes them. A private certificate shows its label only, until a computer reads it."""

    handle: int
    label: str
    id: bytes
    subject: str = ""
    issuer: str = ""
    not_before: datetime | None = None
    not_after: datetime | None = None
    fingerprint: str = ""
    pem: str = ""


def keys(phone: Phone) -> list[KeyView]:
    """The token's private keys, oldest change first."""
    return [_key(phone, view) for view in _of_class(phone, Cko.PRIVATE_KEY)]


def certificates(phone: Phone) -> list[CertificateView]:
    """The token's certificates, oldest change first."""
    return [_certificate(view) for view in _of_class(phone, Cko.CERTIFICATE)]


def _of_class(phone: Phone, object_class: Cko) -> Iterator[ObjectView]:
    page = phone.token.changes_since(0, limit_bytes=_ALL)
    return (view for view in page.objects if view.attributes.get(Cka.CLASS) == object_class)


def _key(phone: Phone, view: ObjectView) -> KeyView:
    attributes = view.attributes
    public = import_public_key(Ckk(int_of(attributes, Cka.KEY_TYPE)), attributes)
    return KeyView(
        handle=view.handle,
        label=_label(attributes),
        id=bytes_of(attributes, Cka.ID),
        type=_type(public),
        uses=tuple(name for name, may in _USES.items() if is_true(attributes, may)),
        asks_pin_always=is_true(attributes, Cka.ALWAYS_AUTHENTICATE),
        setting=phone.settings.of_key(view.handle),
        public_key=_text(public, serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
        ssh=_text(public, serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH),
    )


def _certificate(view: ObjectView) -> CertificateView:
    attributes = view.attributes
    bare = CertificateView(view.handle, _label(attributes), bytes_of(attributes, Cka.ID))
    try:
        certificate = x509.load_der_x509_certificate(bytes_of(attributes, Cka.VALUE))
        return CertificateView(
            bare.handle,
            bare.label,
            bare.id,
            plain_name(certificate.subject.rfc4514_string()),
            plain_name(certificate.issuer.rfc4514_string()),
            certificate.not_valid_before_utc,
            certificate.not_valid_after_utc,
            certificate.fingerprint(hashes.SHA256()).hex(),
            certificate.public_bytes(serialization.Encoding.PEM).decode(),
        )
    except ValueError:
        # Kept as it came: its own reader judges it.
        return bare


def _label(attributes: Attributes) -> str:
    return plain_name(bytes_of(attributes, Cka.LABEL).decode("utf-8", "replace"))


def _type(key: PublicKey) -> str:
    match key:
        case rsa.RSAPublicKey():
            return f"RSA {key.key_size}"
        case ec.EllipticCurvePublicKey():
            return curve_of_key(key).name
        case _:
            return "Ed25519"


def _text(key: PublicKey, encoding: serialization.Encoding, form: serialization.PublicFormat) -> str:
    return key.public_bytes(encoding, form).decode()
