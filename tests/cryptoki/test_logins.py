"""C_Login: the phone checks each PIN, the daemon keeps the programs apart and the logins together."""

import asyncio
from pathlib import Path

import pytest

from cryptoki.desk import RO, ROOM, RW, SLOT, Client, Desk, Thinker, until
from fob_daemon.device.logins import LINGER, UserLogin
from fob_device.approval.rules import Rules
from fob_protocol.at.answer import Answer, Event
from fob_protocol.at.command import Command, encode_command
from fob_protocol.catalogue import EVENT_LOCKED
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Cks, Cku
from fob_protocol.pkcs11.flags import TokenFlag
from fob_protocol.pkcs11.mechanisms import Mechanism
from support.token_bench import EC_PAIR, P256, SO_PIN, USER_PIN, WRONG_PIN, refused

ECDSA = Mechanism(Ckm.ECDSA)


async def sign(client: Client, session: int) -> None:
    """One signature with the key `ec`."""
    client.application.sign_init(session, ECDSA, client.key(session, "ec"))
    assert isinstance(await client.application.sign(session, bytes(32), ROOM), bytes)


async def test_states_follow_the_login_of_the_whole_program(client: Client) -> None:
    application = client.application
    reading, writing = client.session(RO), client.session(RW)

    def states() -> list[int]:
        return [application.get_session_info(session).state for session in (reading, writing)]

    assert states() == [Cks.RO_PUBLIC_SESSION, Cks.RW_PUBLIC_SESSION]
    await application.login(reading, Cku.USER, USER_PIN)
    assert states() == [Cks.RO_USER_FUNCTIONS, Cks.RW_USER_FUNCTIONS]
    await application.logout(writing)
    assert states() == [Cks.RO_PUBLIC_SESSION, Cks.RW_PUBLIC_SESSION]
    application.close_session(reading)
    await application.login(writing, Cku.SO, SO_PIN)
    assert application.get_session_info(writing).state == Cks.RW_SO_FUNCTIONS


async def test_the_security_officer_has_read_write_sessions_only(client: Client) -> None:
    reading, writing = client.session(RO), client.session(RW)
    with refused(Ckr.SESSION_READ_ONLY_EXISTS):
        await client.application.login(writing, Cku.SO, SO_PIN)
    client.application.close_session(reading)
    await client.application.login(writing, Cku.SO, SO_PIN)
    with refused(Ckr.SESSION_READ_WRITE_SO_EXISTS):
        client.session(RO)


async def test_one_login_at_a_time(desk: Desk, client: Client) -> None:
    session = await client.user_session()
    with desk.crossing():
        with refused(Ckr.USER_ALREADY_LOGGED_IN):
            await client.application.login(session, Cku.USER, USER_PIN)
        with refused(Ckr.USER_ANOTHER_ALREADY_LOGGED_IN):
            await client.application.login(session, Cku.SO, SO_PIN)
        with refused(Ckr.USER_TYPE_INVALID):
            await client.application.login(session, 9, USER_PIN)
    await client.application.logout(session)
    with refused(Ckr.USER_NOT_LOGGED_IN):
        await client.application.logout(session)


async def test_two_logins_at_once_are_one(desk: Desk, client: Client) -> None:
    session = client.session()
    with desk.crossing(C_LOGIN=1):
        results = await asyncio.gather(
            *(client.application.login(session, Cku.USER, USER_PIN) for _ in range(2)), return_exceptions=True
        )
    assert [type(result).__name__ for result in results] == ["NoneType", "CkrError"]


async def test_a_second_program_may_take_part_in_a_login_where_the_daemon_says_so(desk: Desk, client: Client) -> None:
    agent = desk.client()
    session = agent.session(RO)
    with refused(Ckr.USER_NOT_LOGGED_IN):
        await agent.application.join_login(session)

    opened = await client.user_session()
    with desk.crossing(C_SIGN=1):
        await agent.application.join_login(session)
        with refused(Ckr.USER_ALREADY_LOGGED_IN):
            await agent.application.join_login(session)
        await client.application.logout(opened)
        assert desk.timers.waiting == []
        await sign(agent, session)
    await agent.application.logout(session)
    assert [timer.seconds for timer in desk.timers.waiting] == [LINGER]
    with desk.crossing():
        await agent.application.join_login(session)
    assert desk.timers.waiting == [], "the phone had not been told yet"


