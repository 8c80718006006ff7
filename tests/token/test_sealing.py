"""Secrets at rest: what a thief of the file, or somebody who writes into it, can do with it."""

import sqlite3
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from fob_device.memory import Memory
from fob_device.store.errors import TokenFileError
from fob_device.token.sealing import SealBrokenError, binding, seal, unseal
from fob_device.token.token import TokenSession
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Ckk, Cko, Cku
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.pkcs11.mechanisms import Mechanism
from support.octets import octet_flips
from support.token_bench import P256, ROOT_KEY, SO_PIN, USER_PIN, Bench, data_template, make_ec, refused

ECDSA = Mechanism(Ckm.ECDSA)


def alter(bench: Bench, statement: str, *parameters: object) -> None:
    """Somebody writes into the file while the phone is off, which is switched on again."""
    bench.alter(statement, *parameters)
    bench.restart()


def column(bench: Bench, query: str) -> bytes:
    bench.token.close()
    connection = sqlite3.connect(bench.path)
    (value,) = connection.execute(query).fetchone()
    connection.close()
    bench.restart()
    assert isinstance(value, bytes)
    return value


def test_every_flipped_octet_of_a_sealed_key_is_noticed(bench: Bench) -> None:
    _, private = make_ec(bench.user())
    sealed = column(bench, "SELECT sealed FROM object WHERE sealed IS NOT NULL")
    for damaged in octet_flips(sealed):
        alter(bench, "UPDATE object SET sealed = ? WHERE handle = ?", damaged, private.handle)
        with refused(Ckr.DEVICE_ERROR):
            bench.user().sign(private.handle, ECDSA, bytes(32))
    alter(bench, "UPDATE object SET sealed = ? WHERE handle = ?", sealed, private.handle)
    assert len(bench.user().sign(private.handle, ECDSA, bytes(32))) == 64


def test_a_missing_or_shortened_secret_is_noticed(bench: Bench) -> None:
    _, private = make_ec(bench.user())
    for damaged in (None, b"", bytes(5), bytes(12), bytes(28)):
        alter(bench, "UPDATE object SET sealed = ? WHERE handle = ?", damaged, private.handle)
        with refused(Ckr.DEVICE_ERROR):
            bench.user().sign(private.handle, ECDSA, bytes(32))


def test_every_flipped_octet_of_the_attributes_of_a_key_is_noticed(bench: Bench) -> None:
    """Also the one that would say that the key needs no PIN for each use."""
    _, private = make_ec(bench.user(), ALWAYS_AUTHENTICATE=True)
    attributes = column(bench, "SELECT attributes FROM object ORDER BY handle DESC LIMIT 1")
    for damaged in octet_flips(attributes):
        alter(bench, "UPDATE object SET attributes = ? WHERE handle = ?", damaged, private.handle)
        session = bench.user()
        with pytest.raises(CkrError):
            session.sign(private.handle, ECDSA, bytes(32))


def test_every_flipped_octet_of_a_private_value_is_noticed(bench: Bench) -> None:
    view = bench.user().create_object(data_template(b"my secret", PRIVATE=True))
    for damaged in octet_flips(column(bench, "SELECT sealed FROM object")):
        alter(bench, "UPDATE object SET sealed = ? WHERE handle = ?", damaged, view.handle)
        with refused(Ckr.DEVICE_ERROR):
            bench.user().read_attribute(view.handle, Cka.VALUE)


def test_secrets_that_changed_places_do_not_open(bench: Bench) -> None:
    session = bench.user()
    (_, first), (_, second) = make_ec(session), make_ec(session)
    alter(
        bench,
        "UPDATE object SET sealed = (SELECT other.sealed FROM object AS other WHERE other.handle = ?) WHERE handle = ?",
        first.handle,
        second.handle,
    )
    session = bench.user()
    session.sign(first.handle, ECDSA, bytes(32))
    with refused(Ckr.DEVICE_ERROR):
        session.sign(second.handle, ECDSA, bytes(32))


