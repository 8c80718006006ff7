"""Every wrong call gets its own return value, and the next right one works."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from cryptoki.desk import RO, ROOM, SLOT, Client, Desk
from fob_daemon.cryptoki.application import FobApplication
from fob_daemon.cryptoki.limits import RANDOM_LIMIT, RANDOM_PART
from fob_daemon.cryptoki.session import (
    CANCEL_DECRYPT,
    CANCEL_DIGEST,
    CANCEL_ENCRYPT,
    CANCEL_FIND,
    CANCEL_SIGN,
    CANCEL_VERIFY,
)
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Cku
from fob_protocol.pkcs11.mechanisms import Mechanism
from support.token_bench import SO_PIN, USER_PIN, refused

Call = Callable[[FobApplication, int], object]

SHA256 = Mechanism(Ckm.SHA256)
RSA = Mechanism(Ckm.RSA_PKCS)

STEPS: dict[str, Call] = {
    "find_objects": lambda a, s: a.find_objects(s, 1),
    "find_objects_final": lambda a, s: a.find_objects_final(s),
    "digest": lambda a, s: a.digest(s, b"", ROOM),
    "digest_update": lambda a, s: a.digest_update(s, b""),
    "digest_key": lambda a, s: a.digest_key(s, 1),
    "digest_final": lambda a, s: a.digest_final(s, ROOM),
    "sign": lambda a, s: a.sign(s, b"", ROOM),
    "sign_update": lambda a, s: a.sign_update(s, b""),
    "sign_final": lambda a, s: a.sign_final(s, ROOM),
    "verify": lambda a, s: a.verify(s, b"", b""),
    "verify_update": lambda a, s: a.verify_update(s, b""),
    "verify_final": lambda a, s: a.verify_final(s, b""),
    "encrypt": lambda a, s: a.encrypt(s, b"", ROOM),
    "encrypt_update": lambda a, s: a.encrypt_update(s, b"", ROOM),
    "encrypt_final": lambda a, s: a.encrypt_final(s, ROOM),
    "decrypt": lambda a, s: a.decrypt(s, b"", ROOM),
    "decrypt_update": lambda a, s: a.decrypt_update(s, b"", ROOM),
    "decrypt_final": lambda a, s: a.decrypt_final(s, ROOM),
}
INITS: dict[str, Call] = {
    "find": lambda a, s: a.find_objects_init(s, {}),
    "digest": lambda a, s: a.digest_init(s, SHA256),
    "sign": lambda a, s: a.sign_init(s, RSA, 2),
    "verify": lambda a, s: a.verify_init(s, RSA, 1),
    "encrypt": lambda a, s: a.encrypt_init(s, RSA, 1),
    "decrypt": lambda a, s: a.decrypt_init(s, RSA, 2),
}
WITH_A_SESSION: dict[str, Call] = STEPS | INITS | {
    "close_session": lambda a, s: a.close_session(s),
    "get_session_info": lambda a, s: a.get_session_info(s),
    "init_pin": lambda a, s: a.init_pin(s, SO_PIN),
    "set_pin": lambda a, s: a.set_pin(s, USER_PIN, USER_PIN),
    "login": lambda a, s: a.login(s, Cku.USER, USER_PIN),
    "logout": lambda a, s: a.logout(s),
    "create_object": lambda a, s: a.create_object(s, {}),
    "copy_object": lambda a, s: a.copy_object(s, 1, {}),
    "destroy_object": lambda a, s: a.destroy_object(s, 1),
    "get_object_size": lambda a, s: a.get_object_size(s, 1),
    "get_attribute_values": lambda a, s: a.get_attribute_values(s, 1, []),
    "set_attribute_values": lambda a, s: a.set_attribute_values(s, 1, {}),
    "generate_key": lambda a, s: a.generate_key(s, SHA256, {}),
    "generate_key_pair": lambda a, s: a.generate_key_pair(s, SHA256, {}, {}),
    "derive_key": lambda a, s: a.derive_key(s, SHA256, 1, {}),
    "wrap_key": lambda a, s: a.wrap_key(s, SHA256, 1, 1, None),
    "unwrap_key": lambda a, s: a.unwrap_key(s, SHA256, 1, b"", {}),
    "seed_random": lambda a, s: a.seed_random(s, b""),
    "generate_random": lambda a, s: a.generate_random(s, 1),
    "cancel_operations": lambda a, s: a.cancel_operations(s, CANCEL_SIGN),
}  # fmt: skip


async def do(call: Call, application: FobApplication, session: int) -> object:
    """Call it, and await what has to be awaited."""
    result = call(application, session)
    return await result if isinstance(result, Awaitable) else result


@pytest.mark.parametrize("name", WITH_A_SESSION)
async def test_a_session_that_is_not_there(desk: Desk, client: Client, name: str) -> None:
    closed = client.session()
    client.application.close_session(closed)
    for session in (0, closed, 1 << 60):
        with desk.crossing(), refused(Ckr.SESSION_HANDLE_INVALID):
            await do(WITH_A_SESSION[name], client.application, session)


@pytest.mark.parametrize("name", STEPS)
async def test_a_step_without_its_init(client: Client, name: str) -> None:
    session = client.session()
    with refused(Ckr.OPERATION_NOT_INITIALIZED):
        await do(STEPS[name], client.application, session)


@pytest.mark.parametrize("name", INITS)
async def test_a_second_init_and_a_cancel(desk: Desk, client: Client, name: str) -> None:
    session = await client.user_session()
    client.find(session)
    with desk.crossing():
        await do(INITS[name], client.application, session)
        with refused(Ckr.OPERATION_ACTIVE):
            await do(INITS[name], client.application, session)
        everything = CANCEL_FIND | CANCEL_DIGEST | CANCEL_SIGN | CANCEL_VERIFY | CANCEL_ENCRYPT | CANCEL_DECRYPT
        client.application.cancel_operations(session, everything)
        await do(INITS[name], client.application, session)


async def test_a_null_mechanism_cancels(client: Client) -> None:
    session, application = await client.user_session(), client.application
    client.find(session)
    for name in ("digest", "sign", "verify", "encrypt", "decrypt"):
        await do(INITS[name], application, session)
    application.digest_init(session, None)
    application.sign_init(session, None, 0)
    application.verify_init(session, None, 0)
    application.encrypt_init(session, None, 0)
    application.decrypt_init(session, None, 0)
    for name in ("digest", "sign", "verify", "encrypt", "decrypt"):
        with refused(Ckr.OPERATION_NOT_INITIALIZED):
            await do(STEPS[name], application, session)


async def test_a_single_call_does_not_end_an_operation_in_parts(client: Client) -> None:
    session, application = await client.user_session(), client.application
    client.find(session)
    for name in ("digest", "sign", "verify", "encrypt", "decrypt"):
        await do(INITS[name], application, session)
        await do(STEPS[f"{name}_update"], application, session)
        with refused(Ckr.OPERATION_NOT_INITIALIZED):
            await do(STEPS[name], application, session)
        await do(INITS[name], application, session)


async def test_handles_that_are_not_there(desk: Desk, client: Client) -> None:
    session, application = await client.user_session(), client.application
    with desk.crossing():
        for handle in (0, 999, 1 << 63):
            for init in (application.sign_init, application.verify_init, application.encrypt_init):
                with refused(Ckr.KEY_HANDLE_INVALID):
                    init(session, RSA, handle)
            with refused(Ckr.OBJECT_HANDLE_INVALID):
                await application.get_attribute_values(session, handle, [Cka.ID])
            with refused(Ckr.OBJECT_HANDLE_INVALID):
                application.get_object_size(session, handle)
            with refused(Ckr.KEY_HANDLE_INVALID):
                await application.derive_key(session, RSA, handle, {})
            with refused(Ckr.WRAPPING_KEY_HANDLE_INVALID):
                await application.wrap_key(session, RSA, handle, handle, None)
            with refused(Ckr.UNWRAPPING_KEY_HANDLE_INVALID):
                await application.unwrap_key(session, RSA, handle, b"", {})


async def test_slots_that_are_not_there(client: Client) -> None:
    application = client.application
    calls: list[Callable[[int], object]] = [
        application.get_slot_info,
        application.get_token_info,
        application.get_mechanism_list,
        application.close_all_sessions,
        lambda slot: application.get_mechanism_info(slot, 1),
        lambda slot: application.open_session(slot, RO),
    ]
    for call in calls:
        with refused(Ckr.SLOT_ID_INVALID):
            call(SLOT + 1)
    with refused(Ckr.SLOT_ID_INVALID):
        await application.init_token(0, SO_PIN, b"label")


async def test_a_parallel_session_is_not_offered(client: Client) -> None:
    with refused(Ckr.SESSION_PARALLEL_NOT_SUPPORTED):
        client.application.open_session(SLOT, 0)


async def test_random_numbers_come_from_the_phone(desk: Desk, client: Client) -> None:
    session, application = client.session(RO), client.application
    with desk.crossing(C_GENERATERANDOM=2):
        one, two = await asyncio.gather(*(application.generate_random(session, 32) for _ in range(2)))
    assert len(one) == len(two) == 32
    assert one != two
    with desk.crossing():
        assert await application.generate_random(session, 0) == b""
        with refused(Ckr.ARGUMENTS_BAD):
            await application.generate_random(session, RANDOM_LIMIT + 1)
        with refused(Ckr.RANDOM_SEED_NOT_SUPPORTED):
            application.seed_random(session, b"seed")
    for length, round_trips in ((1, 1), (RANDOM_PART, 1), (RANDOM_PART + 1, 2), (100_000, 2), (RANDOM_LIMIT, 18)):
        with desk.crossing(C_GENERATERANDOM=round_trips):
            assert len(await application.generate_random(session, length)) == length


async def test_the_engine_knows_its_applications(desk: Desk, client: Client) -> None:
    assert [application.description for application in desk.engine.applications] == ["test"]
    client.session()
    client.application.close()
    assert desk.engine.applications == []
    assert client.application.session_count == 0


async def test_an_unpaired_slot_takes_its_sessions_along(desk: Desk, client: Client) -> None:
    session = client.session()
    desk.engine.remove_slot(SLOT)
    with refused(Ckr.SESSION_HANDLE_INVALID):
        client.application.get_session_info(session)
    assert client.application.get_slot_list(False) == []
    desk.engine.add_slot(desk.slot)
    assert client.application.get_slot_list(False) == [SLOT]
