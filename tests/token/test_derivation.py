"""ECDH: the secret that the PC keeps."""

import hashlib

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from fob_device.token import der
from fob_device.token.derivation import derive_secret
from fob_protocol.pkcs11.attributes import Attributes
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Ckd, Ckk, Cko
from fob_protocol.pkcs11.mechanisms import Ecdh1Parameters, Mechanism
from support.octets import flipped
from support.token_bench import P256, P384, P521, Bench, make_ec, refusal_of, refused

# RFC 5903, section 8.1 (256-bit random ECP group).
I_PRIVATE = bytes.fromhex("C88F01F510D9AC3F70A292DAA2316DE544E9AAB8AFE84049C62A9C57862D1433")
R_POINT = bytes.fromhex(
    "04D12DFB5289C8D4F81208B70270398C342296970A0BCCB74C736FC7554494BF63"
    "56FBF3CA366CC23E8157854C13C58D6AAC23F046ADA30F8353E74F33039872AB"
)
SHARED = bytes.fromhex("D6840F6B42F6EDAFD13116E0E12565202FEF8E9ECE7DCE03812464D04B9442DE")
KEY = ec.derive_private_key(int.from_bytes(I_PRIVATE), ec.SECP256R1())

TEMPLATE: Attributes = {
    Cka.CLASS: Cko.SECRET_KEY,
    Cka.KEY_TYPE: Ckk.GENERIC_SECRET,
    Cka.SENSITIVE: False,
    Cka.EXTRACTABLE: True,
}


def ecdh(point: bytes, kdf: int = Ckd.NULL, shared: bytes = b"") -> Mechanism:
    return Mechanism(Ckm.ECDH1_DERIVE, Ecdh1Parameters(kdf, shared, point))


def x963(algorithm: str, secret: bytes, info: bytes, length: int) -> bytes:
    """ANSI X9.63 as SEC 1, section 3.6.1, writes it."""
    blocks = (hashlib.new(algorithm, secret + n.to_bytes(4) + info).digest() for n in range(1, 100))
    return b"".join(blocks)[:length]


@pytest.mark.clause("P2")
def test_the_known_answer_of_rfc_5903(bench: Bench) -> None:
    session = bench.user()
    view = session.create_object(
        {
            Cka.CLASS: Cko.PRIVATE_KEY,
            Cka.KEY_TYPE: Ckk.EC,
            Cka.TOKEN: True,
            Cka.DERIVE: True,
            Cka.EC_PARAMS: P256,
            Cka.VALUE: I_PRIVATE,
        }
    )
    for point in (R_POINT, der.encode(der.OCTET_STRING, R_POINT)):
        assert session.derive(view.handle, ecdh(point), TEMPLATE).value == SHARED


def test_a_compressed_point_is_the_same_point() -> None:
    compressed = bytes([2 + (R_POINT[-1] & 1)]) + R_POINT[1:33]
    assert derive_secret(KEY, ecdh(compressed), TEMPLATE).value == SHARED


def test_a_shorter_secret_loses_its_leading_octets() -> None:
    assert derive_secret(KEY, ecdh(R_POINT), TEMPLATE | {Cka.VALUE_LEN: 16}).value == SHARED[16:]
    assert derive_secret(KEY, ecdh(R_POINT), {Cka.KEY_TYPE: Ckk.AES, Cka.VALUE_LEN: 24}).value == SHARED[8:]


@pytest.mark.parametrize("curve", [P256, P384, P521], ids=["P-256", "P-384", "P-521"])
def test_two_tokens_agree_on_every_curve(bench: Bench, curve: bytes) -> None:
    session = bench.user()
    (one_public, one), (other_public, other) = make_ec(session, curve), make_ec(session, curve)
    one_point, other_point = one_public.attributes[Cka.EC_POINT], other_public.attributes[Cka.EC_POINT]
    assert isinstance(one_point, bytes)
    assert isinstance(other_point, bytes)
    secret = session.derive(one.handle, ecdh(other_point), TEMPLATE)
    assert secret == session.derive(other.handle, ecdh(one_point), TEMPLATE)
    assert len(secret.value) == {P256: 32, P384: 48, P521: 66}[curve]
    assert secret.value.hex() not in repr(secret)
    assert repr(secret.value)[2:-1] not in repr(secret)