def test_a_whole_row_under_another_handle_does_not_open(bench: Bench) -> None:
    _, private = make_ec(bench.user())
    alter(bench, "UPDATE object SET handle = 77 WHERE handle = ?", private.handle)
    with refused(Ckr.DEVICE_ERROR):
        bench.user().sign(77, ECDSA, bytes(32))


def test_every_flipped_octet_of_a_wrapped_master_key_is_noticed(bench: Bench) -> None:
    wrapped = column(bench, "SELECT wrapped_master FROM pin WHERE user = 1")
    for damaged in octet_flips(wrapped):
        with pytest.raises(TokenFileError, match="the record of the user's PIN, with the tries left, was altered"):
            alter(bench, "UPDATE pin SET wrapped_master = ? WHERE user = ?", damaged, int(Cku.USER))
    alter(bench, "UPDATE pin SET wrapped_master = ? WHERE user = ?", wrapped, int(Cku.USER))
    bench.user()


@pytest.mark.parametrize(
    ("whose", "change"),
    [
        ("the user's", "UPDATE pin SET tries_left = 3 WHERE user = 1"),
        ("the user's", "UPDATE pin SET tries_left = 1000000 WHERE user = 1"),
        ("the user's", "UPDATE pin SET tries_left = 0 WHERE user = 1"),
        ("the security officer's", "UPDATE pin SET tries_left = 11 WHERE user = 0"),
        ("the security officer's", "UPDATE pin SET memory_kib = 1 << 40 WHERE user = 0"),
        ("the user's", "UPDATE pin SET iterations = iterations + 1 WHERE user = 1"),
        ("the user's", "UPDATE pin SET lanes = lanes + 1 WHERE user = 1"),
        ("the user's", "UPDATE pin SET seal = x'' WHERE user = 1"),
        ("the user's", "UPDATE pin SET (tries_left, seal) = (SELECT tries_left, seal FROM pin WHERE user = 0)"
         " WHERE user = 1"),
        ("the user's", "UPDATE pin SET (salt, wrapped_master) = (SELECT salt, wrapped_master FROM pin WHERE user = 0)"
         " WHERE user = 1"),
    ],
)  # fmt: skip
def test_whoever_writes_into_a_pin_s_record_gains_no_try(bench: Bench, whose: str, change: str) -> None:
    with refused(Ckr.PIN_INCORRECT):
        bench.session().login(Cku.USER, SO_PIN)
    with pytest.raises(TokenFileError, match=f"the record of {whose} PIN, with the tries left, was altered"):
        alter(bench, change)


def test_a_pin_s_record_that_is_altered_while_the_phone_runs_is_refused_and_costs_nothing(bench: Bench) -> None:
    with bench.token._database.transaction() as connection:
        connection.execute("UPDATE pin SET tries_left = 2 WHERE user = 1")
    for look in (lambda: bench.token.tries_left(Cku.USER), lambda: bench.session().login(Cku.USER, USER_PIN)):
        with refused(Ckr.DEVICE_ERROR):
            look()
    [(tries,)] = bench.token._database.read(
        lambda connection: connection.execute("SELECT tries_left FROM pin WHERE user = 1").fetchall()
    )
    assert tries == 2


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE ticket SET created = created + 1",
        "UPDATE ticket SET user = 0",
        "UPDATE ticket SET login = login + 1",
    ],
)
def test_a_ticket_row_that_was_altered_opens_nothing(bench: Bench, change: str) -> None:
    login = bench.session().login(Cku.USER, USER_PIN)
    bench.clock.now += 10
    alter(bench, change)
    for number in (login.id, login.id + 1):
        with refused(Ckr.USER_NOT_LOGGED_IN):
            bench.session().resume(number, login.ticket)


