"""Signatures, checked by other means than those that made them."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from hypothesis import given, settings
from hypothesis import strategies as st

from fob_device.token.keys import PrivateKey
from fob_device.token.mechanisms import MECHANISMS
from fob_device.token.signing import make_signature
from fob_device.token.token import TokenSession
from fob_protocol.pkcs11.attributes import Attributes
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Ckg, Ckk, Cko, Cku
from fob_protocol.pkcs11.mechanisms import Mechanism, PssParameters
from support.openssl import verify_with_openssl
from support.token_bench import ED25519, P256, P384, P521, Bench, data_template, make_ec, make_ed25519, refused

RSA_KEY = rsa.generate_private_key(65537, 2048)
CURVES = {P256: ec.SECP256R1(), P384: ec.SECP384R1(), P521: ec.SECP521R1()}
ECDSA = Mechanism(Ckm.ECDSA)

# The DigestInfo before the digest (RFC 8017, section 9.2, note 1).
DIGEST_INFO = {
    "sha1": bytes.fromhex("3021300906052b0e03021a05000414"),
    "sha224": bytes.fromhex("302d300d06096086480165030402040500041c"),
    "sha256": bytes.fromhex("3031300d060960864801650304020105000420"),
    "sha384": bytes.fromhex("3041300d060960864801650304020205000430"),
    "sha512": bytes.fromhex("3051300d060960864801650304020305000440"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One hash, and the mechanisms that use it."""

    name: str
    algorithm: hashes.HashAlgorithm
    digest: Ckm
    mgf: Ckg
    pkcs1: Ckm
    pss: Ckm
    ecdsa: Ckm

    def of(self, message: bytes) -> bytes:
        return hashlib.new(self.name, message).digest()


HASHING = [
    Row(
        name,
        algorithm,
        Ckm["SHA_1" if name == "sha1" else name.upper()],
        Ckg[f"MGF1_{name.upper()}"],
        Ckm[f"{name.upper()}_RSA_PKCS"],
        Ckm[f"{name.upper()}_RSA_PKCS_PSS"],
        Ckm[f"ECDSA_{name.upper()}"],
    )
    for name, algorithm in {
        "sha1": hashes.SHA1(),  # noqa: S303 - clients of old protocols ask for it
        "sha224": hashes.SHA224(),
        "sha256": hashes.SHA256(),
        "sha384": hashes.SHA384(),
        "sha512": hashes.SHA512(),
    }.items()
]


def sign(key: PrivateKey, mechanism: Mechanism, data: bytes) -> bytes:
    return make_signature(key, mechanism, MECHANISMS[mechanism.type], data)


def pkcs1_content(signature: bytes) -> bytes:
    """What an RSA signature says, by the bare arithmetic of RFC 8017, 9.2: 00 01 FF...FF 00 content."""
    numbers = RSA_KEY.public_key().public_numbers()
    encoded = pow(int.from_bytes(signature), numbers.e, numbers.n).to_bytes(256)
    assert encoded.startswith(b"\x00\x01" + b"\xff" * 8)
    filling, content = encoded[2:].split(b"\x00", 1)
    assert set(filling) == {0xFF}
    return content


@pytest.mark.clause("P2", "P9")
@pytest.mark.parametrize("row", HASHING, ids=lambda row: row.name)
def test_a_digest_is_signed_as_pkcs1_says(row: Row) -> None:
    signature = sign(RSA_KEY, Mechanism(row.pkcs1), row.of(b"message"))
    assert pkcs1_content(signature) == DIGEST_INFO[row.name] + row.of(b"message")
    RSA_KEY.public_key().verify(signature, b"message", padding.PKCS1v15(), row.algorithm)


@settings(max_examples=25)
@given(st.binary(max_size=245))
def test_rsa_pkcs_pads_what_it_is_given(data: bytes) -> None:
    assert pkcs1_content(sign(RSA_KEY, Mechanism(Ckm.RSA_PKCS), data)) == data


def test_rsa_pkcs_refuses_what_does_not_fit() -> None:
    with refused(Ckr.DATA_LEN_RANGE):
        sign(RSA_KEY, Mechanism(Ckm.RSA_PKCS), bytes(246))


