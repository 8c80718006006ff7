"""The mechanism list and the token's description: asked for when they may have changed, and never otherwise."""

import pytest

from cryptoki.desk import RO, SLOT, Client, Desk
from fob_daemon.cryptoki.mechanism_table import PC_MECHANISMS
from fob_protocol.at.answer import Answer, Event
from fob_protocol.catalogue import EVENT_GENERATION
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.flags import MechanismFlag, TokenFlag
from support.token_bench import data_template, refused

FLAGS = int(TokenFlag.TOKEN_INITIALIZED | TokenFlag.LOGIN_REQUIRED)


def update_firmware(desk: Desk) -> None:
    """The phone forgets RSA and learns larger curves; as every change, that raises the generation."""
    desk.link.replies["+C_GETTOKENINFO"] = Answer(
        ((b"bench", b"Fob", b"Fob phone", b"0123", FLAGS, 6, 32, b"1.0", b"2.7"),)
    )
    desk.link.replies["+C_GETMECHLIST"] = Answer(((int(Ckm.ECDSA), 256, 384, int(MechanismFlag.SIGN)),))
    make_news(desk)


def make_news(desk: Desk) -> None:
    """Another program changes an object."""
    elsewhere = desk.bench.user()
    elsewhere.create_object(data_template(b"news"))
    elsewhere.close()


async def reconnect(desk: Desk) -> None:
    """The phone is back, and everything that follows is done."""
    desk.link.connect()
    await desk.slot.idle()


@pytest.mark.clause("P9")
async def test_a_phone_that_comes_back_unchanged_is_asked_nothing(desk: Desk) -> None:
    with desk.crossing():
        desk.link.disconnect()
        await reconnect(desk)
        desk.restart_phone()
        await desk.slot.idle()
        await desk.restart_daemon()


async def test_a_phone_with_another_firmware_has_its_mechanisms(desk: Desk, client: Client) -> None:
    application = client.application
    session = client.session(RO)
    desk.link.disconnect()
    update_firmware(desk)
    assert application.get_mechanism_info(SLOT, Ckm.RSA_PKCS).max_key_size == 4096, "what was last seen"
    with desk.crossing(C_FINDOBJECTS=1, C_GETTOKENINFO=1, C_GETMECHLIST=1):
        await reconnect(desk)
        await reconnect(desk)
    assert set(application.get_mechanism_list(SLOT)) == {Ckm.ECDSA} | set(PC_MECHANISMS)
    assert application.get_mechanism_info(SLOT, Ckm.ECDSA).max_key_size == 384
    with refused(Ckr.MECHANISM_INVALID):
        application.get_mechanism_info(SLOT, Ckm.RSA_PKCS)
    assert application.get_token_info(SLOT).firmware_version == (2, 7)
    assert application.get_slot_info(SLOT).firmware_version == (2, 7)
    assert application.get_session_info(session).slot == SLOT, "the sessions stay"


async def test_the_new_list_outlives_the_daemon(desk: Desk) -> None:
    desk.link.disconnect()
    update_firmware(desk)
    await reconnect(desk)
    with desk.crossing():
        await desk.restart_daemon()
    assert desk.client().application.get_mechanism_list(SLOT)[0] == Ckm.ECDSA


async def test_a_new_object_within_a_session_changes_no_mechanism(desk: Desk) -> None:
    make_news(desk)
    with desk.crossing(C_FINDOBJECTS=1):
        desk.link.announce(Event(EVENT_GENERATION, (desk.bench.token.generation,)))
        await desk.slot.idle()


@pytest.mark.parametrize("lost", ["+C_GETTOKENINFO", "+C_GETMECHLIST"])
async def test_what_was_not_answered_is_asked_again(desk: Desk, lost: str) -> None:
    desk.link.disconnect()
    update_firmware(desk)
    answer = desk.link.replies[lost]
    desk.link.replies[lost] = Answer(ckr=Ckr.DEVICE_ERROR)
    await reconnect(desk)
    application = desk.client().application
    assert Ckm.RSA_PKCS in application.get_mechanism_list(SLOT)
    desk.link.replies[lost] = answer
    await reconnect(desk)
    assert Ckm.RSA_PKCS not in application.get_mechanism_list(SLOT)
    assert application.get_token_info(SLOT).firmware_version == (2, 7)