def import_known_key(session: TokenSession, scalar: bytes) -> None:
    session.create_object(
        {
            Cka.CLASS: Cko.PRIVATE_KEY,
            Cka.KEY_TYPE: Ckk.EC,
            Cka.TOKEN: True,
            Cka.EC_PARAMS: P256,
            Cka.VALUE: scalar,
        }
    )


def test_the_file_holds_no_key_no_private_value_no_pin_and_no_ticket(bench: Bench) -> None:
    scalar = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value.to_bytes(32)
    session = bench.session()
    login = session.login(Cku.USER, USER_PIN)
    import_known_key(session, scalar)
    value = session.create_object(data_template(b"the private value itself", PRIVATE=True))
    session.set_attributes(value.handle, {Cka.VALUE: b"another private value"})
    bench.token.close()
    stored = b"".join(file.read_bytes() for file in bench.path.parent.iterdir())
    secrets = (scalar, b"the private value", b"another private value", USER_PIN, SO_PIN, login.ticket, ROOT_KEY)
    for secret in secrets:
        assert secret not in stored
        assert secret.hex().encode() not in stored
    bench.restart()


def test_a_destroyed_object_leaves_nothing_in_the_file(bench: Bench) -> None:
    session = bench.user()
    view = session.create_object(data_template(b"a public value that is remembered" * 20))
    assert b"is remembered" in bench.path.read_bytes()
    session.destroy_object(view.handle)
    bench.token.close()
    assert b"is remembered" not in b"".join(file.read_bytes() for file in bench.path.parent.iterdir())
    bench.restart()


def test_the_file_without_its_device_root_key_is_refused_before_a_try_is_spent(bench: Bench) -> None:
    bench.token.close()
    with pytest.raises(TokenFileError, match="another device"):
        Memory.open(bench.path, root_key=bytes(32), random=bench.random, clock=bench.clock)
    bench.restart()
    bench.session().login(Cku.USER, USER_PIN)


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_a_root_key_of_another_size_is_refused(bench: Bench, size: int, tmp_path: Path) -> None:
    bench.token.close()
    with pytest.raises(ValueError, match="32 octets"):
        Memory.open(bench.path, root_key=bytes(size), random=bench.random, clock=bench.clock)
    bench.restart()
    with pytest.raises(ValueError, match="32 octets"):
        Memory.create(
            tmp_path / "no.db",
            root_key=bytes(size),
            label="no",
            so_pin=SO_PIN,
            user_pin=None,
            random=bench.random,
            clock=bench.clock,
        )


@given(st.lists(st.binary(max_size=6)), st.lists(st.binary(max_size=6)))
def test_two_lists_of_parts_never_bind_alike(one: list[bytes], other: list[bytes]) -> None:
    assert (binding(*one) == binding(*other)) == (one == other)


@given(secret=st.binary(max_size=100), place=st.binary(max_size=20), elsewhere=st.binary(max_size=20))
def test_a_seal_opens_in_its_place_and_nowhere_else(secret: bytes, place: bytes, elsewhere: bytes) -> None:
    sealed = seal(bytes(32), secret, place, bytes)
    assert unseal(bytes(32), sealed, place) == secret
    if place != elsewhere:
        with pytest.raises(SealBrokenError):
            unseal(bytes(32), sealed, elsewhere)
    with pytest.raises(SealBrokenError):
        unseal(bytes([1]) * 32, sealed, place)


def test_nothing_secret_is_in_a_repr_or_in_a_refusal(bench: Bench) -> None:
    session = bench.session()
    login = session.login(Cku.USER, USER_PIN)
    root = bench.token._root
    logins = list(bench.token._logins._live)
    row = bench.token._pins.wrap(Cku.USER, USER_PIN, logins[0].master_key)
    shown = repr((login, root, logins, row))
    for secret in (login.ticket, ROOT_KEY, logins[0].master_key, row.wrapped_master, USER_PIN):
        assert repr(secret)[2:-1] not in shown
