"""Objects: made, copied, changed, destroyed, read; and who may do so."""

import pytest

from fob_device.token import limits
from fob_protocol.pkcs11.attributes import Attributes
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Cko, Cku
from fob_protocol.pkcs11.mechanisms import Mechanism
from support.token_bench import EC_PAIR, P256, Bench, data_template, make_ec, refused

ECDSA = Mechanism(Ckm.ECDSA)


def listed(bench: Bench) -> list[int]:
    return [view.handle for view in bench.token.changes_since(0, limit_bytes=1 << 24).objects]


def test_a_data_object_has_what_its_template_says_and_defaults_for_the_rest(bench: Bench) -> None:
    view = bench.user().create_object(data_template(b"value"))
    assert view.attributes == {
        Cka.CLASS: Cko.DATA,
        Cka.TOKEN: True,
        Cka.PRIVATE: False,
        Cka.MODIFIABLE: True,
        Cka.COPYABLE: True,
        Cka.LABEL: b"",
        Cka.APPLICATION: b"",
        Cka.OBJECT_ID: b"",
        Cka.VALUE: b"value",
    }


@pytest.mark.clause("P10")
def test_a_private_value_is_listed_without_itself_and_read_by_the_user_only(bench: Bench) -> None:
    session = bench.user()
    view = session.create_object(data_template(b"disk key", PRIVATE=True))
    assert Cka.VALUE not in view.attributes
    (shown,) = bench.token.changes_since(0, limit_bytes=1000).objects
    assert shown == view
    assert b"disk key" not in shown.attributes.values()
    bench.restart()
    assert bench.user().read_attribute(view.handle, Cka.VALUE) == b"disk key"
    for stranger in (bench.session(), bench.session(Cku.SO)):
        with refused(Ckr.USER_NOT_LOGGED_IN):
            stranger.read_attribute(view.handle, Cka.VALUE)
        assert stranger.attributes(view.handle) == view.attributes


def test_what_can_be_read_one_by_one(bench: Bench) -> None:
    session = bench.user()
    view = session.create_object(data_template(b"value") | {Cka.LABEL: b"label"})
    _, private = make_ec(session)
    assert session.read_attribute(view.handle, Cka.VALUE) == b"value"
    assert session.read_attribute(view.handle, Cka.LABEL) == b"label"
    for attribute in (Cka.TOKEN, Cka.CLASS, Cka.MODULUS, 0x80000001):
        with refused(Ckr.ATTRIBUTE_TYPE_INVALID):
            session.read_attribute(view.handle, attribute)
    with refused(Ckr.OBJECT_HANDLE_INVALID):
        session.read_attribute(999, Cka.VALUE)
    with refused(Ckr.ATTRIBUTE_SENSITIVE):
        session.read_attribute(private.handle, Cka.VALUE)
    assert session.read_attribute(private.handle, Cka.EC_PARAMS) == P256


def test_who_may_write(bench: Bench) -> None:
    nobody, user, officer = bench.session(), bench.user(), bench.session(Cku.SO)
    public = officer.create_object(data_template())
    user.set_attributes(public.handle, {Cka.LABEL: b"by the user"})
    private = user.create_object(data_template(PRIVATE=True))
    for session in (nobody, officer):
        with refused(Ckr.USER_NOT_LOGGED_IN):
            session.create_object(data_template(PRIVATE=True))
        with refused(Ckr.USER_NOT_LOGGED_IN):
            session.set_attributes(private.handle, {Cka.LABEL: b"x"})
        with refused(Ckr.USER_NOT_LOGGED_IN):
            session.copy_object(private.handle, {})
        with refused(Ckr.USER_NOT_LOGGED_IN):
            session.destroy_object(private.handle)
    with refused(Ckr.USER_NOT_LOGGED_IN):
        nobody.create_object(data_template())
    with refused(Ckr.USER_NOT_LOGGED_IN):
        nobody.set_attributes(public.handle, {Cka.LABEL: b"x"})
    with refused(Ckr.USER_NOT_LOGGED_IN):
        nobody.destroy_object(public.handle)
    officer.destroy_object(public.handle)


def test_session_objects_are_of_one_session_and_end_with_it(bench: Bench) -> None:
    session, other = bench.user(), bench.user()
    view = session.create_object({Cka.CLASS: Cko.DATA, Cka.VALUE: b"mine"})
    public, private = session.generate_key_pair(EC_PAIR, {Cka.EC_PARAMS: P256}, {})
    assert view.handle >= limits.SESSION_HANDLE_BASE
    assert view.generation == 0
    assert (listed(bench), bench.token.generation) == ([], 0)
    assert len(session.sign(private.handle, ECDSA, bytes(32))) == 64
    for handle in (view.handle, public.handle, private.handle):
        with refused(Ckr.KEY_HANDLE_INVALID):
            other.sign(handle, ECDSA, bytes(32))
        with refused(Ckr.OBJECT_HANDLE_INVALID):
            other.read_attribute(handle, Cka.LABEL)
    foreign = other.create_object({Cka.CLASS: Cko.DATA})
    assert foreign.handle not in (view.handle, public.handle, private.handle)
    session.close()
    with refused(Ckr.OBJECT_HANDLE_INVALID):
        session.read_attribute(view.handle, Cka.VALUE)


