"""Objects that programs make, change and destroy: on the phone with one request, on the PC with none."""

import asyncio
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cryptoki.desk import RO, ROOM, SLOT, Client, Desk
from fob_daemon.cryptoki.limits import SESSION_OBJECTS_LIMIT, SESSIONS_LIMIT
from fob_protocol.at.answer import Event
from fob_protocol.catalogue import EVENT_GENERATION
from fob_protocol.pkcs11.attributes import Attributes
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Ckk, Cko, Cku
from fob_protocol.pkcs11.mechanisms import Mechanism
from support.token_bench import EC_PAIR, P256, SO_PIN, USER_PIN, data_template, refused

PUBLIC: Attributes = {Cka.EC_PARAMS: P256}
TOKEN: Attributes = {Cka.TOKEN: True}


def public_template() -> Attributes:
    """Somebody else's P-256 key."""
    point = ec.derive_private_key(7, ec.SECP256R1()).public_key()
    octets = point.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return {
        Cka.CLASS: Cko.PUBLIC_KEY,
        Cka.KEY_TYPE: Ckk.EC,
        Cka.EC_PARAMS: P256,
        Cka.EC_POINT: b"\x04\x41" + octets,
    }


@pytest.mark.clause("P2", "P9")
async def test_a_key_pair_is_one_request_and_listed_without_another(desk: Desk, client: Client) -> None:
    session = await client.user_session()
    with desk.crossing(C_GENKEYPAIR=1):
        pair = await client.application.generate_key_pair(session, EC_PAIR, PUBLIC | TOKEN, {**TOKEN, Cka.ID: b"new"})
        assert set(pair) <= set(client.find(session))
        await desk.slot.idle()
    other = desk.client()
    with desk.crossing(C_LOGIN=1):
        assert len(other.find(await other.user_session())) == 8


async def test_objects_on_the_phone_are_one_request_each(desk: Desk, client: Client) -> None:
    session, application = await client.user_session(), client.application
    with desk.crossing(C_CREATEOBJECT=1):
        note = await application.create_object(session, data_template(b"note"))
    with desk.crossing(C_SETATTRVALUE=1):
        await application.set_attribute_values(session, note, {Cka.LABEL: b"mine"})
    with desk.crossing(C_COPYOBJECT=1):
        copy = await application.copy_object(session, note, {Cka.LABEL: b"copy"})
    with desk.crossing():
        assert await application.get_attribute_values(session, note, [Cka.LABEL, Cka.VALUE]) == [b"mine", b"note"]
        assert await application.get_attribute_values(session, copy, [Cka.LABEL, Cka.VALUE]) == [b"copy", b"note"]
        assert client.find(session, CLASS=int(Cko.DATA)) == [note, copy]
    with desk.crossing(C_DESTROYOBJECT=1):
        await application.destroy_object(session, note)
    with desk.crossing(), refused(Ckr.OBJECT_HANDLE_INVALID):
        await application.get_attribute_values(session, note, [Cka.LABEL])
    await desk.slot.idle()
    assert desk.slot.cache.generation == desk.bench.token.generation


async def test_a_read_only_session_changes_no_token_object(desk: Desk, client: Client) -> None:
    session, application = await client.user_session(RO), client.application
    public = client.public(session, "ec")
    with desk.crossing():
        for call in (
            application.create_object(session, data_template()),
            application.destroy_object(session, public),
            application.copy_object(session, public, {}),
            application.set_attribute_values(session, public, {Cka.LABEL: b"x"}),
            application.generate_key_pair(session, EC_PAIR, PUBLIC, TOKEN),
        ):
            with refused(Ckr.SESSION_READ_ONLY):
                await call


async def test_private_objects_need_the_login(desk: Desk, client: Client) -> None:
    session, application = client.session(), client.application
    with desk.crossing():
        for call in (
            application.create_object(session, data_template(PRIVATE=True)),
            application.create_object(session, {Cka.CLASS: Cko.DATA, Cka.PRIVATE: True}),
            application.generate_key_pair(session, EC_PAIR, PUBLIC | TOKEN, TOKEN),
        ):
            with refused(Ckr.USER_NOT_LOGGED_IN):
                await call


