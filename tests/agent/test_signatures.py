"""From sign requests to C_Sign, and from its results to SSH signatures."""

import hashlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.client import signature
from agent.fake_keys import ALL_KEYS, FakeKey, p256_key, rsa_key
from agent.verify import mpints, verify
from fob_daemon.agent.messages import sign_response
from fob_daemon.agent.signatures import MalformedSignatureError, UnsupportedSignatureError, plan_signature
from fob_protocol.pkcs11.ckm import Ckm

DATA = b"what ssh signs"


@pytest.mark.parametrize("make_key", ALL_KEYS)
def test_a_signature_of_every_kind_verifies(make_key: Callable[[], FakeKey]) -> None:
    key = make_key()
    plan = plan_signature(key.line.split()[0], DATA, flags=4)
    algorithm, blob = signature(sign_response(plan.encode(key.sign(plan.mechanism.type, plan.data))))
    verify(key, algorithm, blob, DATA)


@pytest.mark.parametrize(
    ("algorithm", "flags", "name", "mechanism", "data"),
    [
        ("ssh-rsa", 2, "rsa-sha2-256", Ckm.SHA256_RSA_PKCS, DATA),
        ("ssh-rsa", 4, "rsa-sha2-512", Ckm.SHA512_RSA_PKCS, DATA),
        ("ssh-rsa", 6, "rsa-sha2-256", Ckm.SHA256_RSA_PKCS, DATA),
        ("ecdsa-sha2-nistp256", 0, "ecdsa-sha2-nistp256", Ckm.ECDSA, hashlib.sha256(DATA).digest()),
        ("ecdsa-sha2-nistp384", 0, "ecdsa-sha2-nistp384", Ckm.ECDSA, hashlib.sha384(DATA).digest()),
        ("ecdsa-sha2-nistp521", 0, "ecdsa-sha2-nistp521", Ckm.ECDSA, hashlib.sha512(DATA).digest()),
        ("ssh-ed25519", 0, "ssh-ed25519", Ckm.EDDSA, DATA),
    ],
)
def test_what_the_token_is_asked(algorithm: str, flags: int, name: str, mechanism: Ckm, data: bytes) -> None:
    plan = plan_signature(algorithm, DATA, flags)
    assert (plan.algorithm, plan.mechanism.type, plan.data) == (name, mechanism, data)


def test_sha1_is_refused() -> None:
    with pytest.raises(UnsupportedSignatureError, match="SHA-1"):
        plan_signature("ssh-rsa", DATA, flags=0)


@pytest.mark.parametrize("algorithm", ["ssh-rsa", "ssh-ed25519", "ecdsa-sha2-nistp256"])
@pytest.mark.parametrize("flags", [1, 8, 2 | 16, 0x8000_0000])
def test_unknown_flags_are_refused(algorithm: str, flags: int) -> None:
    with pytest.raises(UnsupportedSignatureError, match="not known"):
        plan_signature(algorithm, DATA, flags)


@pytest.mark.parametrize(
    ("algorithm", "length"),
    [
        ("ssh-rsa", 0),
        ("ecdsa-sha2-nistp256", 63),
        ("ecdsa-sha2-nistp521", 128),
        ("ssh-ed25519", 63),
        ("ssh-ed25519", 0),
    ],
)
def test_an_answer_that_is_no_signature(algorithm: str, length: int) -> None:
    with pytest.raises(MalformedSignatureError):
        plan_signature(algorithm, DATA, flags=2).encode(bytes(length))


@given(st.binary(min_size=64, max_size=64))
def test_r_and_s_keep_their_values(joined: bytes) -> None:
    _, blob = signature(sign_response(plan_signature("ecdsa-sha2-nistp256", DATA, 0).encode(joined)))
    assert mpints(blob) == (int.from_bytes(joined[:32], "big"), int.from_bytes(joined[32:], "big"))


@pytest.mark.parametrize("key", [rsa_key(), p256_key()])
def test_data_does_not_show(key: FakeKey) -> None:
    assert "what ssh" not in repr(plan_signature(key.line.split()[0], DATA, flags=2))