@pytest.mark.parametrize(
    ("kdf", "algorithm"),
    [
        (Ckd.SHA1_KDF, "sha1"),
        (Ckd.SHA224_KDF, "sha224"),
        (Ckd.SHA256_KDF, "sha256"),
        (Ckd.SHA384_KDF, "sha384"),
        (Ckd.SHA512_KDF, "sha512"),
    ],
)
@pytest.mark.parametrize("length", [1, 16, 100, 512])
def test_key_derivation_functions_are_those_of_x963(kdf: Ckd, algorithm: str, length: int) -> None:
    derived = derive_secret(KEY, ecdh(R_POINT, kdf, b"shared info"), TEMPLATE | {Cka.VALUE_LEN: length})
    assert derived.value == x963(algorithm, SHARED, b"shared info", length)


@pytest.mark.parametrize(
    ("change", "ckr"),
    [
        ({Cka.TOKEN: True}, Ckr.TEMPLATE_INCONSISTENT),
        ({Cka.SENSITIVE: True}, Ckr.TEMPLATE_INCONSISTENT),
        ({Cka.EXTRACTABLE: False}, Ckr.TEMPLATE_INCONSISTENT),
        ({Cka.CLASS: Cko.PRIVATE_KEY}, Ckr.TEMPLATE_INCONSISTENT),
        ({Cka.KEY_TYPE: Ckk.RSA}, Ckr.TEMPLATE_INCONSISTENT),
        ({Cka.VALUE_LEN: 33}, Ckr.TEMPLATE_INCONSISTENT),
        ({Cka.KEY_TYPE: Ckk.AES, Cka.VALUE_LEN: 17}, Ckr.TEMPLATE_INCONSISTENT),
        ({Cka.VALUE_LEN: 0}, Ckr.ATTRIBUTE_VALUE_INVALID),
        ({Cka.VALUE_LEN: 513}, Ckr.ATTRIBUTE_VALUE_INVALID),
        ({Cka.VALUE_LEN: b"16"}, Ckr.ATTRIBUTE_VALUE_INVALID),
    ],
)
def test_a_template_of_a_secret_that_could_not_leave_is_refused(bench: Bench, change: Attributes, ckr: Ckr) -> None:
    session = bench.user()
    _, private = make_ec(session)
    with refused(ckr):
        session.derive(private.handle, ecdh(R_POINT), TEMPLATE | change)


def test_what_a_derivation_is_refused_for(bench: Bench) -> None:
    session = bench.user()
    _, private = make_ec(session)
    _, silent = make_ec(session, DERIVE=False)
    with refused(Ckr.KEY_FUNCTION_NOT_PERMITTED):
        session.derive(silent.handle, ecdh(R_POINT), TEMPLATE)
    with refused(Ckr.USER_NOT_LOGGED_IN):
        bench.session().derive(private.handle, ecdh(R_POINT), TEMPLATE)
    with refused(Ckr.MECHANISM_INVALID):
        session.derive(private.handle, Mechanism(Ckm.ECDSA), TEMPLATE)
    with refused(Ckr.TEMPLATE_INCOMPLETE):
        session.derive(private.handle, ecdh(R_POINT, Ckd.SHA256_KDF), TEMPLATE)
    bad = [None, b"", ecdh(R_POINT, Ckd.NULL, b"shared").parameters, ecdh(R_POINT, 99).parameters]
    bad += [ecdh(R_POINT, Ckd.SHA256_KDF, bytes(4097)).parameters]
    for parameters in bad:
        with refused(Ckr.MECHANISM_PARAM_INVALID):
            session.derive(private.handle, Mechanism(Ckm.ECDH1_DERIVE, parameters), TEMPLATE)


OFF_CURVE = flipped(R_POINT)
OTHER_CURVE = (
    ec.generate_private_key(ec.SECP384R1())
    .public_key()
    .public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
)


@pytest.mark.parametrize(
    "point",
    [b"", b"\x00", bytes(65), OFF_CURVE, OTHER_CURVE, R_POINT[:-1], R_POINT + b"\x00", b"\x06" + R_POINT[1:]],
    ids=["empty", "infinity", "zeros", "off the curve", "another curve", "short", "long", "hybrid form"],
)
def test_a_point_that_is_not_on_the_curve_is_refused(point: bytes) -> None:
    for shown in (point, der.encode(der.OCTET_STRING, point)):
        with refused(Ckr.MECHANISM_PARAM_INVALID):
            derive_secret(KEY, ecdh(shown), TEMPLATE)


@given(st.binary(max_size=150))
def test_any_octets_are_a_point_or_are_refused(point: bytes) -> None:
    refusal = refusal_of(derive_secret, KEY, ecdh(point), TEMPLATE)
    assert refusal in (None, Ckr.MECHANISM_PARAM_INVALID)
