"""What a program may see, and that seeing costs nothing once the cache is warm."""

from pathlib import Path

import pytest

from cryptoki.desk import RO, SLOT, Client, Desk
from fob_daemon.cryptoki.engine import Engine
from fob_daemon.cryptoki.mechanism_table import PC_MECHANISMS
from fob_daemon.device.slot import open_slot
from fob_device.approval.rules import Rules
from fob_device.token.mechanisms import MECHANISMS
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Ckk, Cko, Cku
from fob_protocol.pkcs11.flags import MechanismFlag, SlotFlag, TokenFlag
from support.loopback_link import LoopbackLink
from support.token_bench import USER_PIN, Bench, data_template, refused


@pytest.mark.clause("P9")
async def test_lists_and_attributes_cost_nothing(desk: Desk, client: Client) -> None:
    """p11tool's way: one attribute per call, a session per object, each mechanism by itself."""
    application = client.application
    with desk.crossing():
        assert application.get_slot_list(False) == application.get_slot_list(True) == [SLOT]
        assert application.get_info().cryptoki_version == (2, 40)
        for mechanism in application.get_mechanism_list(SLOT):
            application.get_mechanism_info(SLOT, mechanism)
        handles = client.find(client.session(RO))
        assert len(handles) == 3
        for handle in handles:
            session = client.session(RO)
            for attribute in (Cka.CLASS, Cka.ID, Cka.LABEL, Cka.KEY_TYPE, Cka.MODULUS, Cka.EC_POINT):
                await application.get_attribute_values(session, handle, [attribute])
            assert application.get_object_size(session, handle) > 32
            application.close_session(session)


async def test_the_slot_and_its_token_describe_the_phone(desk: Desk, client: Client) -> None:
    slot = client.application.get_slot_info(SLOT)
    assert slot.description == "phone"
    assert slot.flags == SlotFlag.TOKEN_PRESENT | SlotFlag.REMOVABLE_DEVICE | SlotFlag.HW_SLOT
    client.session()
    client.session(RO)
    token = client.application.get_token_info(SLOT)
    assert (token.label, token.manufacturer, token.session_count, token.rw_session_count) == ("bench", "Fob", 2, 1)
    assert token.serial == desk.bench.token.info().serial
    assert token.flags >= TokenFlag.TOKEN_INITIALIZED | TokenFlag.LOGIN_REQUIRED | TokenFlag.USER_PIN_INITIALIZED
    assert (token.min_pin, token.max_pin, token.firmware_version) == (4, 64, (0, 1))


async def test_mechanisms_are_the_phones_and_the_pcs(client: Client) -> None:
    application = client.application
    assert set(application.get_mechanism_list(SLOT)) == set(MECHANISMS) | set(PC_MECHANISMS)
    assert application.get_mechanism_info(SLOT, Ckm.SHA256).flags == MechanismFlag.DIGEST
    rsa = application.get_mechanism_info(SLOT, Ckm.RSA_PKCS)
    assert (rsa.min_key_size, rsa.max_key_size) == (2048, 4096)
    signs, encrypts = MechanismFlag.SIGN | MechanismFlag.VERIFY, MechanismFlag.ENCRYPT | MechanismFlag.DECRYPT
    assert rsa.flags == MechanismFlag.HW | signs | encrypts | MechanismFlag.WRAP | MechanismFlag.UNWRAP
    with refused(Ckr.MECHANISM_INVALID):
        application.get_mechanism_info(SLOT, Ckm.DES3_CBC)


async def test_private_objects_show_after_the_login_of_their_own_program(desk: Desk, client: Client) -> None:
    session = client.session(RO)
    assert client.find(session, CLASS=int(Cko.PRIVATE_KEY)) == []
    await client.application.login(session, Cku.USER, USER_PIN)
    private = client.find(session, CLASS=int(Cko.PRIVATE_KEY))
    assert len(private) == 3
    assert len(client.find(session)) == 6
    stranger = desk.client()
    assert stranger.find(stranger.session(), CLASS=int(Cko.PRIVATE_KEY)) == []
    await client.application.logout(session)
    assert client.find(session, CLASS=int(Cko.PRIVATE_KEY)) == []
    with refused(Ckr.USER_NOT_LOGGED_IN):
        await client.application.get_attribute_values(session, private[0], [Cka.ID])


