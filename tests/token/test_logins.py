"""Logins and their tickets."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fob_device.token import limits
from fob_device.token.logins import Login
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Cko, Cku
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.pkcs11.mechanisms import Mechanism
from support.token_bench import SO_PIN, USER_PIN, WRONG_PIN, Bench, make_ec, refused

ECDSA = Mechanism(Ckm.ECDSA)


def ticket_is_good(bench: Bench, login: Login) -> bool:
    session = bench.session()
    try:
        session.resume(login.id, login.ticket)
    except CkrError as error:
        if error.ckr is not Ckr.USER_NOT_LOGGED_IN:
            raise
        return False
    finally:
        session.close()
    return True


def test_a_login_is_seen_by_its_own_session_only(bench: Bench) -> None:
    one, other = bench.session(), bench.session()
    login = one.login(Cku.USER, USER_PIN)
    assert (one.logged_in, other.logged_in) == ({Cku.USER}, set())
    with refused(Ckr.USER_NOT_LOGGED_IN):
        other.logout(login.id)
    one.logout(login.id)
    assert one.logged_in == set()
    with refused(Ckr.USER_NOT_LOGGED_IN):
        one.logout(login.id)


def test_two_applications_of_one_computer_log_in_and_out_by_themselves(bench: Bench) -> None:
    session = bench.session()
    first, second = session.login(Cku.USER, USER_PIN), session.login(Cku.USER, USER_PIN)
    officer = session.login(Cku.SO, SO_PIN)
    assert len({first.id, second.id, officer.id}) == 3
    session.logout(first.id)
    assert session.logged_in == {Cku.USER, Cku.SO}
    session.logout(second.id)
    assert session.logged_in == {Cku.SO}


def test_a_new_login_replaces_an_older_one_of_the_same_user_and_session(bench: Bench) -> None:
    session = bench.session()
    first, officer = session.login(Cku.USER, USER_PIN), session.login(Cku.SO, SO_PIN)
    second = session.login(Cku.USER, USER_PIN, first.id)
    assert session.logged_in == {Cku.USER, Cku.SO}
    assert (ticket_is_good(bench, first), ticket_is_good(bench, second)) == (False, True)
    session.logout(second.id)
    assert session.logged_in == {Cku.SO}
    session.login(Cku.USER, USER_PIN, officer.id)
    assert session.logged_in == {Cku.USER, Cku.SO}, "the officer's login is not the user's to replace"


def test_a_login_replaces_none_of_another_session_and_a_wrong_pin_replaces_nothing(bench: Bench) -> None:
    session, other = bench.session(), bench.session()
    login = session.login(Cku.USER, USER_PIN)
    other.login(Cku.USER, USER_PIN, login.id)
    with refused(Ckr.PIN_INCORRECT):
        session.login(Cku.USER, WRONG_PIN, login.id)
    assert session.logged_in == {Cku.USER}
    assert ticket_is_good(bench, login)


def test_a_ticket_restores_the_login_after_a_restart_without_the_pin(bench: Bench) -> None:
    session = bench.session()
    login = session.login(Cku.USER, USER_PIN)
    _, private = make_ec(session)
    bench.restart()
    later = bench.session()
    with refused(Ckr.USER_NOT_LOGGED_IN):
        later.sign(private.handle, ECDSA, bytes(32))
    later.resume(login.id, login.ticket)
    assert later.logged_in == {Cku.USER}
    assert len(later.sign(private.handle, ECDSA, bytes(32))) == 64
    later.logout(login.id)
    assert not ticket_is_good(bench, login)


def test_a_session_that_ends_leaves_its_ticket_good(bench: Bench) -> None:
    session = bench.session()
    login = session.login(Cku.USER, USER_PIN)
    session.close()
    assert session.logged_in == set()
    assert ticket_is_good(bench, login)


def test_a_ticket_may_be_shown_twice(bench: Bench) -> None:
    session = bench.session()
    login = session.login(Cku.USER, USER_PIN)
    session.resume(login.id, login.ticket)
    session.logout(login.id)
    assert session.logged_in == set()


def test_a_ticket_of_the_so_makes_no_user(bench: Bench) -> None:
    login = bench.session().login(Cku.SO, SO_PIN)
    session = bench.session()
    session.resume(login.id, login.ticket)
    assert session.logged_in == {Cku.SO}


@settings(max_examples=50)
@given(data=st.data())
def test_no_other_octets_are_a_ticket(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    bench = Bench(tmp_path_factory.mktemp("ticket") / "token.db")
    first, second = bench.session().login(Cku.USER, USER_PIN), bench.session().login(Cku.USER, USER_PIN)
    wrong = data.draw(
        st.one_of(
            st.tuples(st.just(first.id), st.binary(max_size=80)),
            st.tuples(st.just(first.id), st.just(second.ticket)),
            st.tuples(st.integers(), st.just(first.ticket)),
        ).filter(lambda pair: pair != (first.id, first.ticket))
    )
    assert not ticket_is_good(bench, Login(*wrong))
    assert ticket_is_good(bench, first)
    bench.token.close()


def test_a_ticket_lives_twelve_hours_by_the_clock(bench: Bench) -> None:
    login = bench.session().login(Cku.USER, USER_PIN)
    start = bench.clock.now
    bench.clock.now = start + 12 * 3600 - 1
    assert ticket_is_good(bench, login)
    bench.clock.now = start + 12 * 3600
    assert not ticket_is_good(bench, login)
    bench.clock.now = start - 1
    assert not ticket_is_good(bench, login), "a clock that was set back makes no ticket eternal"


def test_the_oldest_of_seventeen_tickets_is_dropped(bench: Bench) -> None:
    session = bench.session()
    logins = [session.login(Cku.USER, USER_PIN) for _ in range(limits.TICKET_LIMIT + 1)]
    assert [ticket_is_good(bench, login) for login in logins] == [False] + [True] * limits.TICKET_LIMIT
    assert session.logged_in == {Cku.USER}


def test_a_session_has_a_bounded_number_of_logins(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LOGIN_LIMIT", 3)
    session = bench.session()
    logins = [session.login(Cku.USER, USER_PIN) for _ in range(3)]
    with refused(Ckr.SESSION_COUNT):
        session.login(Cku.USER, USER_PIN)
    with refused(Ckr.SESSION_COUNT):
        session.resume(logins[0].id, logins[0].ticket)
    session.logout(logins[0].id)
    session.login(Cku.USER, USER_PIN)


def test_a_pin_change_ends_tickets_and_the_logins_of_other_computers(bench: Bench) -> None:
    mine, other, officer = bench.session(), bench.session(), bench.session(Cku.SO)
    tickets = [mine.login(Cku.USER, USER_PIN), other.login(Cku.USER, USER_PIN)]
    mine.set_pin(Cku.USER, USER_PIN, b"new-pin")
    assert not any(ticket_is_good(bench, ticket) for ticket in tickets)
    assert (mine.logged_in, other.logged_in, officer.logged_in) == ({Cku.USER}, set(), {Cku.SO})


def test_init_pin_and_init_token_end_tickets_and_logins(bench: Bench) -> None:
    user, officer = bench.session(), bench.session()
    tickets = [user.login(Cku.USER, USER_PIN), officer.login(Cku.SO, SO_PIN)]
    officer.init_pin(USER_PIN)
    assert (user.logged_in, officer.logged_in) == (set(), {Cku.SO})
    assert [ticket_is_good(bench, ticket) for ticket in tickets] == [False, True]
    bench.token.init_token(SO_PIN, "again")
    assert officer.logged_in == set()
    assert not ticket_is_good(bench, tickets[1])


def test_private_session_objects_go_with_the_users_last_login(bench: Bench) -> None:
    session = bench.session()
    login = session.login(Cku.USER, USER_PIN)
    secret = session.create_object({Cka.CLASS: Cko.DATA, Cka.PRIVATE: True, Cka.VALUE: b"secret"})
    public = session.create_object({Cka.CLASS: Cko.DATA, Cka.VALUE: b"public"})
    session.logout(login.id)
    session.login(Cku.USER, USER_PIN)
    with refused(Ckr.OBJECT_HANDLE_INVALID):
        session.read_attribute(secret.handle, Cka.VALUE)
    assert session.read_attribute(public.handle, Cka.VALUE) == b"public"


def test_private_session_objects_do_not_outlive_a_login_that_another_computer_ended(bench: Bench) -> None:
    session = bench.user()
    secret = session.create_object({Cka.CLASS: Cko.DATA, Cka.PRIVATE: True, Cka.VALUE: b"secret"})
    bench.session(Cku.SO).init_pin(USER_PIN)
    with refused(Ckr.USER_NOT_LOGGED_IN):
        session.read_attribute(secret.handle, Cka.VALUE)
    session.login(Cku.USER, USER_PIN)
    with refused(Ckr.OBJECT_HANDLE_INVALID):
        session.read_attribute(secret.handle, Cka.VALUE)


def test_a_key_that_asks_every_time_gets_one_use_per_pin(bench: Bench) -> None:
    session = bench.user()
    _, private = make_ec(session, ALWAYS_AUTHENTICATE=True)
    _, plain = make_ec(session)
    with refused(Ckr.USER_NOT_LOGGED_IN):
        session.sign(private.handle, ECDSA, bytes(32))
    session.authorize_key(private.handle, USER_PIN)
    with refused(Ckr.MECHANISM_INVALID):
        session.sign(private.handle, Mechanism(0x7FFF), bytes(32))
    session.sign(plain.handle, ECDSA, bytes(32))
    session.sign(private.handle, ECDSA, bytes(32))
    with refused(Ckr.USER_NOT_LOGGED_IN):
        session.sign(private.handle, ECDSA, bytes(32))


def test_the_pin_for_one_use_counts_tries_and_is_for_that_key_of_that_session(bench: Bench) -> None:
    session, other = bench.user(), bench.user()
    _, private = make_ec(session, ALWAYS_AUTHENTICATE=True)
    _, plain = make_ec(session)
    with refused(Ckr.OPERATION_NOT_INITIALIZED):
        session.authorize_key(plain.handle, USER_PIN)
    for handle in (999, plain.handle - 1):
        with refused(Ckr.KEY_HANDLE_INVALID):
            session.authorize_key(handle, USER_PIN)
    with refused(Ckr.USER_NOT_LOGGED_IN):
        bench.session().authorize_key(private.handle, USER_PIN)
    session.authorize_key(private.handle, USER_PIN)
    with refused(Ckr.USER_NOT_LOGGED_IN):
        other.sign(private.handle, ECDSA, bytes(32))
    for _ in range(3):
        with refused(Ckr.PIN_INCORRECT):
            session.authorize_key(private.handle, WRONG_PIN)
    with refused(Ckr.PIN_LOCKED):
        session.authorize_key(private.handle, USER_PIN)