async def test_the_phones_refusal_reaches_the_program(client: Client) -> None:
    session = await client.user_session()
    with refused(Ckr.ATTRIBUTE_READ_ONLY):
        await client.application.set_attribute_values(session, client.public(session, "ec"), {Cka.LOCAL: False})
    with refused(Ckr.CURVE_NOT_SUPPORTED):
        await client.application.generate_key_pair(session, EC_PAIR, {Cka.EC_PARAMS: b"\x06\x01\x00"}, {})


# Session objects of the PC.


async def test_a_public_key_of_the_session_verifies_on_the_pc(desk: Desk, client: Client) -> None:
    session, application = client.session(RO), client.application
    with desk.crossing():
        key = await application.create_object(session, public_template())
        values = await application.get_attribute_values(session, key, [Cka.TOKEN, Cka.VERIFY, Cka.EC_POINT])
        assert values == [False, True, public_template()[Cka.EC_POINT]]
        assert client.find(session, TOKEN=False) == [key]
        application.verify_init(session, Mechanism(Ckm.ECDSA_SHA256), key)
        with refused(Ckr.SIGNATURE_INVALID):
            await application.verify(session, b"message", b"\1" * 64)
        await application.set_attribute_values(session, key, {Cka.LABEL: b"theirs"})
        copy = await application.copy_object(session, key, {Cka.VERIFY: False})
        assert client.find(session, LABEL=b"theirs") == [key, copy]
        with refused(Ckr.KEY_FUNCTION_NOT_PERMITTED):
            application.verify_init(session, Mechanism(Ckm.ECDSA), copy)
        await application.destroy_object(session, key)
        with refused(Ckr.KEY_HANDLE_INVALID):
            application.verify_init(session, Mechanism(Ckm.ECDSA), key)


async def test_a_session_object_goes_to_the_phone_as_a_copy(desk: Desk, client: Client) -> None:
    session = await client.user_session()
    key = await client.application.create_object(session, public_template())
    with desk.crossing(C_CREATEOBJECT=1):
        kept = await client.application.copy_object(session, key, {Cka.TOKEN: True, Cka.LABEL: b"kept"})
    client.application.close_session(session)
    assert client.find(client.session(), LABEL=b"kept") == [kept]


async def test_session_objects_go_with_their_session(client: Client) -> None:
    one, two = client.session(), client.session()
    first = await client.application.create_object(one, public_template())
    second = await client.application.create_object(two, {Cka.CLASS: Cko.DATA, Cka.VALUE: b"data"})
    assert client.find(two, TOKEN=False) == [first, second]
    client.application.close_session(one)
    assert client.find(two, TOKEN=False) == [second]


async def test_private_session_objects_go_with_the_logout(client: Client) -> None:
    session = await client.user_session()
    private: Attributes = {Cka.CLASS: Cko.DATA, Cka.PRIVATE: True, Cka.VALUE: b"secret"}
    handle = await client.application.create_object(session, private)
    await client.application.logout(session)
    await client.application.login(session, Cku.USER, b"user-pin-1234")
    with refused(Ckr.OBJECT_HANDLE_INVALID):
        await client.application.get_attribute_values(session, handle, [Cka.VALUE])


