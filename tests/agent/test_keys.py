"""Public key objects as SSH keys."""

import base64
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from agent.fake_keys import ALL_KEYS, FakeKey, ed25519_key, p256_key, p521_key, public_attributes, rsa_key
from fob_daemon.agent.keys import UnsupportedKeyError, public_key_blob
from fob_protocol.pkcs11.attributes import Attributes
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.constants import Ckk


@pytest.mark.parametrize("make_key", ALL_KEYS)
def test_a_public_key_has_the_blob_that_openssh_gives_it(make_key: Callable[[], FakeKey]) -> None:
    key = make_key()
    algorithm, encoded = key.line.split()[:2]
    assert public_key_blob(key.public_object()) == (algorithm, base64.b64decode(encoded))


@pytest.mark.parametrize("make_key", [p256_key, p521_key, ed25519_key])
def test_a_point_without_its_der_wrapping_is_taken(make_key: Callable[[], FakeKey]) -> None:
    wrapped = make_key().public_object()
    point = wrapped[Cka.EC_POINT]
    assert isinstance(point, bytes)
    bare = point[3:] if point[1] == 0x81 else point[2:]
    assert public_key_blob(wrapped | {Cka.EC_POINT: bare}) == public_key_blob(wrapped)


def test_ed25519_by_the_name_of_its_curve() -> None:
    """PKCS#11 v3.0, section 2.3.10: curveName as a PrintableString."""
    attributes = ed25519_key().public_object()
    assert public_key_blob(attributes | {Cka.EC_PARAMS: b"\x13\x0cedwards25519"}) == public_key_blob(attributes)


def other_curve() -> Attributes:
    return public_attributes(ec.generate_private_key(ec.SECP256K1()))


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ({}, "no keys of type None"),
        ({Cka.KEY_TYPE: int(Ckk.AES)}, "no keys of type 31"),
        ({Cka.KEY_TYPE: int(Ckk.RSA), Cka.PUBLIC_EXPONENT: b"\x03"}, "no CKA_MODULUS"),
        (rsa_key().public_object() | {Cka.MODULUS: b""}, "."),
        (rsa_key().public_object() | {Cka.PUBLIC_EXPONENT: b"\x02"}, "."),
        (other_curve(), "does not have this curve"),
        (p256_key().public_object() | {Cka.EC_POINT: b"\x04\x41" + bytes(65)}, "."),
        (p256_key().public_object() | {Cka.EC_POINT: b"\x04" + b"\x01" * 64}, "."),
        (p256_key().public_object() | {Cka.EC_POINT: bytes(33)}, "does not fit the curve"),
        (ed25519_key().public_object() | {Cka.EC_POINT: b""}, "does not fit the curve"),
        (ed25519_key().public_object() | {Cka.EC_PARAMS: b"\x06\x03\x2b\x65\x71"}, "this Edwards curve"),
    ],
)
def test_what_has_no_place_in_ssh(attributes: Attributes, reason: str) -> None:
    with pytest.raises(UnsupportedKeyError, match=reason):
        public_key_blob(attributes)


def test_an_ed25519_point_that_starts_like_its_wrapping() -> None:
    """04 20 are also good first bytes of a key, and only the length tells."""
    point = b"\x04\x20" + bytes(30)
    attributes = ed25519_key().public_object() | {Cka.EC_POINT: point}
    _, blob = public_key_blob(attributes)
    assert blob.endswith(point)
    assert ed25519.Ed25519PublicKey.from_public_bytes(point)
