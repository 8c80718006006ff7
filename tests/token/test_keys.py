"""Keys that are made here, and keys that are brought here."""

import hashlib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from fob_device.token import limits
from fob_device.token.making import UNAVAILABLE_INFORMATION, draft_object
from fob_protocol.pkcs11.attributes import SECRET_VALUES, Attributes
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Ckk, Cko
from fob_protocol.pkcs11.mechanisms import Mechanism
from support.openssl import verify_with_openssl
from support.token_bench import (
    EC_PAIR,
    ED25519,
    EDWARDS_PAIR,
    P256,
    P384,
    P521,
    RSA_PAIR,
    Bench,
    by_name,
    make_ec,
    make_ed25519,
    refusal_of,
    refused,
)

RSA_KEY = rsa.generate_private_key(65537, 2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
ED_KEY = ed25519.Ed25519PrivateKey.generate()
TOKEN: Attributes = {Cka.TOKEN: True}

PRIVATE_EC: Attributes = {Cka.CLASS: Cko.PRIVATE_KEY, Cka.KEY_TYPE: Ckk.EC}
PUBLIC_EC: Attributes = {Cka.CLASS: Cko.PUBLIC_KEY, Cka.KEY_TYPE: Ckk.EC}
PRIVATE_ED: Attributes = {Cka.CLASS: Cko.PRIVATE_KEY, Cka.KEY_TYPE: Ckk.EC_EDWARDS, Cka.EC_PARAMS: ED25519}
PUBLIC_ED: Attributes = {Cka.CLASS: Cko.PUBLIC_KEY, Cka.KEY_TYPE: Ckk.EC_EDWARDS, Cka.EC_PARAMS: ED25519}


def octets(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8)


def rsa_template(key: rsa.RSAPrivateKey = RSA_KEY) -> Attributes:
    numbers = key.private_numbers()
    return {
        Cka.CLASS: Cko.PRIVATE_KEY,
        Cka.KEY_TYPE: Ckk.RSA,
        Cka.TOKEN: True,
        Cka.MODULUS: octets(numbers.public_numbers.n),
        Cka.PUBLIC_EXPONENT: octets(numbers.public_numbers.e),
        Cka.PRIVATE_EXPONENT: octets(numbers.d),
        Cka.PRIME_1: octets(numbers.p),
        Cka.PRIME_2: octets(numbers.q),
        Cka.EXPONENT_1: octets(numbers.dmp1),
        Cka.EXPONENT_2: octets(numbers.dmq1),
        Cka.COEFFICIENT: octets(numbers.iqmp),
    }


def ec_template(**more: bytes) -> Attributes:
    scalar = EC_KEY.private_numbers().private_value.to_bytes(32)
    parts: Attributes = {Cka.EC_PARAMS: P256, Cka.VALUE: scalar}
    return PRIVATE_EC | parts | by_name(more)


def sha1(octets: bytes) -> bytes:
    return hashlib.sha1(octets, usedforsecurity=False).digest()


def ec_point(key: ec.EllipticCurvePrivateKey = EC_KEY) -> bytes:
    return key.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


@pytest.mark.parametrize(("curve", "size"), [(P256, 32), (P384, 48), (P521, 66)])
def test_an_ec_pair_has_its_point_in_a_der_octet_string_on_both_halves(bench: Bench, curve: bytes, size: int) -> None:
    public, private = make_ec(bench.user(), curve)
    for half in (public, private):
        point = half.attributes[Cka.EC_POINT]
        assert isinstance(point, bytes)
        assert point[-2 * size - 1] == 4
        assert point[: -2 * size - 1] == (b"\x04\x81\x85" if size == 66 else bytes([4, 2 * size + 1]))
        assert half.attributes[Cka.EC_PARAMS] == curve


def test_an_rsa_pair_is_of_the_size_that_was_asked_for(bench: Bench) -> None:
    session = bench.user()
    public, private = session.generate_key_pair(RSA_PAIR, TOKEN | {Cka.MODULUS_BITS: 3072}, TOKEN)
    modulus = public.attributes[Cka.MODULUS]
    assert isinstance(modulus, bytes)
    assert (len(modulus), modulus[0] >> 7) == (384, 1)
    assert public.attributes[Cka.MODULUS_BITS] == 3072
    assert public.attributes[Cka.PUBLIC_EXPONENT] == b"\x01\x00\x01"
    assert private.attributes[Cka.MODULUS] == modulus
    assert private.attributes[Cka.PUBLIC_EXPONENT] == b"\x01\x00\x01"
    assert Cka.MODULUS_BITS not in private.attributes


def test_edwards_pairs_are_made_by_either_name_of_the_curve(bench: Bench) -> None:
    session = bench.user()
    for name in (ED25519, b"\x13\x0cedwards25519"):
        public, private = session.generate_key_pair(EDWARDS_PAIR, {Cka.EC_PARAMS: name}, {})
        for half in (public, private):
            point = half.attributes[Cka.EC_POINT]
            assert isinstance(point, bytes)
            assert (len(point), point[:2]) == (34, b"\x04\x20")
            assert half.attributes[Cka.KEY_TYPE] == Ckk.EC_EDWARDS
            assert half.attributes[Cka.EC_PARAMS] == ED25519


@pytest.mark.clause("P4")
def test_a_generated_private_key_says_that_it_never_was_elsewhere(bench: Bench) -> None:
    _, private = make_ec(bench.user())
    expected = {
        Cka.PRIVATE: True,
        Cka.SENSITIVE: True,
        Cka.ALWAYS_SENSITIVE: True,
        Cka.EXTRACTABLE: False,
        Cka.NEVER_EXTRACTABLE: True,
        Cka.LOCAL: True,
        Cka.KEY_GEN_MECHANISM: Ckm.EC_KEY_PAIR_GEN,
        Cka.ALWAYS_AUTHENTICATE: False,
        Cka.MODIFIABLE: True,
        Cka.COPYABLE: True,
        Cka.START_DATE: b"",
        Cka.END_DATE: b"",
        Cka.SUBJECT: b"",
        Cka.SIGN: True,
    }
    assert expected.items() <= private.attributes.items()
    assert SECRET_VALUES.isdisjoint(private.attributes)


def test_both_halves_have_one_identifier(bench: Bench) -> None:
    session = bench.user()
    public, private = make_ec(session)
    point = public.attributes[Cka.EC_POINT]
    assert isinstance(point, bytes)
    assert public.attributes[Cka.ID] == private.attributes[Cka.ID] == sha1(point[2:])
    for public_id, private_id, on_public, on_private in (
        (b"a", b"", b"a", b"a"),
        (b"", b"b", b"b", b"b"),
        (b"a", b"b", b"a", b"b"),
    ):
        template: Attributes = {Cka.EC_PARAMS: P256, Cka.ID: public_id}
        public, private = session.generate_key_pair(EC_PAIR, template, {Cka.ID: private_id})
        assert (public.attributes[Cka.ID], private.attributes[Cka.ID]) == (on_public, on_private)


@pytest.mark.parametrize(
    ("mechanism", "public", "private", "ckr"),
    [
        (Ckm.ECDSA, {Cka.EC_PARAMS: P256}, {}, Ckr.MECHANISM_INVALID),
        (0x7FFFFFFF, {}, {}, Ckr.MECHANISM_INVALID),
        (Ckm.EC_KEY_PAIR_GEN, {}, {}, Ckr.TEMPLATE_INCOMPLETE),
        (Ckm.RSA_PKCS_KEY_PAIR_GEN, {}, {}, Ckr.TEMPLATE_INCOMPLETE),
        (Ckm.RSA_PKCS_KEY_PAIR_GEN, {Cka.MODULUS_BITS: 1024}, {}, Ckr.ATTRIBUTE_VALUE_INVALID),
        (Ckm.RSA_PKCS_KEY_PAIR_GEN, {Cka.MODULUS_BITS: 2049}, {}, Ckr.ATTRIBUTE_VALUE_INVALID),
        (Ckm.RSA_PKCS_KEY_PAIR_GEN, {Cka.MODULUS_BITS: 8192}, {}, Ckr.ATTRIBUTE_VALUE_INVALID),
        (Ckm.RSA_PKCS_KEY_PAIR_GEN, {Cka.MODULUS_BITS: 2048, Cka.PUBLIC_EXPONENT: b"\x03"}, {},
         Ckr.ATTRIBUTE_VALUE_INVALID),
        (Ckm.EC_KEY_PAIR_GEN, {Cka.EC_PARAMS: ED25519}, {}, Ckr.CURVE_NOT_SUPPORTED),
        (Ckm.EC_KEY_PAIR_GEN, {Cka.EC_PARAMS: b"\x30\x00"}, {}, Ckr.CURVE_NOT_SUPPORTED),
        (Ckm.EC_EDWARDS_KEY_PAIR_GEN, {Cka.EC_PARAMS: P256}, {}, Ckr.CURVE_NOT_SUPPORTED),
        (Ckm.EC_KEY_PAIR_GEN, {Cka.EC_PARAMS: P256, Cka.CLASS: Cko.PRIVATE_KEY}, {}, Ckr.TEMPLATE_INCONSISTENT),
        (Ckm.EC_KEY_PAIR_GEN, {Cka.EC_PARAMS: P256, Cka.KEY_TYPE: Ckk.RSA}, {}, Ckr.TEMPLATE_INCONSISTENT),
        (Ckm.EC_KEY_PAIR_GEN, {Cka.EC_PARAMS: P256}, {Cka.KEY_TYPE: Ckk.RSA}, Ckr.TEMPLATE_INCONSISTENT),
        (Ckm.EC_KEY_PAIR_GEN, {Cka.EC_PARAMS: P256}, {Cka.PRIVATE: False}, Ckr.TEMPLATE_INCONSISTENT),
        (Ckm.EC_KEY_PAIR_GEN, {Cka.EC_PARAMS: P256}, {Cka.EC_PARAMS: P256}, Ckr.ATTRIBUTE_READ_ONLY),
        (Ckm.EC_KEY_PAIR_GEN, {Cka.EC_PARAMS: P256}, {Cka.LOCAL: True}, Ckr.ATTRIBUTE_READ_ONLY),
        (Ckm.EC_KEY_PAIR_GEN, {Cka.EC_PARAMS: P256}, {Cka.MODULUS_BITS: 1}, Ckr.ATTRIBUTE_TYPE_INVALID),
        (Ckm.EC_KEY_PAIR_GEN, {Cka.EC_PARAMS: P256, Cka.SENSITIVE: True}, {}, Ckr.ATTRIBUTE_TYPE_INVALID),
        (Ckm.EC_KEY_PAIR_GEN, {Cka.EC_PARAMS: P256}, {Cka.SIGN: 1}, Ckr.ATTRIBUTE_VALUE_INVALID),
        (Ckm.EC_KEY_PAIR_GEN, {Cka.EC_PARAMS: P256}, {Cka.LABEL: bytes(256)}, Ckr.ATTRIBUTE_VALUE_INVALID),
        (Ckm.EC_KEY_PAIR_GEN, {Cka.EC_PARAMS: P256, Cka.TRUSTED: True}, {}, Ckr.ATTRIBUTE_READ_ONLY),
    ],
)  # fmt: skip
def test_a_pair_that_cannot_be_is_refused_and_nothing_is_kept(
    bench: Bench, mechanism: int, public: Attributes, private: Attributes, ckr: Ckr
) -> None:
    with refused(ckr):
        bench.user().generate_key_pair(Mechanism(mechanism), TOKEN | public, TOKEN | private)
    assert bench.token.generation == 0


def test_a_key_pair_needs_the_user_and_no_parameter(bench: Bench) -> None:
    template: Attributes = {Cka.EC_PARAMS: P256}
    with refused(Ckr.USER_NOT_LOGGED_IN):
        bench.session().generate_key_pair(EC_PAIR, template, {})
    with refused(Ckr.MECHANISM_PARAM_INVALID):
        bench.user().generate_key_pair(Mechanism(Ckm.EC_KEY_PAIR_GEN, b"parameter"), template, {})


@pytest.mark.parametrize(
    "left_out",
    [
        (),
        (Cka.EXPONENT_1, Cka.EXPONENT_2, Cka.COEFFICIENT),
        (Cka.PRIME_1, Cka.PRIME_2, Cka.EXPONENT_1, Cka.EXPONENT_2, Cka.COEFFICIENT),
        (Cka.PUBLIC_EXPONENT,),
        (Cka.PUBLIC_EXPONENT, Cka.COEFFICIENT),
    ],
)
def test_an_rsa_key_comes_in_by_any_sufficient_set_of_numbers(bench: Bench, left_out: tuple[Cka, ...]) -> None:
    session = bench.user()
    view = session.create_object({name: value for name, value in rsa_template().items() if name not in left_out})
    digest = hashlib.sha256(b"message").digest()
    signature = session.sign(view.handle, Mechanism(Ckm.SHA256_RSA_PKCS), digest)
    numbers = RSA_KEY.public_key().public_numbers()
    assert pow(int.from_bytes(signature), numbers.e, numbers.n) & (1 << 256) - 1 == int.from_bytes(digest)
    assert view.attributes[Cka.MODULUS] == octets(numbers.n)
    assert view.attributes[Cka.PUBLIC_EXPONENT] == b"\x01\x00\x01"
    assert SECRET_VALUES.isdisjoint(view.attributes)


def test_an_imported_key_stays_inside_whatever_its_template_says(bench: Bench) -> None:
    session = bench.user()
    view = session.create_object(ec_template() | {Cka.SENSITIVE: False, Cka.EXTRACTABLE: True})
    expected = {
        Cka.SENSITIVE: True,
        Cka.EXTRACTABLE: False,
        Cka.ALWAYS_SENSITIVE: False,
        Cka.NEVER_EXTRACTABLE: False,
        Cka.LOCAL: False,
        Cka.KEY_GEN_MECHANISM: UNAVAILABLE_INFORMATION,
    }
    assert expected.items() <= view.attributes.items()
    for attribute in SECRET_VALUES:
        with refused(Ckr.ATTRIBUTE_SENSITIVE):
            session.read_attribute(view.handle, attribute)


@pytest.mark.parametrize("missing", [Cka.MODULUS, Cka.PRIVATE_EXPONENT, Cka.CLASS, Cka.KEY_TYPE])
def test_an_rsa_key_without_a_due_part_is_incomplete(bench: Bench, missing: Cka) -> None:
    template = rsa_template()
    del template[missing]
    with refused(Ckr.TEMPLATE_INCOMPLETE):
        bench.user().create_object(template)


def test_an_rsa_key_without_exponent_and_primes_is_incomplete(bench: Bench) -> None:
    template = {name: value for name, value in rsa_template().items() if name != Cka.PUBLIC_EXPONENT}
    del template[Cka.PRIME_2]
    with refused(Ckr.TEMPLATE_INCOMPLETE):
        bench.user().create_object(template)


@settings(max_examples=60)
@given(data=st.data())
def test_an_rsa_key_with_one_wrong_number_is_refused(data: st.DataObject) -> None:
    template = rsa_template()
    numbers = {name: int.from_bytes(value) for name, value in template.items() if isinstance(value, bytes)}
    part = data.draw(st.sampled_from(list(numbers)))
    number = numbers[part]
    wrong = data.draw(st.one_of(st.integers(1, 1 << 2049), st.integers(-3, 3).map(lambda step: number + step)))
    if wrong == number:
        return
    template[part] = octets(wrong)
    refusal = refusal_of(draft_object, template)
    # Another private exponent may stand for the same key (RFC 8017, 3.2).
    assert refusal is Ckr.ATTRIBUTE_VALUE_INVALID or (refusal is None and part == Cka.PRIVATE_EXPONENT)


def test_numbers_that_would_keep_the_phone_busy_are_refused_at_once() -> None:
    """Without primes, exponents that do not belong together would be searched for long."""
    template = {
        name: value
        for name, value in rsa_template().items()
        if name in (Cka.CLASS, Cka.KEY_TYPE, Cka.MODULUS, Cka.PUBLIC_EXPONENT)
    }
    for exponent in (b"\x02", b"\x03", b"\xff" * 255, b"\xff" * 512):
        with refused(Ckr.ATTRIBUTE_VALUE_INVALID):
            draft_object(template | {Cka.PRIVATE_EXPONENT: exponent})
    with refused(Ckr.ATTRIBUTE_VALUE_INVALID):
        draft_object(template | {Cka.PRIVATE_EXPONENT: b"\x03", Cka.MODULUS: b"\xff" * 513})


def test_small_rsa_keys_do_not_come_in(bench: Bench) -> None:
    small = rsa.generate_private_key(65537, 1024)  # noqa: S505 - that is the point
    with refused(Ckr.ATTRIBUTE_VALUE_INVALID):
        bench.user().create_object(rsa_template(small))


@pytest.mark.parametrize(
    ("change", "ckr"),
    [
        ({Cka.VALUE: b""}, Ckr.ATTRIBUTE_VALUE_INVALID),
        ({Cka.VALUE: bytes(32)}, Ckr.ATTRIBUTE_VALUE_INVALID),
        ({Cka.VALUE: b"\xff" * 32}, Ckr.ATTRIBUTE_VALUE_INVALID),
        ({Cka.VALUE: b"\x01" * 33}, Ckr.ATTRIBUTE_VALUE_INVALID),
        ({Cka.EC_PARAMS: ED25519}, Ckr.CURVE_NOT_SUPPORTED),
        ({Cka.EC_POINT: ec_point(ec.generate_private_key(ec.SECP256R1()))}, Ckr.ATTRIBUTE_VALUE_INVALID),
        ({Cka.EC_POINT: b"\x04"}, Ckr.ATTRIBUTE_VALUE_INVALID),
        ({Cka.PRIVATE: False}, Ckr.TEMPLATE_INCONSISTENT),
        ({Cka.KEY_GEN_MECHANISM: 1}, Ckr.ATTRIBUTE_READ_ONLY),
    ],
)
def test_an_ec_key_that_cannot_be_is_refused(bench: Bench, change: Attributes, ckr: Ckr) -> None:
    with refused(ckr):
        bench.user().create_object(ec_template() | change)


def test_an_ec_key_may_bring_its_own_point(bench: Bench) -> None:
    session = bench.user()
    raw = ec_point()
    for point in (raw, b"\x04\x41" + raw):
        assert session.create_object(ec_template(EC_POINT=point)).attributes[Cka.EC_POINT] == b"\x04\x41" + raw


@pytest.mark.parametrize("seed", [b"", bytes(31), bytes(33)])
def test_an_ed25519_seed_has_32_octets(bench: Bench, seed: bytes) -> None:
    with refused(Ckr.ATTRIBUTE_VALUE_INVALID):
        bench.user().create_object(PRIVATE_ED | {Cka.VALUE: seed})


def test_an_ed25519_key_with_the_point_of_another_is_refused(bench: Bench) -> None:
    with refused(Ckr.ATTRIBUTE_VALUE_INVALID):
        bench.user().create_object(PRIVATE_ED | {Cka.VALUE: ED_KEY.private_bytes_raw(), Cka.EC_POINT: bytes(32)})


def test_public_keys_come_in_and_are_completed(bench: Bench) -> None:
    session = bench.user()
    numbers = RSA_KEY.public_key().public_numbers()
    modulus: Attributes = {Cka.MODULUS: octets(numbers.n), Cka.PUBLIC_EXPONENT: octets(numbers.e)}
    view = session.create_object({Cka.CLASS: Cko.PUBLIC_KEY, Cka.KEY_TYPE: Ckk.RSA} | modulus)
    assert (view.attributes[Cka.MODULUS_BITS], view.attributes[Cka.PRIVATE]) == (2048, False)
    raw = ec_point()
    for point in (raw, b"\x04\x41" + raw):
        view = session.create_object(PUBLIC_EC | {Cka.EC_PARAMS: P256, Cka.EC_POINT: point})
        assert view.attributes[Cka.EC_POINT] == b"\x04\x41" + raw
    raw = ED_KEY.public_key().public_bytes_raw()
    for point in (raw, b"\x04\x20" + raw):
        view = session.create_object(PUBLIC_ED | {Cka.EC_POINT: point})
        assert view.attributes[Cka.EC_POINT] == b"\x04\x20" + raw


@pytest.mark.parametrize(
    "template",
    [
        {Cka.KEY_TYPE: Ckk.RSA, Cka.MODULUS: b"\xff" * 255, Cka.PUBLIC_EXPONENT: b"\x03"},
        {Cka.KEY_TYPE: Ckk.RSA, Cka.MODULUS: b"\xff" * 256, Cka.PUBLIC_EXPONENT: b"\x02"},
        {Cka.KEY_TYPE: Ckk.EC, Cka.EC_PARAMS: P256, Cka.EC_POINT: bytes(65)},
        {Cka.KEY_TYPE: Ckk.EC_EDWARDS, Cka.EC_PARAMS: ED25519, Cka.EC_POINT: bytes(31)},
        {Cka.KEY_TYPE: Ckk.DSA},
    ],
)
def test_public_keys_that_cannot_be_are_refused(bench: Bench, template: Attributes) -> None:
    with refused(Ckr.ATTRIBUTE_VALUE_INVALID):
        bench.user().create_object({Cka.CLASS: Cko.PUBLIC_KEY} | template)


def test_openssl_reads_a_generated_ed25519_key_and_verifies(bench: Bench, tmp_path: Path) -> None:
    session = bench.user()
    public, private = make_ed25519(session)
    point = public.attributes[Cka.EC_POINT]
    assert isinstance(point, bytes)
    key = ed25519.Ed25519PublicKey.from_public_bytes(point[2:])
    pem = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "key").write_bytes(pem)
    (tmp_path / "message").write_bytes(b"message")
    (tmp_path / "signature").write_bytes(session.sign(private.handle, Mechanism(Ckm.EDDSA), b"message"))
    verify_with_openssl(tmp_path, "-rawin", "-in", "message")


def test_a_full_token_says_so_before_it_makes_a_key(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "OBJECT_LIMIT", 3)
    monkeypatch.setattr(limits, "SESSION_OBJECT_LIMIT", 3)
    session = bench.user()
    make_ec(session)
    session.generate_key_pair(EC_PAIR, {Cka.EC_PARAMS: P256}, {})
    monkeypatch.setattr("fob_device.token.object_desk.generate_key", None)
    with refused(Ckr.DEVICE_MEMORY):
        make_ec(session)
    with refused(Ckr.DEVICE_MEMORY):
        session.generate_key_pair(EC_PAIR, {Cka.EC_PARAMS: P256}, {})
    with refused(Ckr.DEVICE_MEMORY):
        session.generate_key_pair(EC_PAIR, TOKEN | {Cka.EC_PARAMS: P256}, {})
