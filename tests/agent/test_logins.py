"""Logging in by the PIN pad of the device, and what happens when the device thinks otherwise."""

import asyncio

import pytest
import structlog

from agent.client import FAILURE, REQUEST_IDENTITIES, SUCCESS, add_smartcard_key, comments, sign_request
from agent.fake_application import PIN, FakeToken
from agent.fake_keys import FakeKey, p256_key, rsa_key
from agent.harness import Desk
from agent.verify import blob_of
from fob_protocol.pkcs11.ckr import Ckr
from support.token_bench import refused

DATA = b"what ssh signs"
SIGN = sign_request(blob_of(p256_key()), DATA)


def with_pad(token: FakeToken, *typed: bytes | None) -> Desk:
    """An agent for a token whose person will type this on the device."""
    token.pad = list(typed)
    return Desk([token])


async def test_the_device_asks_when_the_first_signature_wants_a_login(token: FakeToken) -> None:
    session = with_pad(token, PIN).connect()
    for _ in range(2):
        assert (await session.answer(SIGN))[0] == 14
    assert token.link == ["login", "sign", "sign"]


async def test_an_empty_pin_means_the_pin_pad(token: FakeToken) -> None:
    session = with_pad(token, PIN).connect()
    assert await session.answer(add_smartcard_key("fob", b"")) == SUCCESS
    assert token.link == ["login"]


@pytest.mark.parametrize("typed", [None, b"9999"])
async def test_a_login_that_fails_is_tried_once_per_signature(token: FakeToken, typed: bytes | None) -> None:
    session = with_pad(token, typed, PIN).connect()
    assert await session.answer(SIGN) == FAILURE
    assert token.link == ["login"]
    assert (await session.answer(SIGN))[0] == 14


async def test_without_pad_and_login_nothing_crosses_the_link(desk: Desk, token: FakeToken) -> None:
    with structlog.testing.capture_logs() as log:
        assert await desk.connect().answer(SIGN) == FAILURE
    assert token.link == []
    assert log[0]["reason"].endswith("the token has no PIN pad; first: fob unlock, or ssh-add -s fob")


async def test_a_login_that_another_application_holds_is_shared_on_its_person_s_word(
    desk: Desk, token: FakeToken
) -> None:
    with refused(Ckr.USER_NOT_LOGGED_IN):
        await desk.logins.join(0)

    token.is_unlocked = True
    assert await desk.connect().answer(SIGN) == FAILURE
    assert await desk.logins.join(0)
    assert not await desk.logins.join(0)
    assert (await desk.connect().answer(SIGN))[0] == 14
    assert token.link == ["sign"]

    assert await desk.logins.logout(0)
    assert not await desk.logins.logout(0)
    assert await desk.connect().answer(SIGN) == FAILURE


async def test_asking_for_the_login_opens_no_session(desk: Desk) -> None:
    assert not desk.logins.is_logged_in(0)
    assert not await desk.logins.logout(0)
    assert desk.signing.sessions == {}


async def test_requests_at_once_ask_for_one_pin(token: FakeToken) -> None:
    desk = with_pad(token, PIN)
    replies = await asyncio.gather(*(desk.connect().answer(SIGN) for _ in range(5)))
    assert [reply[0] for reply in replies] == [14] * 5
    assert sorted(token.link) == ["login"] + ["sign"] * 5


async def test_a_login_that_the_device_ended_is_made_again(token: FakeToken) -> None:
    session = with_pad(token, PIN, PIN).connect()
    await session.answer(SIGN)
    token.link.clear()
    token.end_logins()
    assert (await session.answer(SIGN))[0] == 14
    assert token.link == ["sign", "logout", "login", "sign"]


async def test_a_login_that_the_device_ended_without_a_pad(desk: Desk, token: FakeToken) -> None:
    session = desk.connect()
    await session.answer(add_smartcard_key("fob", PIN))
    token.end_logins()
    assert await session.answer(SIGN) == FAILURE
    assert await session.answer(add_smartcard_key("fob", PIN)) == SUCCESS
    assert (await session.answer(SIGN))[0] == 14


async def test_a_key_that_wants_a_pin_for_every_use(token: FakeToken) -> None:
    token.keys = [FakeKey(p256_key().private_key, "careful", b"\x01", always_authenticate=True)]
    session = with_pad(token, PIN, PIN, PIN).connect()
    for _ in range(2):
        assert (await session.answer(SIGN))[0] == 14
    assert token.link == ["login", "login for one use", "sign", "login for one use", "sign"]


async def test_such_a_key_without_a_pad(desk: Desk, token: FakeToken) -> None:
    token.keys = [FakeKey(p256_key().private_key, "careful", b"\x01", always_authenticate=True)]
    session = desk.connect()
    await session.answer(add_smartcard_key("fob", PIN))
    assert await session.answer(SIGN) == FAILURE
    assert token.link == ["login"]


async def test_a_device_that_is_away_keeps_its_keys_listed(desk: Desk, token: FakeToken) -> None:
    session = desk.connect()
    await session.answer(add_smartcard_key("fob", PIN))
    token.is_away = True
    assert len(comments(await session.answer(REQUEST_IDENTITIES))) == 3
    with structlog.testing.capture_logs() as log:
        assert await session.answer(SIGN) == FAILURE
    assert log[0]["reason"] == "CKR_DEVICE_REMOVED: the device is away"
    token.is_away = False
    assert (await session.answer(SIGN))[0] == 14


async def test_sessions_that_the_engine_closed_are_opened_anew(desk: Desk, token: FakeToken) -> None:
    """C_InitToken closes all sessions, and with them the login."""
    session = desk.connect()
    await session.answer(add_smartcard_key("fob", PIN))
    for handle in list(desk.signing.sessions):
        desk.signing.close_session(handle)
    assert await session.answer(SIGN) == FAILURE
    assert await session.answer(add_smartcard_key("fob", PIN)) == SUCCESS
    assert (await session.answer(SIGN))[0] == 14


async def test_a_slow_signature_holds_nobody_up(desk: Desk, token: FakeToken) -> None:
    await desk.connect().answer(add_smartcard_key("fob", PIN))
    token.approval.clear()
    waiting = asyncio.create_task(desk.connect().answer(SIGN))
    assert await token.signing.get() == "phone p256"
    assert len(comments(await desk.connect().answer(REQUEST_IDENTITIES))) == 3
    other = asyncio.create_task(desk.connect().answer(sign_request(blob_of(rsa_key()), DATA, flags=2)))
    assert await token.signing.get() == "phone rsa"
    token.approval.set()
    assert ((await waiting)[0], (await other)[0]) == (14, 14)