def test_session_objects_are_changed_and_destroyed_like_others(bench: Bench) -> None:
    session = bench.user()
    view = session.create_object({Cka.CLASS: Cko.DATA, Cka.VALUE: b"old", Cka.PRIVATE: True})
    assert session.set_attributes(view.handle, {Cka.VALUE: b"new"}).generation == 0
    assert session.read_attribute(view.handle, Cka.VALUE) == b"new"
    session.destroy_object(view.handle)
    with refused(Ckr.OBJECT_HANDLE_INVALID):
        session.destroy_object(view.handle)


def test_a_caller_that_changes_a_view_changes_nothing_else(bench: Bench) -> None:
    session = bench.user()
    view = session.create_object({Cka.CLASS: Cko.DATA, Cka.VALUE: b"old"})
    view.attributes[Cka.VALUE] = b"tampered"
    session.attributes(view.handle)[Cka.VALUE] = b"tampered"
    assert session.read_attribute(view.handle, Cka.VALUE) == b"old"


def test_a_session_key_becomes_a_token_key_by_copying(bench: Bench) -> None:
    """What Java's key store does with every key that it stores."""
    session = bench.user()
    _, private = session.generate_key_pair(EC_PAIR, {Cka.EC_PARAMS: P256}, {})
    copy = session.copy_object(private.handle, {Cka.TOKEN: True, Cka.ID: b"id", Cka.LABEL: b"label"})
    changed = {Cka.TOKEN: True, Cka.ID: b"id", Cka.LABEL: b"label"}
    assert copy.attributes == private.attributes | changed
    bench.restart()
    assert len(bench.user().sign(copy.handle, ECDSA, bytes(32))) == 64


def test_a_copy_may_become_private_and_never_public(bench: Bench) -> None:
    session = bench.user()
    public = session.create_object(data_template(b"value"))
    private = session.copy_object(public.handle, {Cka.PRIVATE: True})
    assert Cka.VALUE not in private.attributes
    assert session.read_attribute(private.handle, Cka.VALUE) == b"value"
    again = session.copy_object(private.handle, {Cka.VALUE: b"other"})
    assert session.read_attribute(again.handle, Cka.VALUE) == b"other"
    assert session.read_attribute(private.handle, Cka.VALUE) == b"value"
    with refused(Ckr.ATTRIBUTE_READ_ONLY):
        session.copy_object(private.handle, {Cka.PRIVATE: False})
    with refused(Ckr.OBJECT_HANDLE_INVALID):
        session.copy_object(999, {})


def test_what_is_not_copyable_or_modifiable_stays_as_it_is(bench: Bench) -> None:
    session = bench.user()
    view = session.create_object(data_template())
    with refused(Ckr.ATTRIBUTE_READ_ONLY):
        session.set_attributes(view.handle, {Cka.MODIFIABLE: False})
    session.set_attributes(view.handle, {Cka.COPYABLE: False})
    with refused(Ckr.ACTION_PROHIBITED):
        session.copy_object(view.handle, {})
    with refused(Ckr.ATTRIBUTE_READ_ONLY):
        session.set_attributes(view.handle, {Cka.COPYABLE: True})
    fixed = session.create_object(data_template(MODIFIABLE=False))
    with refused(Ckr.ACTION_PROHIBITED):
        session.set_attributes(fixed.handle, {Cka.LABEL: b"x"})
    loose = session.copy_object(fixed.handle, {Cka.MODIFIABLE: True})
    session.set_attributes(loose.handle, {Cka.LABEL: b"x"})