async def test_each_programs_pin_is_checked_by_the_phone(desk: Desk, client: Client) -> None:
    await client.user_session()
    other = desk.client()
    session = other.session()
    with desk.crossing(C_LOGIN=1), refused(Ckr.PIN_INCORRECT):
        await other.application.login(session, Cku.USER, WRONG_PIN)
    assert other.application.get_session_info(session).state == Cks.RW_PUBLIC_SESSION
    assert TokenFlag.USER_PIN_COUNT_LOW in other.application.get_token_info(SLOT).flags
    with desk.crossing(C_LOGIN=1):
        await other.application.login(session, Cku.USER, USER_PIN)
    assert TokenFlag.USER_PIN_COUNT_LOW not in other.application.get_token_info(SLOT).flags


async def test_init_token_needs_closed_sessions_and_empties_the_cache(desk: Desk, client: Client) -> None:
    application = client.application
    session = await client.user_session()
    with refused(Ckr.SESSION_EXISTS):
        await application.init_token(SLOT, SO_PIN, b"fresh".ljust(32))
    application.close_session(session)
    with desk.crossing(C_INITTOKEN=1):
        await application.init_token(SLOT, SO_PIN, b"fresh".ljust(32))
    assert application.get_token_info(SLOT).label == "fresh"
    assert TokenFlag.USER_PIN_INITIALIZED not in application.get_token_info(SLOT).flags
    assert client.find(client.session(RO)) == []
    assert application.get_slot_list(True) == [SLOT]


# The phone hears of a logout late, so that a burst of tools costs nothing.


@pytest.mark.clause("P9")
async def test_a_burst_of_tools_costs_a_login_and_a_signature_each(desk: Desk) -> None:
    with desk.crossing(C_LOGIN=5, C_SIGN=5):
        for _ in range(5):
            tool = desk.client()
            await sign(tool, await tool.user_session())
            tool.application.close()
    assert [timer.seconds for timer in desk.timers.waiting] == [LINGER]
    with desk.crossing(C_LOGOUT=1):
        desk.timers.ring()
        await desk.slot.idle()
    late = desk.client()
    session = late.session()
    assert late.application.get_session_info(session).state == Cks.RW_PUBLIC_SESSION


async def test_nobody_is_logged_out_while_another_program_is_logged_in(desk: Desk, client: Client) -> None:
    agent_session = await client.user_session()
    tool = desk.client()
    await tool.user_session()
    tool.application.close()
    assert desk.timers.waiting == []
    with desk.crossing(C_SIGN=1):
        await sign(client, agent_session)


async def test_who_logs_in_while_the_last_other_program_leaves_stays_logged_in(desk: Desk, client: Client) -> None:
    await client.user_session()
    desk.link.crossed.clear()
    tool = desk.client()
    session = tool.session()
    logging_in = asyncio.create_task(tool.application.login(session, Cku.USER, USER_PIN))
    await until(lambda: desk.link.crossed["+C_LOGIN"] == 1)
    client.application.close()
    assert [timer.seconds for timer in desk.timers.waiting] == [LINGER]
    await logging_in
    desk.timers.ring()
    await desk.slot.idle()
    await sign(tool, session)
    assert desk.link.crossed["+C_LOGOUT"] == 0


async def test_an_agent_and_many_tools_share_one_login_on_the_phone(desk: Desk, client: Client) -> None:
    agent_session = await client.user_session()
    tools = 20
    with desk.crossing(C_LOGIN=tools):
        for _ in range(tools):
            tool = desk.client()
            await tool.user_session()
            tool.application.close()
        await desk.slot.idle()
    await sign(client, agent_session)
    with desk.crossing(C_LOGOUT=1):
        client.application.close()
        desk.timers.ring()
        await desk.slot.idle()


