"""RSA decryption."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from fob_device.token.decryption import decrypt_data
from fob_device.token.mechanisms import HASHES, MECHANISMS
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Ckg, Ckz
from fob_protocol.pkcs11.mechanisms import Mechanism, OaepParameters
from support.token_bench import Bench, make_ec, refused

KEY = rsa.generate_private_key(65537, 2048)
MGFS = {
    Ckm.SHA_1: Ckg.MGF1_SHA1,
    Ckm.SHA224: Ckg.MGF1_SHA224,
    Ckm.SHA256: Ckg.MGF1_SHA256,
    Ckm.SHA384: Ckg.MGF1_SHA384,
    Ckm.SHA512: Ckg.MGF1_SHA512,
}


def decrypt(mechanism: Mechanism, data: bytes) -> bytes:
    return decrypt_data(KEY, mechanism, MECHANISMS[mechanism.type], data)


def encrypt_by_hand(encoded: bytes) -> bytes:
    numbers = KEY.public_key().public_numbers()
    return pow(int.from_bytes(encoded), numbers.e, numbers.n).to_bytes(256)


@settings(max_examples=20)
@given(st.binary(max_size=245))
def test_pkcs1_gives_what_was_padded(plaintext: bytes) -> None:
    encoded = b"\x00\x02" + b"\x55" * (253 - len(plaintext)) + b"\x00" + plaintext
    assert decrypt(Mechanism(Ckm.RSA_PKCS), encrypt_by_hand(encoded)) == plaintext


def test_a_broken_pkcs1_padding_is_not_told() -> None:
    """The library's implicit rejection: other octets, the same ones each time, and no error to learn from."""
    broken = encrypt_by_hand(b"\x00\x01" + b"\x55" * 200 + b"\x00" + b"plain".ljust(53))
    first = decrypt(Mechanism(Ckm.RSA_PKCS), broken)
    assert first == decrypt(Mechanism(Ckm.RSA_PKCS), broken)
    assert b"plain" not in first


@pytest.mark.parametrize("label", [b"", b"label"])
@pytest.mark.parametrize("digest", MGFS)
@pytest.mark.parametrize("mgf", [Ckm.SHA_1, Ckm.SHA256])
def test_oaep_gives_what_was_encrypted(digest: Ckm, mgf: Ckm, label: bytes) -> None:
    scheme = padding.OAEP(padding.MGF1(HASHES[mgf]), HASHES[digest], label or None)
    data = KEY.public_key().encrypt(b"plain", scheme)
    mechanism = Mechanism(Ckm.RSA_PKCS_OAEP, OaepParameters(digest, MGFS[mgf], Ckz.DATA_SPECIFIED, label))
    assert decrypt(mechanism, data) == b"plain"
    other = Mechanism(Ckm.RSA_PKCS_OAEP, OaepParameters(digest, MGFS[mgf], Ckz.DATA_SPECIFIED, b"other"))
    with refused(Ckr.ENCRYPTED_DATA_INVALID):
        decrypt(other, data)


def test_oaep_without_a_source_has_no_label() -> None:
    data = KEY.public_key().encrypt(b"plain", padding.OAEP(padding.MGF1(HASHES[Ckm.SHA_1]), HASHES[Ckm.SHA_1], None))
    assert decrypt(Mechanism(Ckm.RSA_PKCS_OAEP, OaepParameters(Ckm.SHA_1, Ckg.MGF1_SHA1, 0, b"")), data) == b"plain"


@pytest.mark.parametrize(
    "parameters",
    [
        None,
        b"",
        OaepParameters(0x7FFF, Ckg.MGF1_SHA1, 1, b""),
        OaepParameters(Ckm.SHA_1, 0x7FFF, 1, b""),
        OaepParameters(Ckm.SHA_1, Ckg.MGF1_SHA1, 2, b""),
        OaepParameters(Ckm.SHA_1, Ckg.MGF1_SHA1, 0, b"label"),
    ],
)
def test_oaep_parameters_are_checked(parameters: OaepParameters | bytes | None) -> None:
    with refused(Ckr.MECHANISM_PARAM_INVALID):
        decrypt(Mechanism(Ckm.RSA_PKCS_OAEP, parameters), bytes(256))


def test_pkcs1_has_no_parameter() -> None:
    with refused(Ckr.MECHANISM_PARAM_INVALID):
        decrypt(Mechanism(Ckm.RSA_PKCS, b"parameter"), bytes(256))


@pytest.mark.parametrize("size", [0, 255, 257, 65_536])
def test_a_ciphertext_is_as_long_as_the_modulus(size: int) -> None:
    with refused(Ckr.ENCRYPTED_DATA_LEN_RANGE):
        decrypt(Mechanism(Ckm.RSA_PKCS), bytes(size))


def test_a_ciphertext_above_the_modulus_is_refused_or_rejected_silently() -> None:
    oaep = Mechanism(Ckm.RSA_PKCS_OAEP, OaepParameters(Ckm.SHA256, Ckg.MGF1_SHA256, 1, b""))
    with refused(Ckr.ENCRYPTED_DATA_INVALID):
        decrypt(oaep, b"\xff" * 256)
    with refused(Ckr.ENCRYPTED_DATA_INVALID):
        decrypt(Mechanism(Ckm.RSA_PKCS), b"\xff" * 256)


def test_only_rsa_keys_decrypt(bench: Bench) -> None:
    with refused(Ckr.KEY_TYPE_INCONSISTENT):
        decrypt_data(ec.generate_private_key(ec.SECP256R1()), Mechanism(Ckm.RSA_PKCS), MECHANISMS[Ckm.RSA_PKCS], b"")
    session = bench.user()
    _, private = make_ec(session, DECRYPT=True)
    with refused(Ckr.KEY_TYPE_INCONSISTENT):
        session.decrypt(private.handle, Mechanism(Ckm.RSA_PKCS), bytes(256))
    with refused(Ckr.MECHANISM_INVALID):
        session.decrypt(private.handle, Mechanism(Ckm.ECDSA), bytes(256))