@pytest.mark.parametrize(
    ("change", "ckr"),
    [
        ({Cka.CLASS: Cko.DATA}, Ckr.ATTRIBUTE_READ_ONLY),
        ({Cka.KEY_TYPE: 0}, Ckr.ATTRIBUTE_READ_ONLY),
        ({Cka.TOKEN: False}, Ckr.ATTRIBUTE_READ_ONLY),
        ({Cka.PRIVATE: True}, Ckr.ATTRIBUTE_READ_ONLY),
        ({Cka.SENSITIVE: False}, Ckr.ATTRIBUTE_READ_ONLY),
        ({Cka.EXTRACTABLE: True}, Ckr.ATTRIBUTE_READ_ONLY),
        ({Cka.ALWAYS_SENSITIVE: True}, Ckr.ATTRIBUTE_READ_ONLY),
        ({Cka.ALWAYS_AUTHENTICATE: False}, Ckr.ATTRIBUTE_READ_ONLY),
        ({Cka.ALLOWED_MECHANISMS: ()}, Ckr.ATTRIBUTE_READ_ONLY),
        ({Cka.EC_PARAMS: P256}, Ckr.ATTRIBUTE_READ_ONLY),
        ({Cka.VALUE: b"\x01"}, Ckr.ATTRIBUTE_READ_ONLY),
        ({Cka.MODULUS: b"\x01"}, Ckr.ATTRIBUTE_TYPE_INVALID),
        ({0x80000001: b""}, Ckr.ATTRIBUTE_TYPE_INVALID),
        ({Cka.LABEL: True}, Ckr.ATTRIBUTE_VALUE_INVALID),
        ({Cka.START_DATE: b"20240230"}, Ckr.ATTRIBUTE_VALUE_INVALID),
    ],
)
def test_what_cannot_be_changed_of_a_private_key(bench: Bench, change: Attributes, ckr: Ckr) -> None:
    session = bench.user()
    _, private = make_ec(session)
    with refused(ckr):
        session.set_attributes(private.handle, {Cka.LABEL: b"new"} | change)
    assert session.attributes(private.handle) == private.attributes


def test_a_changed_key_still_signs_and_obeys_at_once(bench: Bench) -> None:
    session, other = bench.user(), bench.user()
    _, private = make_ec(session)
    other.sign(private.handle, ECDSA, bytes(32))
    change: Attributes = {
        Cka.LABEL: b"label",
        Cka.SUBJECT: b"subject",
        Cka.START_DATE: b"20240229",
        Cka.SENSITIVE: True,
    }
    view = session.set_attributes(private.handle, change)
    assert view.attributes == private.attributes | change
    bench.restart()
    session, other = bench.user(), bench.user()
    other.sign(private.handle, ECDSA, bytes(32))
    session.set_attributes(private.handle, {Cka.SIGN: False})
    with refused(Ckr.KEY_FUNCTION_NOT_PERMITTED):
        other.sign(private.handle, ECDSA, bytes(32))


def test_a_destroyed_key_signs_no_more_in_any_session(bench: Bench) -> None:
    session, other = bench.user(), bench.user()
    _, private = make_ec(session)
    other.sign(private.handle, ECDSA, bytes(32))
    session.destroy_object(private.handle)
    with refused(Ckr.KEY_HANDLE_INVALID):
        other.sign(private.handle, ECDSA, bytes(32))
    assert all(private.handle not in login.keys for login in bench.token._logins._live)


def test_init_token_destroys_everything_but_the_serial_number_and_the_so_pin(bench: Bench) -> None:
    session = bench.user()
    make_ec(session)
    serial, generation = bench.token.info().serial, bench.token.generation
    with refused(Ckr.PIN_INCORRECT):
        bench.token.init_token(b"wrong-pin", "new")
    assert len(listed(bench)) == 2
    bench.token.init_token(b"so-pin-87654321", "new")
    assert (bench.token.info().label, bench.token.info().serial) == ("new", serial)
    assert listed(bench) == []
    assert session.logged_in == set()
    assert bench.token.generation == generation + 2
    assert bench.token.changes_since(generation, limit_bytes=1000).deleted == [1, 2]
    with refused(Ckr.USER_PIN_NOT_INITIALIZED):
        session.login(Cku.USER, b"user-pin-1234")
    session.login(Cku.SO, b"so-pin-87654321")


@pytest.mark.clause("P2")
@pytest.mark.parametrize("count", [0, 1, 65_536])
def test_random_octets_come_as_many_as_asked(bench: Bench, count: int) -> None:
    assert len(bench.session().generate_random(count)) == count


@pytest.mark.parametrize("count", [-1, 65_537, 1 << 40])
def test_too_many_random_octets_are_refused(bench: Bench, count: int) -> None:
    with refused(Ckr.ARGUMENTS_BAD):
        bench.session().generate_random(count)


def test_bounds_of_memory_hold(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "OBJECT_LIMIT", 2)
    monkeypatch.setattr(limits, "SESSION_OBJECT_LIMIT", 2)
    session = bench.user()
    session_template: Attributes = {Cka.CLASS: Cko.DATA}
    for template in (data_template(), session_template):
        first, _ = session.create_object(template), session.create_object(template)
        with refused(Ckr.DEVICE_MEMORY):
            session.create_object(template)
        with refused(Ckr.DEVICE_MEMORY):
            session.copy_object(first.handle, {})
        session.destroy_object(first.handle)
        session.create_object(template)
    with refused(Ckr.ATTRIBUTE_VALUE_INVALID):
        session.create_object(data_template(bytes(limits.VALUE_LIMIT + 1)))


def test_handles_of_the_token_never_reach_those_of_sessions(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SESSION_HANDLE_BASE", 3)
    session = bench.user()
    for _ in range(2):
        session.create_object(data_template())
    with refused(Ckr.DEVICE_MEMORY):
        session.create_object(data_template())
