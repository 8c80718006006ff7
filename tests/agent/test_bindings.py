"""session-bind@openssh.com: what counts as proof, and what a connection remembers."""

import base64
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import SSHCertificateBuilder, SSHCertificateType
from hypothesis import given
from hypothesis import strategies as st

from agent.fake_keys import ALL_KEYS, FakeKey, ed25519_key, p256_key, p384_key, rsa_key
from agent.hosts import SESSION_ID, binding, host_signature
from agent.verify import blob_of
from fob_daemon.agent.bindings import BindingRefusedError, SessionBindings
from fob_daemon.agent.limits import MAX_BINDINGS
from fob_daemon.agent.wire import MalformedMessageError, string


@pytest.mark.parametrize("make_key", ALL_KEYS)
def test_a_host_key_of_every_kind_proves_the_session(make_key: Callable[[], FakeKey]) -> None:
    bindings = SessionBindings()
    bindings.add(binding(make_key()))
    assert (bindings.is_bound, bindings.is_forwarded) == (True, False)


def test_the_fingerprint_is_the_one_that_ssh_keygen_shows() -> None:
    bindings = SessionBindings()
    assert bindings.host is None
    bindings.add(binding(ed25519_key()))
    digest = hashes.Hash(hashes.SHA256())
    digest.update(blob_of(ed25519_key()))
    assert bindings.host is not None
    assert bindings.host.startswith("SHA256:")
    assert len(bindings.host) == len("SHA256:") + 43


def test_each_hop_of_a_forwarded_agent_adds_a_binding() -> None:
    bindings = SessionBindings()
    bindings.add(binding(ed25519_key(), b"first", forwarding=True))
    bindings.add(binding(p256_key(), b"second", forwarding=True))
    bindings.add(binding(rsa_key(), b"third"))
    assert bindings.is_forwarded


def test_the_same_binding_again_changes_nothing() -> None:
    bindings = SessionBindings()
    for _ in range(MAX_BINDINGS + 1):
        bindings.add(binding(ed25519_key()))


def test_nothing_follows_a_binding_for_authentication() -> None:
    bindings = SessionBindings()
    bindings.add(binding(ed25519_key(), b"first"))
    with pytest.raises(BindingRefusedError, match="for authentication"):
        bindings.add(binding(ed25519_key(), b"second", forwarding=True))


def test_a_session_has_one_host() -> None:
    bindings = SessionBindings()
    bindings.add(binding(ed25519_key(), forwarding=True))
    with pytest.raises(BindingRefusedError, match="in another way"):
        bindings.add(binding(p256_key(), forwarding=True))


def test_hops_are_counted() -> None:
    bindings = SessionBindings()
    for hop in range(MAX_BINDINGS):
        bindings.add(binding(ed25519_key(), bytes((hop,)), forwarding=True))
    with pytest.raises(BindingRefusedError, match="16 hosts"):
        bindings.add(binding(ed25519_key(), b"one more", forwarding=True))


@pytest.mark.parametrize("session_id", [b"", bytes(129)])
def test_a_session_identifier_has_bounds(session_id: bytes) -> None:
    with pytest.raises(BindingRefusedError, match="session identifier"):
        SessionBindings().add(binding(ed25519_key(), session_id))


@pytest.mark.parametrize("signer", [p256_key, p384_key, rsa_key])
def test_another_keys_signature_proves_nothing(signer: Callable[[], FakeKey]) -> None:
    bindings = SessionBindings()
    with pytest.raises(BindingRefusedError, match="did not sign"):
        bindings.add(binding(signer(), host_key=blob_of(ed25519_key())))
    assert bindings.host is None
    assert bindings.is_bound, "who tries to bind is no local ssh-add"


@pytest.mark.parametrize("make_key", ALL_KEYS)
def test_a_signature_of_another_session_proves_nothing(make_key: Callable[[], FakeKey]) -> None:
    key = make_key()
    contents = string(blob_of(key)) + string(SESSION_ID) + string(host_signature(key, b"other")) + b"\0"
    with pytest.raises(BindingRefusedError, match="did not sign"):
        SessionBindings().add(contents)


def test_sha1_proves_nothing() -> None:
    key = rsa_key()
    assert isinstance(key.private_key, rsa.RSAPrivateKey)
    signed = key.private_key.sign(SESSION_ID, padding.PKCS1v15(), hashes.SHA1())  # noqa: S303
    signature = string(b"ssh-rsa") + string(signed)
    with pytest.raises(BindingRefusedError, match="algorithm is not known"):
        SessionBindings().add(string(blob_of(key)) + string(SESSION_ID) + string(signature) + b"\0")


def test_a_host_certificate_proves_with_its_key() -> None:
    host, authority = p256_key(), ed25519_key()
    certificate = (
        SSHCertificateBuilder()
        .public_key(host.private_key.public_key())
        .type(SSHCertificateType.HOST)
        .valid_principals([b"localhost"])
        .key_id(b"host")
        .valid_after(0)
        .valid_before(2**64 - 1)
        .sign(authority.private_key)
    )
    SessionBindings().add(binding(host, host_key=certificate_blob(certificate.public_bytes())))


def certificate_blob(line: bytes) -> bytes:
    return base64.b64decode(line.split()[1])


COMPRESSED_POINT = string(b"ecdsa-sha2-nistp256") + string(b"nistp256") + string(b"\x02" + bytes(32))


@pytest.mark.parametrize(
    "host_key",
    [b"", string(b"ssh-dss"), string(b"x y\n"), string(b"ssh-ed25519") + string(b""), COMPRESSED_POINT],
)
def test_a_host_key_that_is_none(host_key: bytes) -> None:
    contents = string(host_key) + string(SESSION_ID) + string(host_signature(ed25519_key(), SESSION_ID)) + b"\0"
    with pytest.raises((BindingRefusedError, MalformedMessageError)):
        SessionBindings().add(contents)


@given(st.data())
def test_a_damaged_binding_is_refused(data: st.DataObject) -> None:
    """Any byte but the last, which is the flag, and is not signed."""
    contents = bytearray(binding(ed25519_key()))
    contents[data.draw(st.integers(0, len(contents) - 2))] ^= data.draw(st.integers(1, 255))
    with pytest.raises((BindingRefusedError, MalformedMessageError)):
        SessionBindings().add(bytes(contents))
