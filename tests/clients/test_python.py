"""PyKCS11 and python-pkcs11 on a running phone and daemon."""

import hashlib
import sys

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from clients.conversation import PROGRAMS, pykcs11
from support.live import Live, lines, over_both_links

MESSAGE = b"Signed from Python"
DIGEST = hashlib.sha256(MESSAGE).hexdigest()

# 1.25 times 138 octets and 1.12 times 331 (docs/performance.md).
P256_OCTETS = 172
RSA2048_OCTETS = 370

KEYS = "RSA-2048 P-256 Ed25519"


def check(live: Live, label: str, signature: bytes) -> None:
    """Raises when the signature of MESSAGE is not the key's."""
    key = load_pem_public_key(live.public_key(label).read_bytes())
    if isinstance(key, rsa.RSAPublicKey):
        key.verify(signature, MESSAGE, padding.PKCS1v15(), hashes.SHA256())
    else:
        assert isinstance(key, ec.EllipticCurvePublicKey)
        r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
        key.verify(encode_dss_signature(r, s), MESSAGE, ec.ECDSA(hashes.SHA256()))


@over_both_links("live")
@pytest.mark.clause("P9")
@pytest.mark.parametrize(
    ("label", "mechanism", "data", "most"),
    [
        ("P-256", "ECDSA", DIGEST, P256_OCTETS),
        ("RSA-2048", "SHA256_RSA_PKCS", MESSAGE.hex(), RSA2048_OCTETS),
    ],
)
def test_each_signature_of_a_session_is_one_round_trip_of_few_octets(
    live: Live, label: str, mechanism: str, data: str, most: int
) -> None:
    """PyKCS11 calls C_Sign for the length and again for the signature."""
    with live.crossing() as whole, pykcs11(live) as client:
        assert client.ask("login") == "OK"
        for _ in range(2):
            before = live.crossed()
            signature = client.ask("sign", label, mechanism, data)
            link = live.crossed() - before
            assert link.round_trips == 1
            assert link.octets <= most
            assert client.ask("verify", label, mechanism, data, signature) == "True"
            check(live, label, bytes.fromhex(signature))
    assert whole.round_trips == 3


@pytest.mark.clause("P9")
def test_each_client_has_a_login_of_its_own(live: Live) -> None:
    with pykcs11(live) as one, pykcs11(live) as other:
        assert one.ask("login") == "OK"
        assert one.ask("list", "private") == KEYS
        assert other.ask("list", "private") == ""
        assert other.ask("list", "public") == KEYS
        assert other.ask("sign", "P-256", "ECDSA", DIGEST) == "no such key"
        assert other.ask("login") == "OK"
        assert one.ask("logout") == "OK"
        assert one.ask("list", "private") == ""
        check(live, "P-256", bytes.fromhex(other.ask("sign", "P-256", "ECDSA", DIGEST)))


def test_a_client_that_asks_who_we_are_still_sees_all_keys(live: Live) -> None:
    """What is done for libp11 is done for libp11: PyKCS11 takes ten objects at a time."""
    with pykcs11(live) as client:
        assert client.ask("info") == live.label
        assert client.ask("login") == "OK"
        assert client.ask("list", "private") == KEYS


@over_both_links("live")
@pytest.mark.clause("P2", "P8", "P9", "P13")
def test_python_pkcs11(live: Live) -> None:
    with live.crossing() as link:
        said = live.run(sys.executable, str(PROGRAMS / "python_pkcs11_tour.py"))
    assert lines(said.stdout) == [
        "public: Ed25519 P-256 RSA-2048",
        "private:",
        "private: Ed25519 P-256 RSA-2048",
        "RSA: True",
        "forged: False",
        "decrypted: True",
        "digest: True",
        "EC: True",
        "made: True",
    ]
    assert link.round_trips == 8, "login, two signatures, decryption; a key pair, its signature, its two halves' end"
