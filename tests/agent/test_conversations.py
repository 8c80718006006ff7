"""What one connection says and hears, in exact bytes, and what crosses the link for it."""

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.client import (
    EXTENSION_FAILURE,
    FAILURE,
    NO_IDENTITIES,
    REQUEST_IDENTITIES,
    SUCCESS,
    add_smartcard_key,
    comments,
    extension,
    identities,
    lock,
    remove_smartcard_key,
    sign_request,
    signature,
    unlock,
)
from agent.fake_application import PIN, FakeToken
from agent.fake_keys import FakeKey, ed25519_key, p256_key, p384_key, rsa_key
from agent.harness import Desk
from agent.hosts import binding
from agent.verify import blob_of, verify

DATA = b"what ssh signs"
BIND = "session-bind@openssh.com"


@pytest.mark.clause("P9")
async def test_keys_are_listed_without_login_and_without_the_link(desk: Desk, token: FakeToken) -> None:
    reply = await desk.connect().answer(REQUEST_IDENTITIES)
    assert identities(reply) == [
        (blob_of(rsa_key()), "phone rsa"),
        (blob_of(p256_key()), "phone p256"),
        (blob_of(ed25519_key()), "phone ed25519"),
    ]
    assert token.link == []


async def test_a_token_without_keys(desk: Desk, token: FakeToken) -> None:
    token.keys.clear()
    assert await desk.connect().answer(REQUEST_IDENTITIES) == NO_IDENTITIES


@pytest.mark.clause("P9")
@pytest.mark.parametrize("key", [rsa_key(), p256_key(), ed25519_key()], ids=lambda key: key.label)
async def test_a_signature_crosses_the_link_once(desk: Desk, token: FakeToken, key: FakeKey) -> None:
    assert await desk.connect().answer(add_smartcard_key("fob", PIN)) == SUCCESS
    token.link.clear()
    reply = await desk.connect().answer(sign_request(blob_of(key), DATA, flags=4))
    verify(key, *signature(reply), DATA)
    assert token.link == ["sign"]


async def test_sha1_is_refused_and_the_log_says_why(desk: Desk, token: FakeToken) -> None:
    session = desk.connect()
    await session.answer(add_smartcard_key("fob", PIN))
    token.link.clear()
    with structlog.testing.capture_logs() as log:
        assert await session.answer(sign_request(blob_of(rsa_key()), DATA)) == FAILURE
    assert token.link == []
    (line,) = log
    assert (line["event"], line["key"], line["program"]) == ("agent.refused", "phone rsa", "ssh-add")
    assert "SHA-1" in line["reason"]


async def test_a_key_of_somebody_else(desk: Desk, token: FakeToken) -> None:
    assert await desk.connect().answer(sign_request(blob_of(p384_key()), DATA)) == FAILURE
    assert token.link == []


async def test_a_label_is_one_line_of_a_list(desk: Desk, token: FakeToken) -> None:
    # `ssh-add -L >> authorized_keys` would let a second line in.
    token.keys = [FakeKey(p384_key().private_key, "work\nssh-ed25519 AAAA evil\x1b[31m\u202e", b"\x09")]
    (comment,) = comments(await desk.connect().answer(REQUEST_IDENTITIES))
    assert comment == "work\ufffdssh-ed25519 AAAA evil\ufffd[31m\ufffd"


async def test_keys_that_do_not_sign_are_not_listed_once_they_are_seen(desk: Desk, token: FakeToken) -> None:
    token.keys.append(FakeKey(p384_key().private_key, "for decryption", b"\x09", signs=False))
    session = desk.connect()
    assert "for decryption" in comments(await session.answer(REQUEST_IDENTITIES))
    await session.answer(add_smartcard_key("fob", PIN))
    assert comments(await session.answer(REQUEST_IDENTITIES)) == ["phone rsa", "phone p256", "phone ed25519"]
    assert await session.answer(sign_request(blob_of(p384_key()), DATA)) == FAILURE