async def test_programs_that_log_in_at_the_same_moment_leave_no_login_behind(desk: Desk) -> None:
    one, other = desk.client(), desk.client()
    with desk.crossing(C_LOGIN=2, C_LOGOUT=1):
        sessions = await asyncio.gather(one.user_session(), other.user_session())
        await desk.slot.idle()
    with desk.crossing(C_SIGN=2):
        for program, session in zip((one, other), sessions, strict=True):
            await sign(program, session)
    with desk.crossing(C_LOGOUT=1):
        one.application.close()
        other.application.close()
        desk.timers.ring()
        await desk.slot.idle()


async def test_the_last_session_ends_the_login(desk: Desk, client: Client) -> None:
    first, second = await client.user_session(), client.session(RO)
    client.application.close_session(first)
    assert client.application.get_session_info(second).state == Cks.RO_USER_FUNCTIONS
    client.application.close_session(second)
    assert client.application.get_session_info(client.session(RO)).state == Cks.RO_PUBLIC_SESSION
    assert len(desk.timers.waiting) == 1


async def test_a_login_whose_session_closes_meanwhile_is_given_back(tmp_path: Path) -> None:
    async with Desk.opened(tmp_path) as desk:
        client = desk.client()
        session = client.session()
        login = asyncio.ensure_future(client.application.login(session, Cku.USER, USER_PIN))
        await until(lambda: desk.link.crossed["+C_LOGIN"] == 1)
        client.application.close()
        with refused(Ckr.SESSION_HANDLE_INVALID):
            await login
        assert len(desk.timers.waiting) == 1


async def test_a_lock_on_the_phone_ends_the_login_of_all(desk: Desk, client: Client) -> None:
    session = await client.user_session()
    other = desk.client()
    other_session = await other.user_session()
    key = client.key(session, "ec")
    client.application.sign_init(session, ECDSA, key)
    for login in range(9, 0, -1):
        desk.link.announce(Event(EVENT_LOCKED, (login,)))
    with refused(Ckr.USER_NOT_LOGGED_IN):
        await client.application.sign(session, bytes(32), ROOM)
    for program, its_session in ((client, session), (other, other_session)):
        assert program.application.get_session_info(its_session).state == Cks.RW_PUBLIC_SESSION
        await program.application.login(its_session, Cku.USER, USER_PIN)
        await sign(program, its_session)


# A login outlives the link session, and the phone's restart, by its ticket.


@pytest.mark.parametrize("restarts", [False, True])
async def test_a_new_link_session_resumes_the_login_once(desk: Desk, client: Client, restarts: bool) -> None:
    session = await client.user_session()
    if restarts:
        desk.restart_phone()
    else:
        desk.link.disconnect()
        desk.link.connect()
    with desk.crossing(FOBRESUME=1, C_SIGN=4):
        await asyncio.gather(*(sign(client, s) for s in (session, client.session(), client.session())))
        await sign(client, session)


async def test_what_is_no_function_of_cryptoki_resumes_the_login_too(desk: Desk, client: Client) -> None:
    session = await client.user_session()

    async def asked() -> str:
        return "answered"

    with desk.crossing():
        assert await client.application.within_login(session, asked) == "answered"
    desk.restart_phone()
    with desk.crossing(FOBRESUME=1):
        assert await client.application.within_login(session, asked) == "answered"


async def test_a_phone_that_forgot_the_ticket_puts_everyone_in_the_public_state(desk: Desk, client: Client) -> None:
    session = await client.user_session()
    key = client.key(session, "ec")
    client.application.sign_init(session, ECDSA, key)
    desk.bench.clock.now += 13 * 3600
    desk.restart_phone()
    with desk.crossing(FOBRESUME=1), refused(Ckr.USER_NOT_LOGGED_IN):
        await client.application.sign(session, bytes(32), ROOM)
    assert client.application.get_session_info(session).state == Cks.RW_PUBLIC_SESSION
    with desk.crossing(C_LOGIN=1, C_SIGN=1):
        await client.application.login(session, Cku.USER, USER_PIN)
        await sign(client, session)


async def test_a_login_that_the_phone_ended_without_a_word_is_noticed(desk: Desk, client: Client) -> None:
    session = await client.user_session()
    other_pc = desk.bench.session(Cku.SO)
    other_pc.init_pin(b"other-pin")
    client.application.sign_init(session, ECDSA, client.key(session, "ec"))
    with refused(Ckr.USER_NOT_LOGGED_IN):
        await client.application.sign(session, bytes(32), ROOM)
    assert client.application.get_session_info(session).state == Cks.RW_PUBLIC_SESSION