@pytest.mark.parametrize(
    ("template", "ckr"),
    [
        ({}, Ckr.TEMPLATE_INCOMPLETE),
        ({Cka.CLASS: Cko.PUBLIC_KEY}, Ckr.TEMPLATE_INCOMPLETE),
        ({Cka.CLASS: Cko.PUBLIC_KEY, Cka.KEY_TYPE: Ckk.EC, Cka.EC_PARAMS: P256}, Ckr.TEMPLATE_INCOMPLETE),
        ({Cka.CLASS: Cko.PUBLIC_KEY, Cka.KEY_TYPE: Ckk.DSA}, Ckr.ATTRIBUTE_VALUE_INVALID),
        ({Cka.CLASS: 77}, Ckr.ATTRIBUTE_VALUE_INVALID),
        (public_template() | {Cka.EC_POINT: b"\x04\x02\x04\x04"}, Ckr.ATTRIBUTE_VALUE_INVALID),
        (public_template() | {Cka.EC_PARAMS: b"\x06\x01\x00"}, Ckr.CURVE_NOT_SUPPORTED),
        (public_template() | {Cka.LOCAL: True}, Ckr.ATTRIBUTE_READ_ONLY),
        (public_template() | {Cka.TRUSTED: True}, Ckr.ATTRIBUTE_READ_ONLY),
        ({Cka.CLASS: Cko.SECRET_KEY, Cka.KEY_TYPE: Ckk.AES, Cka.VALUE: bytes(17)}, Ckr.ATTRIBUTE_VALUE_INVALID),
        (public_template() | {Cka.MODULUS: b"1"}, Ckr.ATTRIBUTE_TYPE_INVALID),
        (public_template() | {0x80000001: b"vendor"}, Ckr.ATTRIBUTE_TYPE_INVALID),
        (public_template() | {Cka.WRAP_TEMPLATE: b""}, Ckr.ATTRIBUTE_TYPE_INVALID),
        (public_template() | {Cka.VERIFY: b"yes"}, Ckr.ATTRIBUTE_VALUE_INVALID),
        (public_template() | {Cka.LABEL: bytes(1 << 17)}, Ckr.ATTRIBUTE_VALUE_INVALID),
        (dict.fromkeys(range(300), b""), Ckr.ARGUMENTS_BAD),
        (
            {Cka.CLASS: Cko.PUBLIC_KEY, Cka.KEY_TYPE: Ckk.RSA, Cka.MODULUS: b"\xff" * 2049, Cka.PUBLIC_EXPONENT: b"\3"},
            Ckr.KEY_SIZE_RANGE,
        ),
    ],
)
async def test_a_wrong_template_is_refused_on_the_pc(
    desk: Desk, client: Client, template: Attributes, ckr: Ckr
) -> None:
    session = client.session()
    with desk.crossing(), refused(ckr):
        await client.application.create_object(session, template)
    assert client.find(session, TOKEN=False) == []


async def test_what_is_fixed_stays_fixed(client: Client) -> None:
    session, application = client.session(), client.application
    key = await application.create_object(session, public_template() | {Cka.COPYABLE: False})
    changes: list[tuple[Attributes, Ckr]] = [
        ({Cka.EC_PARAMS: b"other"}, Ckr.ATTRIBUTE_READ_ONLY),
        ({Cka.TOKEN: True}, Ckr.ATTRIBUTE_READ_ONLY),
        ({Cka.MODULUS: b"1"}, Ckr.ATTRIBUTE_TYPE_INVALID),
    ]
    for change, ckr in changes:
        with refused(ckr):
            await application.set_attribute_values(session, key, change)
    with refused(Ckr.ACTION_PROHIBITED):
        await application.copy_object(session, key, {})
    fixed = await application.create_object(session, public_template() | {Cka.MODIFIABLE: False})
    with refused(Ckr.ACTION_PROHIBITED):
        await application.set_attribute_values(session, fixed, {Cka.LABEL: b"x"})


async def test_sessions_and_session_objects_are_bounded(client: Client) -> None:
    session, application = client.session(), client.application
    for _ in range(SESSION_OBJECTS_LIMIT):
        await application.create_object(session, {Cka.CLASS: Cko.DATA})
    with refused(Ckr.HOST_MEMORY):
        await application.create_object(session, {Cka.CLASS: Cko.DATA})
    for _ in range(SESSIONS_LIMIT - 1):
        client.session()
    with refused(Ckr.SESSION_COUNT):
        client.session()
    application.close_all_sessions(SLOT)
    assert application.session_count == 0


async def test_trust_is_the_security_officers_whoever_else_the_phone_has_logged_in(desk: Desk, client: Client) -> None:
    """The officer's login stays on the phone for a moment after the logout, and as long as another program has it."""
    session, application = client.session(), client.application
    trusted = public_template() | {Cka.TOKEN: True, Cka.TRUSTED: True}
    officer = desk.client()
    officers = officer.session()
    await officer.application.login(officers, Cku.SO, SO_PIN)
    key = await officer.application.create_object(officers, trusted)
    assert await officer.application.get_attribute_values(officers, key, [Cka.TRUSTED]) == [True]
    await application.login(session, Cku.USER, USER_PIN)
    (theirs,) = client.find(session, TRUSTED=True)
    with desk.crossing():
        for refused_call in (
            application.create_object(session, trusted),
            application.copy_object(session, client.public(session, "ec"), {Cka.TRUSTED: True}),
            application.set_attribute_values(session, client.public(session, "ec"), {Cka.TRUSTED: True}),
            application.generate_key_pair(session, EC_PAIR, PUBLIC | {Cka.TRUSTED: True}, {}),
        ):
            with refused(Ckr.ATTRIBUTE_READ_ONLY):
                await refused_call
    await application.set_attribute_values(session, theirs, {Cka.LABEL: b"seen"})