async def test_keys_of_a_token_without_login_are_all_seen(desk: Desk, token: FakeToken) -> None:
    token.login_required = False
    token.keys.append(FakeKey(p384_key().private_key, "for decryption", b"\x09", signs=False))
    session = desk.connect()
    assert "for decryption" not in comments(await session.answer(REQUEST_IDENTITIES))
    verify(p256_key(), *signature(await session.answer(sign_request(blob_of(p256_key()), DATA))), DATA)
    assert token.link == ["sign"]


async def test_a_key_on_two_objects_is_listed_once(desk: Desk, token: FakeToken) -> None:
    token.keys = [p256_key(), FakeKey(p256_key().private_key, "again", b"\x09")]
    assert comments(await desk.connect().answer(REQUEST_IDENTITIES)) == ["phone p256"]


async def test_two_tokens_are_listed_and_one_may_be_named(token: FakeToken) -> None:
    other = FakeToken([p384_key()], label="Meter")
    desk = Desk([token, other])
    session = desk.connect()
    assert comments(await session.answer(REQUEST_IDENTITIES))[-1] == "phone p384"
    assert await session.answer(add_smartcard_key("fob", PIN)) == FAILURE, "which token?"
    assert await session.answer(add_smartcard_key("Meter", PIN)) == SUCCESS
    assert (token.link, other.link) == ([], ["login"])
    verify(p384_key(), *signature(await session.answer(sign_request(blob_of(p384_key()), DATA))), DATA)


@pytest.mark.parametrize("provider", ["My phone", "fob"])
async def test_a_login_is_shared_by_all_connections(desk: Desk, token: FakeToken, provider: str) -> None:
    assert await desk.connect().answer(add_smartcard_key(provider, PIN)) == SUCCESS
    for _ in range(3):
        session = desk.connect()
        assert (await session.answer(sign_request(blob_of(p256_key()), DATA)))[0] == 14
        session.close()
    assert token.link == ["login", "sign", "sign", "sign"]


@pytest.mark.parametrize(
    ("provider", "pin", "tries"),
    [("fob", b"9999", 1), ("/usr/lib/opensc-pkcs11.so", PIN, 0), ("", PIN, 0), ("fob", b"", 0)],
)
async def test_a_login_that_fails(desk: Desk, token: FakeToken, provider: str, pin: bytes, tries: int) -> None:
    with structlog.testing.capture_logs() as log:
        assert await desk.connect().answer(add_smartcard_key(provider, pin)) == FAILURE
    assert token.link == ["login"] * tries
    assert "9999" not in str(log)
    assert PIN.decode() not in str(log)


async def test_a_second_login_costs_no_try(desk: Desk, token: FakeToken) -> None:
    session = desk.connect()
    await session.answer(add_smartcard_key("fob", PIN))
    assert await session.answer(add_smartcard_key("fob", b"9999")) == SUCCESS
    assert token.link == ["login"]


async def test_removing_the_provider_ends_the_login(desk: Desk, token: FakeToken) -> None:
    session = desk.connect()
    assert await session.answer(remove_smartcard_key("fob")) == SUCCESS
    await session.answer(add_smartcard_key("fob", PIN))
    assert await session.answer(remove_smartcard_key("fob")) == SUCCESS
    assert await session.answer(sign_request(blob_of(p256_key()), DATA)) == FAILURE
    assert token.link == ["login", "logout"]
    assert await session.answer(remove_smartcard_key("opensc")) == FAILURE


async def test_a_locked_agent_shows_and_does_nothing(desk: Desk, token: FakeToken) -> None:
    first, second = desk.connect(), desk.connect()
    await first.answer(add_smartcard_key("fob", PIN))
    token.link.clear()
    assert await first.answer(lock(b"sesame")) == SUCCESS
    for session in (first, second):
        assert await session.answer(REQUEST_IDENTITIES) == NO_IDENTITIES
        assert await session.answer(sign_request(blob_of(p256_key()), DATA)) == FAILURE
        assert await session.answer(add_smartcard_key("fob", PIN)) == FAILURE
        assert await session.answer(remove_smartcard_key("fob")) == FAILURE
        assert await session.answer(lock(b"other")) == FAILURE
        assert await session.answer(unlock(b"other")) == FAILURE
    assert token.link == []
    assert await second.answer(unlock(b"sesame")) == SUCCESS
    assert (await first.answer(sign_request(blob_of(p256_key()), DATA)))[0] == 14