async def test_a_search_matches_every_attribute_of_its_template(client: Client) -> None:
    session = await client.user_session()
    both = client.find(session, ID=b"ec")
    assert len(both) == 2
    assert client.find(session, ID=b"ec", CLASS=int(Cko.PUBLIC_KEY), KEY_TYPE=int(Ckk.EC)) == both[:1]
    assert client.find(session, ID=b"ec", SIGN=True) == both[1:]
    assert client.find(session, ID=b"ec", KEY_TYPE=int(Ckk.RSA)) == []
    assert client.find(session, SUBJECT=b"nobody") == []
    assert client.find(session, VALUE=b"a guess at a private key") == []


async def test_an_object_keeps_its_handle(client: Client) -> None:
    session = await client.user_session()
    assert client.find(session) == client.find(client.session(RO))


async def test_each_attribute_has_its_own_answer(client: Client) -> None:
    session = await client.user_session()
    key = client.key(session, "rsa")
    types = [Cka.SENSITIVE, Cka.PRIVATE_EXPONENT, Cka.EC_POINT, Cka.KEY_TYPE, 0x80000001]
    values = await client.application.get_attribute_values(session, key, types)
    assert values == [True, Ckr.ATTRIBUTE_SENSITIVE, Ckr.ATTRIBUTE_TYPE_INVALID, Ckk.RSA, Ckr.ATTRIBUTE_TYPE_INVALID]


async def test_what_java_and_openssh_need_is_there(client: Client) -> None:
    session = await client.user_session()
    for handle, types in (
        (client.key(session, "rsa"), (Cka.MODULUS, Cka.PUBLIC_EXPONENT, Cka.ID)),
        (client.key(session, "ec"), (Cka.EC_PARAMS, Cka.ID, Cka.ALWAYS_AUTHENTICATE)),
        (client.public(session, "ec"), (Cka.EC_PARAMS, Cka.EC_POINT, Cka.ID)),
    ):
        assert not [
            value
            for value in await client.application.get_attribute_values(session, handle, types)
            if isinstance(value, Ckr)
        ]


async def test_a_sealed_value_is_fetched_once_for_length_and_value(desk: Desk, client: Client) -> None:
    phone = desk.bench.user()
    phone.create_object(data_template(b"secret note", PRIVATE=True))
    phone.close()
    desk.link.connect()
    await desk.slot.idle()
    session = await client.user_session()
    (note,) = client.find(session, CLASS=int(Cko.DATA))
    with desk.crossing(C_GETATTRVALUE=1):
        for _ in ("length", "value"):
            assert await client.application.get_attribute_values(session, note, [Cka.VALUE]) == [b"secret note"]
    assert b"secret note".hex() not in desk.cache_path.read_text()
    assert client.find(session, VALUE=b"secret note") == []


@pytest.mark.clause("P9")
async def test_a_new_pc_asks_three_times_and_a_restarted_one_never(tmp_path: Path, desk: Desk) -> None:
    fresh = LoopbackLink(desk.bench.token, Rules())
    slot = open_slot(SLOT, "phone", fresh, cache_path=tmp_path / "fresh.json")
    engine = Engine([slot])
    assert engine.open_application("early").get_slot_list(True) == []
    fresh.connect()
    await slot.idle()
    assert fresh.crossed == {"+C_FINDOBJECTS": 1, "+C_GETTOKENINFO": 1, "+C_GETMECHLIST": 1}
    await slot.close()
    fresh.crossed.clear()
    again = open_slot(SLOT, "phone", fresh, cache_path=tmp_path / "fresh.json")
    await again.idle()
    assert fresh.round_trips == 0
    assert len(again.cache.objects) == 6
    await again.close()


async def test_a_slot_whose_phone_never_came_has_no_token(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "token.db")
    slot = open_slot(SLOT, "phone", LoopbackLink(bench.token, Rules()))
    application = Engine([slot]).open_application("test")
    assert application.get_slot_list(False) == [SLOT]
    assert SlotFlag.TOKEN_PRESENT not in application.get_slot_info(SLOT).flags
    for call in (application.get_token_info, application.get_mechanism_list):
        with refused(Ckr.TOKEN_NOT_PRESENT):
            call(SLOT)
    with refused(Ckr.TOKEN_NOT_PRESENT):
        application.open_session(SLOT, RO)
    with refused(Ckr.TOKEN_NOT_PRESENT):
        await application.init_token(SLOT, b"12345678", b"label")
    bench.token.close()
