"""Calls that wait for the phone: they hold up nobody, they end by a deadline, and a mistake is an answer too."""

import pytest
from structlog.testing import capture_logs

from fob_daemon.rpc.limits import Limits
from fob_protocol.pkcs11.ckr import Ckr
from rpc.conftest import Provider, StartProvider
from rpc.conversation import RawClient, ay, error, fy, reply, request, u, u32
from rpc.fake_application import EC_PRIVATE, PIN, SLOT

SIGN_REPLY = reply("C_Sign", b"\x01" + u32(64))


async def signing(client: RawClient) -> int:
    """A session that needs only C_Sign."""
    session = await client.open_session(SLOT)
    assert await client.call(request("C_Login", u(session), u(1), ay(PIN))) == reply("C_Login")
    sign_init = request("C_SignInit", u(session), u32(0x1041) + b"\xff\xff\xff\xff", u(EC_PRIVATE))
    assert await client.call(sign_init) == reply("C_SignInit")
    return session


async def test_a_slow_call_does_not_hold_up_a_fast_one(provider: Provider) -> None:
    client = await provider.client()
    session = await signing(client)
    provider.applications[0].approval.clear()
    slow = client.send(request("C_Sign", u(session), ay(b"d" * 32), fy(64)))
    assert await client.call(request("C_GetSessionInfo", u(session))) == reply(
        "C_GetSessionInfo", u(SLOT) + u(3) + u(6) + u(0)
    )
    provider.applications[0].approval.set()
    code, answer = await client.receive()
    assert code == slow
    assert answer.startswith(SIGN_REPLY)


@pytest.mark.clause("P9")
async def test_two_clients_one_of_them_waiting(provider: Provider) -> None:
    waiting, other = await provider.client(), await provider.client()
    waiting_session, other_session = await signing(waiting), await signing(other)
    provider.applications[0].approval.clear()
    waiting.send(request("C_Sign", u(waiting_session), ay(b"d" * 32), fy(64)))
    answer = await other.call(request("C_Sign", u(other_session), ay(b"d" * 32), fy(64)))
    assert answer.startswith(SIGN_REPLY)


async def test_the_deadline_answers_and_the_connection_lives(start_provider: StartProvider) -> None:
    provider = await start_provider(Limits(call_timeout=0.01))
    client = await provider.client()
    session = await signing(client)
    provider.applications[0].approval.clear()
    assert await client.call(request("C_Sign", u(session), ay(b"d" * 32), fy(64))) == error(Ckr.DEVICE_ERROR)
    assert await client.call(request("C_GenerateRandom", u(session), fy(0))) == reply(
        "C_GenerateRandom", b"\x01" + u32(0)
    )


async def test_waiting_for_a_slot_has_no_deadline(start_provider: StartProvider) -> None:
    provider = await start_provider(Limits(call_timeout=0))
    client = await provider.client()
    waiting = client.send(request("C_WaitForSlotEvent", u(0)))
    assert await client.call(request("C_WaitForSlotEvent", u(1))) == error(Ckr.NO_EVENT)
    provider.applications[0].slot_event.set_result(SLOT)
    assert await client.receive() == (waiting, reply("C_WaitForSlotEvent", u(SLOT)))


async def test_the_end_of_the_connection_cancels_what_waits(provider: Provider) -> None:
    client = await provider.client()
    client.send(request("C_WaitForSlotEvent", u(0)))
    application = provider.applications[0]
    await application.waits_for_slot.wait()
    await client.close()
    await application.gone.wait()
    assert application.slot_event.cancelled()
    assert application.closed == 1


@pytest.mark.parametrize(
    "body",
    [
        request("C_DecryptInit", u(1), u32(1) + b"\xff\xff\xff\xff", u(2)),
        request("C_Decrypt", u(1), ay(b"secret-1234"), fy(9)),
    ],
)
async def test_a_mistake_of_ours_is_an_answer_and_no_secret_is_logged(provider: Provider, body: bytes) -> None:
    client = await provider.client()
    with capture_logs() as logs:
        assert await client.call(body) == error(Ckr.GENERAL_ERROR)
    (entry,) = [entry for entry in logs if entry["event"] == "rpc.failed"]
    assert entry["fault"] == "ZeroDivisionError"
    assert entry["call"].startswith("C_Decrypt")
    assert "1234" not in repr(logs)
    await client.open_session(SLOT)