async def test_unlocking_what_is_not_locked_gives_the_pin(desk: Desk, token: FakeToken) -> None:
    session = desk.connect()
    assert await session.answer(unlock(PIN)) == SUCCESS
    assert (await session.answer(sign_request(blob_of(p256_key()), DATA)))[0] == 14
    assert await session.answer(unlock(PIN)) == FAILURE, "nothing is locked, and the login is there"
    assert token.link == ["login", "sign"]


@pytest.mark.parametrize("passphrase", [PIN, b""])
async def test_a_passphrase_is_no_pin_where_the_phone_asks_for_it(
    desk: Desk, token: FakeToken, passphrase: bytes
) -> None:
    token.pad = []
    assert await desk.connect().answer(unlock(passphrase)) == FAILURE
    assert token.link == []


async def test_query_names_the_extensions(desk: Desk) -> None:
    reply = await desk.connect().answer(extension("query"))
    assert reply.hex() == "1d00000005" + b"query".hex() + "00000018" + BIND.encode().hex()


async def test_an_extension_that_is_not_known(desk: Desk) -> None:
    assert await desk.connect().answer(extension("restrict-destination-v00@openssh.com")) == EXTENSION_FAILURE


async def test_a_signature_for_a_forwarded_connection_says_so_in_the_log(desk: Desk) -> None:
    session = desk.connect()
    await desk.connect().answer(add_smartcard_key("fob", PIN))
    assert await session.answer(extension(BIND, binding(ed25519_key(), forwarding=True))) == SUCCESS
    with structlog.testing.capture_logs() as log:
        assert (await session.answer(sign_request(blob_of(p256_key()), DATA)))[0] == 14
    (line,) = log
    assert (line["event"], line["forwarded"], line["key"]) == ("agent.signed", True, "phone p256")
    assert line["host"].startswith("SHA256:")


async def test_a_remote_host_lists_and_signs_and_nothing_else(desk: Desk, token: FakeToken) -> None:
    await desk.connect().answer(add_smartcard_key("fob", PIN))
    token.link.clear()
    remote = desk.connect()
    await remote.answer(extension(BIND, binding(ed25519_key(), forwarding=True)))
    for request in (add_smartcard_key("fob", b"9999"), remove_smartcard_key("fob"), lock(b"x"), unlock(b"x")):
        assert await remote.answer(request) == FAILURE
    assert token.link == []
    assert len(comments(await remote.answer(REQUEST_IDENTITIES))) == 3


async def test_a_binding_while_locked_is_remembered(desk: Desk) -> None:
    local, remote = desk.connect(), desk.connect()
    await local.answer(lock(b"sesame"))
    assert await remote.answer(extension(BIND, binding(ed25519_key(), forwarding=True))) == SUCCESS
    await local.answer(unlock(b"sesame"))
    assert await remote.answer(lock(b"mine")) == FAILURE


async def test_a_false_binding_is_refused(desk: Desk) -> None:
    damaged = binding(ed25519_key())[:-10] + bytes(9) + b"\1"
    assert await desk.connect().answer(extension(BIND, damaged)) == FAILURE


@pytest.mark.parametrize("number", [17, 18, 19, 25, 26, 0, 1, 5, 6, 12, 255])
async def test_what_no_token_can_do(desk: Desk, number: int) -> None:
    assert await desk.connect().answer(bytes((number,)) + b"\0\0\0\1x") == FAILURE


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(message=st.binary(min_size=1, max_size=100))
async def test_whatever_comes_has_an_answer(message: bytes) -> None:
    desk = Desk([FakeToken([ed25519_key()])])
    session = desk.connect()
    assert await session.answer(message)
    assert await session.answer(unlock(b"x")) == FAILURE or desk.shared.lock.is_locked


async def test_no_session_of_the_engine_is_left_open(desk: Desk) -> None:
    session = desk.connect()
    await session.answer(add_smartcard_key("fob", PIN))
    for key in (rsa_key(), p256_key(), p384_key()):
        await session.answer(sign_request(blob_of(key), DATA, flags=2))
    assert len(desk.signing.sessions) == 1, "the one that keeps the login"
