"""Certificates: kept as they are, their names filled in."""

import datetime
import hashlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from fob_device.token import der, limits
from fob_device.token.certificates import read_certificate
from fob_protocol.pkcs11.attributes import Attributes
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Ckc, Cko, Cku
from support.token_bench import Bench, refused


def name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def certificate(serial: int = 0xABCDEF, subject: str = "subject") -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    start = datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC)
    builder = x509.CertificateBuilder(name("issuer"), name(subject), key.public_key(), serial)
    builder = builder.not_valid_before(start).not_valid_after(start + datetime.timedelta(days=1))
    return builder.sign(key, hashes.SHA256())


def template(value: bytes, **more: bytes | bool | int) -> Attributes:
    given: Attributes = {Cka.CLASS: Cko.CERTIFICATE, Cka.CERTIFICATE_TYPE: Ckc.X_509, Cka.TOKEN: True, Cka.VALUE: value}
    return given | {Cka[key]: value for key, value in more.items()}


@pytest.mark.clause("P2")
def test_subject_issuer_serial_number_and_check_value_are_filled_in(bench: Bench) -> None:
    made = certificate()
    value = made.public_bytes(serialization.Encoding.DER)
    view = bench.user().create_object(template(value))
    expected = {
        Cka.VALUE: value,
        Cka.SUBJECT: made.subject.public_bytes(),
        Cka.ISSUER: made.issuer.public_bytes(),
        Cka.SERIAL_NUMBER: b"\x02\x04\x00\xab\xcd\xef",
        Cka.CHECK_VALUE: hashlib.sha1(value, usedforsecurity=False).digest()[:3],
        Cka.ID: b"",
        Cka.TRUSTED: False,
        Cka.PRIVATE: False,
        Cka.CERTIFICATE_CATEGORY: 0,
    }
    assert expected.items() <= view.attributes.items()


def test_what_the_template_gives_is_kept(bench: Bench) -> None:
    value = certificate().public_bytes(serialization.Encoding.DER)
    view = bench.user().create_object(template(value, SUBJECT=b"mine", ISSUER=b"theirs", SERIAL_NUMBER=b"\x01"))
    assert view.attributes[Cka.SUBJECT] == b"mine"
    assert view.attributes[Cka.ISSUER] == b"theirs"
    assert view.attributes[Cka.SERIAL_NUMBER] == b"\x01"


def test_a_private_certificate_shows_its_value_to_the_user_only(bench: Bench) -> None:
    value = certificate().public_bytes(serialization.Encoding.DER)
    session = bench.user()
    view = session.create_object(template(value, PRIVATE=True))
    assert Cka.VALUE not in view.attributes
    assert session.read_attribute(view.handle, Cka.VALUE) == value
    with refused(Ckr.USER_NOT_LOGGED_IN):
        bench.session().read_attribute(view.handle, Cka.VALUE)


@pytest.mark.parametrize(
    "value", [b"", b"\x30\x00", b"\x30\x03\x30\x01\x00", b"\x04\x01\x00", b"\x30\x84\xff\xff\xff\xff"]
)
def test_octets_that_are_no_certificate_are_refused(bench: Bench, value: bytes) -> None:
    with refused(Ckr.ATTRIBUTE_VALUE_INVALID):
        bench.user().create_object(template(value))


def test_a_certificate_cut_short_or_too_long_is_refused(bench: Bench) -> None:
    session = bench.user()
    value = certificate().public_bytes(serialization.Encoding.DER)
    for size in range(len(value)):
        with refused(Ckr.ATTRIBUTE_VALUE_INVALID):
            session.create_object(template(value[:size]))
    for wrong in (value + b"\x00", bytes(limits.VALUE_LIMIT + 1)):
        with refused(Ckr.ATTRIBUTE_VALUE_INVALID):
            session.create_object(template(wrong))


def test_a_certificate_with_names_beyond_the_limit_is_refused(bench: Bench) -> None:
    names = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x" * 64)] * 70)
    key = ec.generate_private_key(ec.SECP256R1())
    start = datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC)
    builder = x509.CertificateBuilder(names, names, key.public_key(), 1).not_valid_before(start).not_valid_after(start)
    value = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
    with refused(Ckr.ATTRIBUTE_VALUE_INVALID):
        bench.user().create_object(template(value))


@pytest.mark.parametrize("kind", [Ckc.X_509_ATTR_CERT, Ckc.WTLS, 99])
def test_other_kinds_of_certificates_are_not_kept(bench: Bench, kind: int) -> None:
    value = certificate().public_bytes(serialization.Encoding.DER)
    with refused(Ckr.ATTRIBUTE_VALUE_INVALID):
        bench.user().create_object(template(value) | {Cka.CERTIFICATE_TYPE: kind})


def test_only_the_so_makes_a_certificate_trusted(bench: Bench) -> None:
    value = certificate().public_bytes(serialization.Encoding.DER)
    user, officer = bench.user(), bench.session(Cku.SO)
    with refused(Ckr.ATTRIBUTE_READ_ONLY):
        user.create_object(template(value, TRUSTED=True))
    view = user.create_object(template(value))
    with refused(Ckr.ATTRIBUTE_READ_ONLY):
        user.set_attributes(view.handle, {Cka.TRUSTED: True})
    assert officer.set_attributes(view.handle, {Cka.TRUSTED: True}).attributes[Cka.TRUSTED] is True
    assert officer.create_object(template(value, TRUSTED=True)).attributes[Cka.TRUSTED] is True


@given(
    serial=st.integers(1, 1 << 150),
    subject=st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=16),
)
def test_fields_are_those_that_the_library_finds(serial: int, subject: str) -> None:
    made = certificate(serial, subject)
    fields = read_certificate(made.public_bytes(serialization.Encoding.DER))
    assert fields.subject == made.subject.public_bytes()
    assert fields.issuer == made.issuer.public_bytes()
    assert int.from_bytes(der.only_content(der.INTEGER, fields.serial_number)) == serial


@given(st.binary(max_size=200))
def test_any_octets_are_read_as_a_certificate_or_refused(value: bytes) -> None:
    for octets in (value, der.encode(der.SEQUENCE, der.encode(der.SEQUENCE, value))):
        try:
            read_certificate(octets)
        except der.DerError:
            continue


@given(tag=st.integers(0, 255), content=st.binary(max_size=70_000))
def test_der_elements_come_back(tag: int, content: bytes) -> None:
    assert der.only_content(tag, der.encode(tag, content)) == content


@pytest.mark.parametrize(
    "element",
    [b"", b"\x04", b"\x04\x80", b"\x04\x81\x01\x00", b"\x04\x82\x00\x80", b"\x04\x01", b"\x04\x85" + bytes(9)],
)
def test_lengths_that_der_does_not_write_are_refused(element: bytes) -> None:
    with pytest.raises(der.DerError):
        der.only_content(der.OCTET_STRING, element)