async def test_a_phone_that_is_away_cannot_check_a_pin(desk: Desk, client: Client) -> None:
    session = client.session()
    desk.link.disconnect()
    with refused(Ckr.DEVICE_ERROR):
        await client.application.login(session, Cku.USER, USER_PIN)
    desk.link.connect()
    await client.application.login(session, Cku.USER, USER_PIN)


# PIN on the phone.


@pytest.mark.parametrize("pin", [None, b"", b"dummy", USER_PIN])
async def test_whatever_a_program_gives_as_the_pin_the_phone_asks(tmp_path: Path, pin: bytes | None) -> None:
    async with Desk.opened(tmp_path, Thinker(typed_pin=USER_PIN)) as desk:
        client = desk.client()
        assert TokenFlag.PROTECTED_AUTHENTICATION_PATH in client.application.get_token_info(SLOT).flags
        session = client.session()
        await client.application.login(session, Cku.USER, pin)
        assert client.application.get_session_info(session).state == Cks.RW_USER_FUNCTIONS


async def test_no_pin_of_a_program_crosses_the_link_to_a_phone_with_a_pad(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = Rules(typed_pin=USER_PIN, typed_so_pin=SO_PIN, chosen_pin=b"chosen-pin")
    dummy = b"made-up by a program"
    async with Desk.opened(tmp_path, person) as desk:
        sent: list[bytes] = []
        request = desk.link.request

        async def recorded(command: Command, *, timeout: float) -> Answer:  # noqa: ASYNC109 - as the interface has it
            sent.append(encode_command(command))
            return await request(command, timeout=timeout)

        monkeypatch.setattr(desk.link, "request", recorded)
        application = desk.client().application
        session = application.open_session(SLOT, RW)
        await application.login(session, Cku.USER, dummy)
        _, key = await application.generate_key_pair(
            session, EC_PAIR, {Cka.EC_PARAMS: P256}, {Cka.ALWAYS_AUTHENTICATE: True}
        )
        application.sign_init(session, ECDSA, key)
        await application.login(session, Cku.CONTEXT_SPECIFIC, dummy)
        await application.set_pin(session, dummy, dummy)
        await application.logout(session)
        await application.login(session, Cku.SO, dummy)
        await application.init_pin(session, dummy)
        await application.logout(session)
        application.close_session(session)
        await application.init_token(SLOT, dummy, b"new")
        pin_commands = ("C_LOGIN=1", "C_LOGIN=2", "C_LOGIN=0", "C_SETPIN", "C_INITPIN", "C_INITTOKEN")
        assert [any(name.encode() in command for command in sent) for name in pin_commands] == 6 * [True]
        assert [command for command in sent if dummy in command] == []


async def test_without_a_pad_no_pin_is_refused_at_once(desk: Desk, client: Client) -> None:
    session = client.session()
    with desk.crossing(), refused(Ckr.ARGUMENTS_BAD):
        await client.application.login(session, Cku.USER, None)
    with refused(Ckr.PIN_LEN_RANGE):
        await client.application.login(session, Cku.USER, b"")


async def test_a_guarded_key_takes_its_pin_from_the_pad_too(tmp_path: Path) -> None:
    async with Desk.opened(tmp_path, Thinker(typed_pin=USER_PIN)) as desk:
        client = desk.client()
        session = await client.user_session()
        _, key = await client.application.generate_key_pair(
            session, EC_PAIR, {Cka.EC_PARAMS: P256}, {Cka.ALWAYS_AUTHENTICATE: True}
        )
        client.application.sign_init(session, ECDSA, key)
        await client.application.login(session, Cku.CONTEXT_SPECIFIC, None)
        assert isinstance(await client.application.sign(session, bytes(32), ROOM), bytes)


async def test_no_repr_shows_a_ticket_or_a_pin(desk: Desk, client: Client) -> None:
    await client.user_session()
    login = UserLogin(Cku.USER, ticket=b"the ticket")
    assert "ticket" not in repr(login)
    for thing in (desk.slot, desk.slot.logins, client.application):
        assert USER_PIN.decode() not in repr(thing)