@pytest.mark.parametrize("row", HASHING, ids=lambda row: row.name)
@pytest.mark.parametrize("salt", [0, 20, None])
def test_pss_signatures_verify(row: Row, salt: int | None) -> None:
    size = row.algorithm.digest_size if salt is None else salt
    scheme = padding.PSS(padding.MGF1(row.algorithm), size)
    for mechanism in (Ckm.RSA_PKCS_PSS, row.pss):
        signature = sign(RSA_KEY, Mechanism(mechanism, PssParameters(row.digest, row.mgf, size)), row.of(b"message"))
        RSA_KEY.public_key().verify(signature, b"message", scheme, row.algorithm)


def test_pss_parameters_are_checked() -> None:
    digest = bytes(32)
    bad = [
        (Ckm.RSA_PKCS_PSS, None),
        (Ckm.RSA_PKCS_PSS, b"parameters"),
        (Ckm.RSA_PKCS_PSS, PssParameters(0x7FFF, Ckg.MGF1_SHA256, 32)),
        (Ckm.RSA_PKCS_PSS, PssParameters(Ckm.SHA256, 99, 32)),
        (Ckm.RSA_PKCS_PSS, PssParameters(Ckm.SHA256, Ckg.MGF1_SHA256, 223)),
        (Ckm.RSA_PKCS_PSS, PssParameters(Ckm.SHA256, Ckg.MGF1_SHA256, -1)),
        (Ckm.RSA_PKCS_PSS, PssParameters(Ckm.SHA256, Ckg.MGF1_SHA256, 1 << 40)),
        (Ckm.SHA384_RSA_PKCS_PSS, PssParameters(Ckm.SHA256, Ckg.MGF1_SHA256, 32)),
        (Ckm.RSA_PKCS, b"parameter"),
        (Ckm.SHA256_RSA_PKCS, PssParameters(Ckm.SHA256, Ckg.MGF1_SHA256, 32)),
    ]
    for mechanism, parameters in bad:
        with refused(Ckr.MECHANISM_PARAM_INVALID):
            sign(RSA_KEY, Mechanism(mechanism, parameters), digest)
    sign(RSA_KEY, Mechanism(Ckm.RSA_PKCS_PSS, PssParameters(Ckm.SHA256, Ckg.MGF1_SHA256, 222)), digest)


@pytest.mark.parametrize("row", HASHING, ids=lambda row: row.name)
def test_a_mechanism_that_hashes_takes_its_digest_and_nothing_else(row: Row) -> None:
    size = row.algorithm.digest_size
    key = ec.generate_private_key(ec.SECP256R1())
    for wrong in (b"", bytes(size - 1), bytes(size + 1)):
        with refused(Ckr.DATA_LEN_RANGE):
            sign(RSA_KEY, Mechanism(row.pkcs1), wrong)
        with refused(Ckr.DATA_LEN_RANGE):
            sign(RSA_KEY, Mechanism(row.pss, PssParameters(row.digest, row.mgf, 20)), wrong)
        with refused(Ckr.DATA_LEN_RANGE):
            sign(key, Mechanism(row.ecdsa), wrong)


@pytest.mark.parametrize("curve", CURVES.values(), ids=lambda curve: curve.name)
@pytest.mark.parametrize("row", HASHING, ids=lambda row: row.name)
def test_ecdsa_signs_every_digest_on_every_curve(curve: ec.EllipticCurve, row: Row) -> None:
    key = ec.generate_private_key(curve)
    digest = row.of(b"message")
    for mechanism in (Ckm.ECDSA, row.ecdsa):
        signature = sign(key, Mechanism(mechanism), digest)
        size = (curve.key_size + 7) // 8
        assert len(signature) == 2 * size
        r, s = int.from_bytes(signature[:size]), int.from_bytes(signature[size:])
        key.public_key().verify(encode_dss_signature(r, s), digest, ec.ECDSA(Prehashed(row.algorithm)))


@pytest.mark.parametrize("curve", CURVES.values(), ids=lambda curve: curve.name)
@pytest.mark.parametrize("size", [1, 19, 20, 31, 32, 33, 47, 48, 49, 63, 64])
def test_openssl_accepts_ecdsa_signatures_of_digests_of_any_length(
    tmp_path: Path, curve: ec.EllipticCurve, size: int
) -> None:
    key = ec.generate_private_key(curve)
    digest = hashlib.sha512(b"message").digest()[:size]
    signature = sign(key, ECDSA, digest)
    half = len(signature) // 2
    r, s = int.from_bytes(signature[:half]), int.from_bytes(signature[half:])
    (tmp_path / "signature").write_bytes(encode_dss_signature(r, s))
    (tmp_path / "digest").write_bytes(digest)
    (tmp_path / "key").write_bytes(
        key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    verify_with_openssl(tmp_path, "-in", "digest")


def test_ecdsa_refuses_no_digest_and_one_that_is_too_long() -> None:
    key = ec.generate_private_key(ec.SECP521R1())
    for data in (b"", bytes(65)):
        with refused(Ckr.DATA_LEN_RANGE):
            sign(key, ECDSA, data)


# RFC 8032, section 7.1, tests 1, 2 and 3.
ED25519_VECTORS = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
        "d25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
        "387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
        "4a7c15e9716ed28dc027beceea1ec40a",
    ),
]


