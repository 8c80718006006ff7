"""Published vectors through our own code: X25519 (RFC 7748), HKDF (RFC 5869), ChaCha20-Poly1305 (RFC 8439)."""

import pytest

from fob_protocol.errors import HandshakeError
from fob_protocol.noise.keys import KeyPair
from fob_protocol.noise.state import CipherState, SymmetricState, _hkdf

# RFC 8439, appendix A.5.
KEY = bytes.fromhex("1c9240a5eb55d38af333888604f6b5f0473917c1402b80099dca5cbc207075c0")
COUNTER = int.from_bytes(bytes.fromhex("0102030405060708"), "little")
ASSOCIATED = bytes.fromhex("f33388860000000000004e91")
PLAINTEXT = (
    "Internet-Drafts are draft documents valid for a maximum of six months and may be updated, replaced, or "
    "obsoleted by other documents at any time. It is inappropriate to use Internet-Drafts as reference material "
    "or to cite them other than as /“work in progress./”"
).encode()
CIPHERTEXT_START = bytes.fromhex("64a0861575861af460f062c79be643bd5e805cfd345cf389f108670ac76c8cb2")
TAG = bytes.fromhex("eead9d67890cbb22392336fea1851f38")


def cipher_at(counter: int) -> CipherState:
    """A cipher whose next nonce is this counter."""
    cipher = CipherState()
    cipher.set_key(KEY)
    cipher._counter = counter
    return cipher


def test_chacha20_poly1305_of_rfc_8439() -> None:
    sealed = cipher_at(COUNTER).encrypt(ASSOCIATED, PLAINTEXT)
    assert (sealed[:32], sealed[-16:], len(sealed)) == (CIPHERTEXT_START, TAG, len(PLAINTEXT) + 16)
    assert cipher_at(COUNTER).decrypt(ASSOCIATED, sealed) == PLAINTEXT


def test_the_next_nonce_or_other_associated_data_does_not_open() -> None:
    sealed = cipher_at(COUNTER).encrypt(ASSOCIATED, PLAINTEXT)
    with pytest.raises(HandshakeError):
        cipher_at(COUNTER + 1).decrypt(ASSOCIATED, sealed)
    with pytest.raises(HandshakeError):
        cipher_at(COUNTER).decrypt(b"", sealed)


def test_without_a_key_text_passes_through() -> None:
    cipher = CipherState()
    assert not cipher.has_key
    assert cipher.decrypt(b"", cipher.encrypt(b"", b"text")) == b"text"


def test_hkdf_of_rfc_5869_case_3() -> None:
    first, second = _hkdf(b"", b"\x0b" * 22)
    expected = "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
    assert (first + second)[:42] == bytes.fromhex(expected)


def test_x25519_of_rfc_7748() -> None:
    alice = KeyPair.from_private_bytes(
        bytes.fromhex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")
    )
    bob = KeyPair.from_private_bytes(bytes.fromhex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"))
    shared = bytes.fromhex("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742")
    assert alice.public == bytes.fromhex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a")
    assert bob.public == bytes.fromhex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f")
    assert alice.exchange(bob.public) == bob.exchange(alice.public) == shared


def test_a_short_protocol_name_is_padded_and_a_long_one_hashed() -> None:
    assert SymmetricState(b"Noise_XX_25519_ChaChaPoly_SHA256").hash == b"Noise_XX_25519_ChaChaPoly_SHA256"
    assert SymmetricState(b"short").hash == b"short".ljust(32, b"\0")
    assert len(SymmetricState(b"x" * 33).hash) == 32