# Session keys of the phone.


async def session_pair(client: Client, session: int) -> tuple[int, int]:
    """A pair that goes with the session."""
    return await client.application.generate_key_pair(session, EC_PAIR, PUBLIC, {})


async def sign(client: Client, session: int, key: int) -> bytes:
    client.application.sign_init(session, Mechanism(Ckm.ECDSA), key)
    signature = await client.application.sign(session, bytes(32), ROOM)
    assert isinstance(signature, bytes)
    return signature


async def test_a_session_key_pair_signs_and_goes_with_its_session(desk: Desk, client: Client) -> None:
    session, other = await client.user_session(), client.session()
    generation = desk.slot.cache.generation
    with desk.crossing(C_GENKEYPAIR=1, C_SIGN=1):
        public, private = await session_pair(client, session)
        signature = await sign(client, session, private)
    assert desk.slot.cache.generation == generation
    client.application.verify_init(other, Mechanism(Ckm.ECDSA), public)
    await client.application.verify(other, bytes(32), signature)
    with desk.crossing(C_DESTROYOBJECT=2):
        client.application.close_session(session)
        await desk.slot.idle()
    with refused(Ckr.KEY_HANDLE_INVALID):
        client.application.sign_init(other, Mechanism(Ckm.ECDSA), private)


async def test_a_session_key_is_gone_with_the_link_session(desk: Desk, client: Client) -> None:
    """The phone gives its session handles anew after a restart: they must not mean another key."""
    session = await client.user_session()
    _, old = await session_pair(client, session)
    client.application.sign_init(session, Mechanism(Ckm.ECDSA), old)
    desk.restart_phone()
    with desk.crossing(), refused(Ckr.KEY_HANDLE_INVALID):
        await client.application.sign(session, bytes(32), ROOM)
    with refused(Ckr.KEY_HANDLE_INVALID):
        client.application.sign_init(session, Mechanism(Ckm.ECDSA), old)
    _, new = await session_pair(client, session)
    await sign(client, session, new)
    client.application.close_session(session)
    await desk.slot.idle()


async def test_a_session_object_of_the_phone_changes_there(desk: Desk, client: Client) -> None:
    session = await client.user_session()
    _, key = await session_pair(client, session)
    with desk.crossing(C_SETATTRVALUE=1):
        await client.application.set_attribute_values(session, key, {Cka.LABEL: b"named"})
    assert client.find(session, LABEL=b"named") == [key]
    with desk.crossing(C_DESTROYOBJECT=1):
        await client.application.destroy_object(session, key)
    assert client.find(session, LABEL=b"named") == []


async def test_programs_that_create_at_once_leave_a_right_cache(desk: Desk) -> None:
    clients = [desk.client() for _ in range(4)]
    sessions = [await client.user_session() for client in clients]
    await asyncio.gather(
        *(
            client.application.create_object(session, data_template(b"%d" % number))
            for number, (client, session) in enumerate(zip(clients, sessions, strict=True))
        )
    )
    await desk.slot.idle()
    assert desk.slot.cache.generation == desk.bench.token.generation
    assert len(clients[0].find(sessions[0], CLASS=int(Cko.DATA))) == 4


async def test_changes_of_another_pc_arrive_by_the_announcement(desk: Desk, client: Client, tmp_path: Path) -> None:
    other_pc = desk.bench.user()
    other_pc.create_object(data_template(b"from elsewhere"))
    session = client.session()
    with desk.crossing(C_FINDOBJECTS=1):
        desk.link.announce(Event(EVENT_GENERATION, (desk.bench.token.generation,)))
        await desk.slot.idle()
        assert len(client.find(session, CLASS=int(Cko.DATA))) == 1
