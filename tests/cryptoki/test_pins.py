"""PINs, right and wrong: what each try is answered, what the token's flags say afterwards, and what it costs.

A wrong PIN is CKR_PIN_INCORRECT, also the one that locks, as smart cards have it: it was looked at. From then on every
PIN is CKR_PIN_LOCKED, and none is looked at.
"""

from typing import Final

import pytest

from cryptoki.desk import RO, ROOM, RW, SLOT, Client, Desk, until
from fob_daemon.cryptoki.application import FobApplication
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Cks, Cku
from fob_protocol.pkcs11.flags import TokenFlag
from fob_protocol.pkcs11.mechanisms import Mechanism
from support.token_bench import EC_PAIR, P256, SO_PIN, USER_PIN, WRONG_PIN, refused

ECDSA: Final = Mechanism(Ckm.ECDSA)
NEW_PIN: Final = b"new-pin-1"
NOTHING: Final = TokenFlag(0)
LOW: Final = TokenFlag.USER_PIN_COUNT_LOW
LAST: Final = TokenFlag.USER_PIN_COUNT_LOW | TokenFlag.USER_PIN_FINAL_TRY
LOCKED: Final = TokenFlag.USER_PIN_LOCKED
SO_LOW: Final = TokenFlag.SO_PIN_COUNT_LOW
SO_LAST: Final = TokenFlag.SO_PIN_COUNT_LOW | TokenFlag.SO_PIN_FINAL_TRY
SO_LOCKED: Final = TokenFlag.SO_PIN_LOCKED
SO_TRIES: Final = 10


def counters(desk: Desk) -> TokenFlag:
    """What C_GetTokenInfo says of both PINs, at no cost, to a program that comes now."""
    with desk.crossing():
        flags = desk.client().application.get_token_info(SLOT).flags
    return flags & (LAST | LOCKED | SO_LAST | SO_LOCKED)


async def guess(desk: Desk, application: FobApplication, session: int, user: Cku, *answers: Ckr) -> None:
    """Wrong PINs, one round trip each."""
    for ckr in answers:
        with desk.crossing(C_LOGIN=1), refused(ckr):
            await application.login(session, user, WRONG_PIN)


@pytest.mark.clause("P8")
@pytest.mark.parametrize("restarts", [False, True])
async def test_three_wrong_pins_lock(desk: Desk, client: Client, restarts: bool) -> None:
    session, application = client.session(), client.application
    for ckr, flags in (
        (Ckr.PIN_INCORRECT, LOW),
        (Ckr.PIN_INCORRECT, LAST),
        (Ckr.PIN_INCORRECT, LOCKED),
        (Ckr.PIN_LOCKED, LOCKED),
    ):
        await guess(desk, application, session, Cku.USER, ckr)
        assert counters(desk) == flags
        if restarts:
            desk.restart_phone()
            assert counters(desk) == flags
    with desk.crossing(C_LOGIN=1), refused(Ckr.PIN_LOCKED):
        await application.login(session, Cku.USER, USER_PIN)
    assert application.get_session_info(session).state == Cks.RW_PUBLIC_SESSION


@pytest.mark.clause("P8")
async def test_the_security_officer_unlocks(desk: Desk, client: Client) -> None:
    session, application = client.session(), client.application
    await guess(desk, application, session, Cku.USER, *[Ckr.PIN_INCORRECT] * 3)
    await application.login(session, Cku.SO, SO_PIN)
    assert counters(desk) == LOCKED, "the officer's PIN says nothing of the user's"
    with desk.crossing(C_INITPIN=1):
        await application.init_pin(session, NEW_PIN)
    assert counters(desk) == NOTHING
    await application.logout(session)
    await guess(desk, application, session, Cku.USER, Ckr.PIN_INCORRECT)
    await application.login(session, Cku.USER, NEW_PIN)
    assert counters(desk) == NOTHING
    application.sign_init(session, ECDSA, client.key(session, "ec"))
    assert isinstance(await application.sign(session, bytes(32), ROOM), bytes)


@pytest.mark.parametrize("wrong", [1, 2])
async def test_the_right_pin_gives_all_tries_back(desk: Desk, client: Client, wrong: int) -> None:
    session, application = client.session(), client.application
    for _ in range(2):
        await guess(desk, application, session, Cku.USER, *[Ckr.PIN_INCORRECT] * wrong)
        with desk.crossing(C_LOGIN=1):
            await application.login(session, Cku.USER, USER_PIN)
        assert counters(desk) == NOTHING
        await application.logout(session)


async def test_a_pin_of_an_impossible_length_costs_no_try(desk: Desk, client: Client) -> None:
    session = client.session()
    for pin in (b"", b"123", bytes(65)):
        with desk.crossing(C_LOGIN=1), refused(Ckr.PIN_LEN_RANGE):
            await client.application.login(session, Cku.USER, pin)
    assert counters(desk) == NOTHING