def ed25519_template(seed: bytes, parameters: bytes = ED25519) -> Attributes:
    return {
        Cka.CLASS: Cko.PRIVATE_KEY,
        Cka.KEY_TYPE: Ckk.EC_EDWARDS,
        Cka.TOKEN: True,
        Cka.EC_PARAMS: parameters,
        Cka.VALUE: seed,
    }


@pytest.mark.parametrize(("seed", "public", "message", "signature"), ED25519_VECTORS)
def test_ed25519_gives_the_signatures_of_rfc_8032(
    bench: Bench, seed: str, public: str, message: str, signature: str
) -> None:
    session = bench.user()
    view = session.create_object(ed25519_template(bytes.fromhex(seed)))
    assert view.attributes[Cka.EC_POINT] == bytes.fromhex("0420" + public)
    assert session.sign(view.handle, Mechanism(Ckm.EDDSA), bytes.fromhex(message)).hex() == signature


def test_ed25519_takes_a_message_up_to_the_links_limit_and_no_parameter(bench: Bench) -> None:
    session = bench.user()
    _, private = make_ed25519(session)
    assert len(session.sign(private.handle, Mechanism(Ckm.EDDSA), bytes(65_536))) == 64
    with refused(Ckr.DATA_LEN_RANGE):
        session.sign(private.handle, Mechanism(Ckm.EDDSA), bytes(65_537))
    with refused(Ckr.MECHANISM_PARAM_INVALID):
        session.sign(private.handle, Mechanism(Ckm.EDDSA, b"context"), b"")


def all_refusals(session: TokenSession, other: TokenSession) -> None:
    public, private = make_ec(session)
    _, silent = make_ec(session, SIGN=False)
    _, limited = make_ec(session, ALLOWED_MECHANISMS=(Ckm.ECDSA_SHA256,))
    data = session.create_object(data_template())
    digest = bytes(32)
    for handle in (0, 999, data.handle, public.handle, 1 << 20, 1 << 80):
        with refused(Ckr.KEY_HANDLE_INVALID):
            session.sign(handle, ECDSA, digest)
    for mechanism in (0x7FFFFFFF, Ckm.RSA_PKCS_OAEP, Ckm.ECDH1_DERIVE, Ckm.EC_KEY_PAIR_GEN, -1):
        with refused(Ckr.MECHANISM_INVALID):
            session.sign(private.handle, Mechanism(mechanism), digest)
    for mechanism in (Ckm.RSA_PKCS, Ckm.EDDSA):
        with refused(Ckr.KEY_TYPE_INCONSISTENT):
            session.sign(private.handle, Mechanism(mechanism), digest)
    with refused(Ckr.KEY_FUNCTION_NOT_PERMITTED):
        session.sign(silent.handle, ECDSA, digest)
    with refused(Ckr.MECHANISM_INVALID):
        session.sign(limited.handle, ECDSA, digest)
    session.sign(limited.handle, Mechanism(Ckm.ECDSA_SHA256), digest)
    with refused(Ckr.USER_NOT_LOGGED_IN):
        other.sign(private.handle, ECDSA, digest)


def test_what_a_signature_is_refused_for(bench: Bench) -> None:
    all_refusals(bench.user(), bench.session())


def test_the_so_does_not_sign(bench: Bench) -> None:
    _, private = make_ec(bench.user())
    with refused(Ckr.USER_NOT_LOGGED_IN):
        bench.session(Cku.SO).sign(private.handle, ECDSA, bytes(32))


def test_signing_writes_nothing_to_the_file(bench: Bench) -> None:
    session = bench.user()
    _, private = make_ec(session)
    statements: list[str] = []
    bench.token._database._connection.set_trace_callback(statements.append)
    session.sign(private.handle, ECDSA, bytes(32))
    session.sign(private.handle, ECDSA, bytes(32))
    assert all(statement.startswith("SELECT") for statement in statements)
    assert len(statements) == 3, "one look at the object for each signature, and one at its secret"
