"""The phone goes away and comes back: keys stay listed, private operations fail at once, and work again."""

import asyncio

import pytest

from cryptoki.desk import RO, ROOM, SLOT, Client, Desk, until
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.flags import SlotFlag
from fob_protocol.pkcs11.mechanisms import Mechanism
from support.token_bench import data_template, refused

ECDSA = Mechanism(Ckm.ECDSA)


@pytest.mark.clause("P9")
async def test_public_work_goes_on_without_the_phone(desk: Desk, client: Client) -> None:
    session, application = await client.user_session(), client.application
    application.sign_init(session, ECDSA, client.key(session, "ec"))
    signature = await application.sign(session, bytes(32), ROOM)
    assert isinstance(signature, bytes)
    desk.link.disconnect()
    assert application.get_slot_list(True) == [SLOT]
    assert SlotFlag.TOKEN_PRESENT in application.get_slot_info(SLOT).flags
    assert len(client.find(client.session(RO))) == 6
    public = client.public(session, "ec")
    await application.get_attribute_values(session, public, [Cka.EC_POINT])
    application.verify_init(session, ECDSA, public)
    await application.verify(session, bytes(32), signature)


async def test_a_private_operation_fails_at_once_and_the_same_session_works_again(desk: Desk, client: Client) -> None:
    session, application = await client.user_session(), client.application
    key = client.key(session, "ec")
    desk.link.disconnect()
    application.sign_init(session, ECDSA, key)
    with desk.crossing(), refused(Ckr.DEVICE_ERROR):
        await application.sign(session, bytes(32), ROOM)
    with desk.crossing():
        for call in (
            application.generate_random(session, 8),
            application.create_object(session, data_template()),
            application.destroy_object(session, key),
        ):
            with refused(Ckr.DEVICE_ERROR):
                await call
    desk.link.connect()
    application.sign_init(session, ECDSA, key)
    with desk.crossing(FOBRESUME=1, C_SIGN=1):
        assert isinstance(await application.sign(session, bytes(32), ROOM), bytes)


async def test_a_phone_that_goes_in_the_middle_leaves_no_operation(desk: Desk, client: Client) -> None:
    session, application = await client.user_session(), client.application
    application.sign_init(session, ECDSA, client.key(session, "ec"))
    running = asyncio.ensure_future(application.sign(session, bytes(32), ROOM))
    await until(lambda: desk.link.crossed["+C_SIGN"] == 1)
    desk.link.disconnect()
    with refused(Ckr.DEVICE_ERROR):
        await running
    desk.link.connect()
    application.sign_init(session, ECDSA, client.key(session, "ec"))


async def test_the_keys_are_listed_by_a_new_daemon_without_the_phone(desk: Desk) -> None:
    desk.link.disconnect()
    await desk.restart_daemon()
    client = desk.client()
    assert len(client.find(client.session(RO))) == 3
    with desk.crossing():
        desk.link.connect()
        await desk.slot.idle()
    with desk.crossing(C_LOGIN=1, C_SIGN=1):
        session = await client.user_session()
        client.application.sign_init(session, ECDSA, client.key(session, "ec"))
        await client.application.sign(session, bytes(32), ROOM)


async def test_changes_while_away_are_asked_for_by_their_difference(desk: Desk, client: Client) -> None:
    desk.link.disconnect()
    phone = desk.bench.user()
    made = phone.create_object(data_template(b"made while away"))
    phone.destroy_object(made.handle - 1)
    with desk.crossing(C_FINDOBJECTS=1, C_GETTOKENINFO=1, C_GETMECHLIST=1):
        desk.link.connect()
        await desk.slot.idle()
    session = await client.user_session()
    assert len(client.find(session)) == 6
    assert client.find(session, VALUE=b"made while away") != []