async def test_the_officers_tries_are_counted_apart(desk: Desk, client: Client) -> None:
    session, application = client.session(), client.application
    await guess(desk, application, session, Cku.SO, *[Ckr.PIN_INCORRECT] * (SO_TRIES - 2))
    assert counters(desk) == SO_LOW
    await guess(desk, application, session, Cku.SO, Ckr.PIN_INCORRECT)
    assert counters(desk) == SO_LAST
    await guess(desk, application, session, Cku.SO, Ckr.PIN_INCORRECT)
    assert counters(desk) == SO_LOCKED
    with refused(Ckr.PIN_LOCKED):
        await application.login(session, Cku.SO, SO_PIN)
    await application.login(session, Cku.USER, USER_PIN)
    assert counters(desk) == SO_LOCKED


async def test_a_lock_leaves_the_logins_that_there_are(desk: Desk, client: Client) -> None:
    """Somebody who guesses takes nobody's work away."""
    session = await client.user_session()
    other = desk.client()
    await guess(desk, other.application, other.session(), Cku.USER, *[Ckr.PIN_INCORRECT] * 3)
    client.application.sign_init(session, ECDSA, client.key(session, "ec"))
    assert isinstance(await client.application.sign(session, bytes(32), ROOM), bytes)


# Other calls that take a PIN spend the same tries.


async def test_init_pin_is_for_the_security_officer(client: Client) -> None:
    session = await client.user_session()
    with refused(Ckr.USER_NOT_LOGGED_IN):
        await client.application.init_pin(session, NEW_PIN)


async def test_a_pin_is_changed_in_a_read_write_session(desk: Desk, client: Client) -> None:
    session = client.session()
    with refused(Ckr.SESSION_READ_ONLY):
        await client.application.set_pin(client.session(RO), USER_PIN, NEW_PIN)
    with desk.crossing(C_SETPIN=1):
        await client.application.set_pin(session, USER_PIN, NEW_PIN)
    with refused(Ckr.PIN_INCORRECT):
        await client.application.login(session, Cku.USER, USER_PIN)
    await client.application.login(session, Cku.USER, NEW_PIN)


async def test_a_wrong_old_pin_is_a_try_and_a_right_one_gives_them_back(desk: Desk, client: Client) -> None:
    session = client.session()
    for flags in (LOW, LAST):
        with desk.crossing(C_SETPIN=1), refused(Ckr.PIN_INCORRECT):
            await client.application.set_pin(session, WRONG_PIN, NEW_PIN)
        assert counters(desk) == flags
    with desk.crossing(C_SETPIN=1):
        await client.application.set_pin(session, USER_PIN, NEW_PIN)
    assert counters(desk) == NOTHING


async def test_a_wrong_pin_for_one_key_is_a_try_and_a_right_one_gives_them_back(desk: Desk, client: Client) -> None:
    session, application = await client.user_session(RW), client.application
    _, key = await application.generate_key_pair(
        session, EC_PAIR, {Cka.EC_PARAMS: P256}, {Cka.ALWAYS_AUTHENTICATE: True}
    )
    application.sign_init(session, ECDSA, key)
    await guess(desk, application, session, Cku.CONTEXT_SPECIFIC, Ckr.PIN_INCORRECT, Ckr.PIN_INCORRECT)
    assert counters(desk) == LAST
    with desk.crossing(C_LOGIN=1):
        await application.login(session, Cku.CONTEXT_SPECIFIC, USER_PIN)
    assert counters(desk) == NOTHING
    assert isinstance(await application.sign(session, bytes(32), ROOM), bytes)
    application.sign_init(session, ECDSA, key)
    await guess(desk, application, session, Cku.CONTEXT_SPECIFIC, *[Ckr.PIN_INCORRECT] * 3, Ckr.PIN_LOCKED)
    assert counters(desk) == LOCKED


async def test_a_wrong_officer_pin_empties_no_token(desk: Desk, client: Client) -> None:
    with desk.crossing(C_INITTOKEN=1), refused(Ckr.PIN_INCORRECT):
        await client.application.init_token(SLOT, WRONG_PIN, b"fresh".ljust(32))
    assert counters(desk) == SO_LOW
    assert len(client.find(client.session(RO))) == 3


async def test_the_flags_follow_the_answer_when_the_announcement_is_lost(
    desk: Desk, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A noisy line: +FOBTOKEN is damaged and comes again a second later."""
    monkeypatch.setattr(desk.link, "announce", lambda event: None)
    desk.link.connect()
    session, application = client.session(), client.application
    await guess(desk, application, session, Cku.USER, Ckr.PIN_INCORRECT)
    assert counters(desk) == LOW
    await guess(desk, application, session, Cku.USER, Ckr.PIN_INCORRECT, Ckr.PIN_INCORRECT, Ckr.PIN_LOCKED)
    assert counters(desk) == LOCKED


async def test_what_happened_to_the_pin_while_the_phone_was_away_shows_when_it_is_back(desk: Desk) -> None:
    desk.link.disconnect()
    elsewhere = desk.bench.session()
    for _ in range(3):
        with refused(Ckr.PIN_INCORRECT):
            elsewhere.login(Cku.USER, WRONG_PIN)
    assert counters(desk) == NOTHING
    with desk.crossing():
        desk.link.connect()
        await until(lambda: counters(desk) == LOCKED)
