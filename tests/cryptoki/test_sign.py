"""C_Sign: the digest on the PC and one request to the phone, however a program calls it (P9)."""

import asyncio
import hashlib
from pathlib import Path

import pytest

from cryptoki.desk import ROOM, Client, Desk, Thinker, until
from fob_daemon.cryptoki.hash_table import ALL, SHA256, HashFunction
from fob_daemon.cryptoki.limits import MESSAGE_LIMIT
from fob_protocol.at.answer import Answer
from fob_protocol.pkcs11.attributes import Attributes
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Ckg, Cko, Cku
from fob_protocol.pkcs11.mechanisms import Mechanism, PssParameters
from support.token_bench import EC_PAIR, P256, RSA_PAIR, USER_PIN, WRONG_PIN, refused

DIGEST = hashlib.sha256(b"message").digest()
ECDSA = Mechanism(Ckm.ECDSA)


def pss(mechanism: Ckm, function: HashFunction) -> Mechanism:
    """A PSS mechanism with a salt as long as the hash."""
    return Mechanism(mechanism, PssParameters(function.mechanism, function.mgf, function.size))


EVERY_SCHEME = [
    ("rsa", Mechanism(Ckm.RSA_PKCS), b"no DigestInfo"),
    ("rsa", Mechanism(Ckm.RSA_PKCS), SHA256.digest_info + DIGEST),
    ("rsa", pss(Ckm.RSA_PKCS_PSS, SHA256), DIGEST),
    ("ec", ECDSA, DIGEST),
    ("ec", ECDSA, b"short"),
    ("ec", ECDSA, hashlib.sha512(b"message").digest()),
    ("ed", Mechanism(Ckm.EDDSA), b"message"),
    *(("rsa", Mechanism(function.rsa), b"message") for function in ALL),
    *(("rsa", pss(function.pss, function), b"message") for function in ALL),
    *(("ec", Mechanism(function.ecdsa), b"message") for function in ALL),
]


@pytest.mark.clause("P2", "P9")
async def test_every_scheme_signs_with_one_request_and_verifies_with_none(desk: Desk, client: Client) -> None:
    session, application = await client.user_session(), client.application
    for name, mechanism, data in EVERY_SCHEME:
        with desk.crossing(C_SIGN=1):
            application.sign_init(session, mechanism, client.key(session, name))
            signature = await application.sign(session, data, ROOM)
        assert isinstance(signature, bytes)
        with desk.crossing():
            application.verify_init(session, mechanism, client.public(session, name))
            await application.verify(session, data, signature)
            application.verify_init(session, mechanism, client.public(session, name))
            with refused(Ckr.SIGNATURE_INVALID):
                await application.verify(session, bytes((data[0] ^ 1, *data[1:])), signature)
            application.verify_init(session, mechanism, client.public(session, name))
            with refused(Ckr.SIGNATURE_LEN_RANGE):
                await application.verify(session, data, signature + b"\0")


@pytest.mark.clause("P9")
async def test_a_cold_program_signs_with_two_round_trips(desk: Desk, client: Client) -> None:
    """pkcs11-tool's calls, from C_GetSlotList to C_Sign."""
    application = client.application
    with desk.crossing(C_LOGIN=1, C_SIGN=1):
        (slot,) = application.get_slot_list(True)
        application.get_slot_info(slot)
        application.get_token_info(slot)
        session = client.session()
        await application.login(session, Cku.USER, USER_PIN)
        key = client.key(session, "ec")
        application.sign_init(session, ECDSA, key)
        assert await application.get_attribute_values(session, key, [Cka.ALWAYS_AUTHENTICATE]) == [False]
        signature = await application.sign(session, DIGEST, ROOM)
    assert isinstance(signature, bytes)


@pytest.mark.clause("P9")
async def test_a_length_query_and_a_small_buffer_ask_nobody(desk: Desk, client: Client) -> None:
    """GnuTLS asks C_Sign for the length first; others guess too small."""
    session, application = await client.user_session(), client.application
    for name, mechanism, length in (("rsa", Mechanism(Ckm.SHA256_RSA_PKCS), 256), ("ec", ECDSA, 64)):
        application.sign_init(session, mechanism, client.key(session, name))
        with desk.crossing():
            assert await application.sign(session, DIGEST, None) == length
            assert await application.sign(session, DIGEST, length - 1) == length
        with desk.crossing(C_SIGN=1):
            assert isinstance(await application.sign(session, DIGEST, length), bytes)
        with refused(Ckr.OPERATION_NOT_INITIALIZED):
            await application.sign(session, DIGEST, length)


@pytest.mark.clause("P9")
async def test_parts_and_a_final_call_are_one_request(desk: Desk, client: Client) -> None:
    session, application = await client.user_session(), client.application
    application.sign_init(session, Mechanism(Ckm.ECDSA_SHA256), client.key(session, "ec"))
    with desk.crossing():
        for part in (b"mes", b"", b"sage"):
            await application.sign_update(session, part)
        assert await application.sign_final(session, None) == 64
        assert await application.sign_final(session, 10) == 64
    with desk.crossing(C_SIGN=1):
        signature = await application.sign_final(session, ROOM)
    application.verify_init(session, Mechanism(Ckm.ECDSA_SHA256), client.public(session, "ec"))
    await application.verify_update(session, b"message")
    assert isinstance(signature, bytes)
    await application.verify_final(session, signature)


@pytest.mark.clause("P9")
async def test_a_hundred_megabytes_send_less_than_a_kilobyte(desk: Desk, client: Client) -> None:
    session, application = await client.user_session(), client.application
    application.sign_init(session, Mechanism(Ckm.SHA256_RSA_PKCS), client.key(session, "rsa"))
    before = desk.link.octets
    megabyte = bytes(1_000_000)
    with desk.crossing(C_SIGN=1):
        for _ in range(100):
            await application.sign_update(session, megabyte)
        await application.sign_final(session, ROOM)
    assert desk.link.octets - before == len(b"AT+C_SIGN=1,64,#232") + 32 + len(b"#3256\r\n0\r") + 256


@pytest.mark.parametrize(
    ("data", "sent"),
    [
        (SHA256.digest_info + DIGEST, len(b"AT+C_SIGN=1,64,#232") + 32),
        (b"anything", len(b"AT+C_SIGN=1,,#18") + 8),
    ],
)
async def test_a_digest_info_crosses_as_its_digest(desk: Desk, client: Client, data: bytes, sent: int) -> None:
    session, application = await client.user_session(), client.application
    application.sign_init(session, Mechanism(Ckm.RSA_PKCS), client.key(session, "rsa"))
    before = desk.link.octets
    await application.sign(session, data, ROOM)
    assert desk.link.octets - before == sent + 256 + len(b"#3256\r\n0\r")


async def test_a_key_that_allows_plain_rsa_only_is_asked_for_plain_rsa(desk: Desk, client: Client) -> None:
    session, application = await client.user_session(), client.application
    both: Attributes = {Cka.TOKEN: True, Cka.ID: b"plain"}
    _, key = await application.generate_key_pair(
        session,
        Mechanism(Ckm.RSA_PKCS_KEY_PAIR_GEN),
        both | {Cka.MODULUS_BITS: 2048},
        both | {Cka.ALLOWED_MECHANISMS: (int(Ckm.RSA_PKCS),)},
    )
    application.sign_init(session, Mechanism(Ckm.RSA_PKCS), key)
    signature = await application.sign(session, SHA256.digest_info + DIGEST, ROOM)
    assert isinstance(signature, bytes)
    application.verify_init(session, Mechanism(Ckm.SHA256_RSA_PKCS), client.public(session, "plain"))
    await application.verify(session, b"message", signature)
    with refused(Ckr.MECHANISM_INVALID):
        application.sign_init(session, Mechanism(Ckm.SHA256_RSA_PKCS), key)


async def test_eddsa_collects_the_message_up_to_its_bound(desk: Desk, client: Client) -> None:
    session, application = await client.user_session(), client.application
    key, eddsa = client.key(session, "ed"), Mechanism(Ckm.EDDSA)
    application.sign_init(session, eddsa, key)
    await application.sign_update(session, bytes(MESSAGE_LIMIT - 1))
    await application.sign_update(session, b"x")
    signature = await application.sign_final(session, ROOM)
    assert isinstance(signature, bytes)
    application.verify_init(session, eddsa, client.public(session, "ed"))
    await application.verify(session, bytes(MESSAGE_LIMIT - 1) + b"x", signature)
    application.sign_init(session, eddsa, key)
    with desk.crossing(), refused(Ckr.DATA_LEN_RANGE):
        await application.sign(session, bytes(MESSAGE_LIMIT + 1), ROOM)
    with refused(Ckr.OPERATION_NOT_INITIALIZED):
        await application.sign_final(session, ROOM)


async def test_too_much_for_plain_rsa_is_refused_on_the_pc(desk: Desk, client: Client) -> None:
    session, application = await client.user_session(), client.application
    application.sign_init(session, Mechanism(Ckm.RSA_PKCS), client.key(session, "rsa"))
    with desk.crossing(), refused(Ckr.DATA_LEN_RANGE):
        await application.sign(session, bytes(246), ROOM)


@pytest.mark.parametrize(
    ("mechanism", "ckr"),
    [
        (Mechanism(Ckm.ECDSA_SHA256), Ckr.KEY_TYPE_INCONSISTENT),
        (Mechanism(Ckm.SHA256), Ckr.MECHANISM_INVALID),
        (Mechanism(Ckm.RSA_PKCS, b"parameter"), Ckr.MECHANISM_PARAM_INVALID),
        (Mechanism(Ckm.RSA_PKCS_PSS), Ckr.MECHANISM_PARAM_INVALID),
        (Mechanism(Ckm.RSA_PKCS_PSS, PssParameters(1, 2, 32)), Ckr.MECHANISM_PARAM_INVALID),
        (Mechanism(Ckm.RSA_PKCS_PSS, PssParameters(Ckm.SHA256, 99, 32)), Ckr.MECHANISM_PARAM_INVALID),
        (Mechanism(Ckm.RSA_PKCS_PSS, PssParameters(Ckm.SHA256, 2, 1 << 60)), Ckr.MECHANISM_PARAM_INVALID),
        (Mechanism(Ckm.SHA256_RSA_PKCS_PSS, PssParameters(Ckm.SHA256, 2, 223)), Ckr.MECHANISM_PARAM_INVALID),
        (
            Mechanism(Ckm.SHA256_RSA_PKCS_PSS, PssParameters(Ckm.SHA_1, Ckg.MGF1_SHA1, 20)),
            Ckr.MECHANISM_PARAM_INVALID,
        ),
    ],
)
async def test_a_wrong_mechanism_is_refused_on_the_pc(
    desk: Desk, client: Client, mechanism: Mechanism, ckr: Ckr
) -> None:
    session = await client.user_session()
    with desk.crossing(), refused(ckr):
        client.application.sign_init(session, mechanism, client.key(session, "rsa"))
    with refused(Ckr.OPERATION_NOT_INITIALIZED):
        await client.application.sign(session, DIGEST, ROOM)


async def guarded_key(client: Client, session: int, kind: str = "ec") -> int:
    """A key that asks for the PIN at each use."""
    kinds: dict[str, tuple[Mechanism, Attributes]] = {
        "ec": (EC_PAIR, {Cka.EC_PARAMS: P256}),
        "rsa": (RSA_PAIR, {Cka.MODULUS_BITS: 2048}),
    }
    mechanism, public = kinds[kind]
    _, key = await client.application.generate_key_pair(
        session, mechanism, public | {Cka.TOKEN: True}, {Cka.TOKEN: True, Cka.ALWAYS_AUTHENTICATE: True}
    )
    return key


async def test_a_guarded_key_asks_for_the_pin_at_each_use(desk: Desk, client: Client) -> None:
    session, application = await client.user_session(), client.application
    key = await guarded_key(client, session)
    for _ in range(2):
        application.sign_init(session, ECDSA, key)
        with desk.crossing(C_LOGIN=1, C_SIGN=1):
            await application.login(session, Cku.CONTEXT_SPECIFIC, USER_PIN)
            await application.sign(session, DIGEST, ROOM)
    application.sign_init(session, ECDSA, key)
    with desk.crossing(), refused(Ckr.USER_NOT_LOGGED_IN):
        await application.sign(session, DIGEST, ROOM)
    assert application.get_session_info(session).state == 3, "the user's own login goes on"


async def test_the_pin_of_one_program_opens_no_guarded_key_for_another(desk: Desk, client: Client) -> None:
    session, application = await client.user_session(), client.application
    key = await guarded_key(client, session)
    other = desk.client()
    other_session = await other.user_session()
    application.sign_init(session, ECDSA, key)
    await application.login(session, Cku.CONTEXT_SPECIFIC, USER_PIN)
    (theirs,) = other.find(other_session, ALWAYS_AUTHENTICATE=True)
    other.application.sign_init(other_session, ECDSA, theirs)
    with desk.crossing(), refused(Ckr.USER_NOT_LOGGED_IN):
        await other.application.sign(other_session, DIGEST, ROOM)
    assert isinstance(await application.sign(session, DIGEST, ROOM), bytes)


async def test_a_wrong_pin_for_a_guarded_key_leaves_the_operation(desk: Desk, client: Client) -> None:
    session, application = await client.user_session(), client.application
    application.sign_init(session, ECDSA, await guarded_key(client, session))
    with refused(Ckr.PIN_INCORRECT):
        await application.login(session, Cku.CONTEXT_SPECIFIC, WRONG_PIN)
    await application.login(session, Cku.CONTEXT_SPECIFIC, USER_PIN)
    assert isinstance(await application.sign(session, DIGEST, ROOM), bytes)


async def test_a_context_login_needs_an_operation_that_waits_for_it(desk: Desk, client: Client) -> None:
    session, application = await client.user_session(), client.application
    with refused(Ckr.OPERATION_NOT_INITIALIZED):
        await application.login(session, Cku.CONTEXT_SPECIFIC, USER_PIN)
    application.sign_init(session, ECDSA, client.key(session, "ec"))
    with desk.crossing(), refused(Ckr.OPERATION_NOT_INITIALIZED):
        await application.login(session, Cku.CONTEXT_SPECIFIC, USER_PIN)
    application.decrypt_init(session, Mechanism(Ckm.RSA_PKCS), await guarded_key(client, session, "rsa"))
    await application.login(session, Cku.CONTEXT_SPECIFIC, USER_PIN)
    with desk.crossing(), refused(Ckr.OPERATION_NOT_INITIALIZED):
        await application.login(session, Cku.CONTEXT_SPECIFIC, USER_PIN)


@pytest.mark.clause("P9")
async def test_a_signature_that_waits_for_approval_holds_nobody_up(tmp_path: Path) -> None:
    person = Thinker()
    async with Desk.opened(tmp_path, person) as desk:
        one, two = desk.client(), desk.client()
        first, second = await one.user_session(), await two.user_session()
        one.application.sign_init(first, ECDSA, one.key(first, "ec"))
        waiting = asyncio.ensure_future(one.application.sign(first, DIGEST, ROOM))
        await until(lambda: desk.link.crossed["+C_SIGN"] == 1)
        two.application.sign_init(second, Mechanism(Ckm.RSA_PKCS), two.key(second, "rsa"))
        assert isinstance(await two.application.sign(second, DIGEST, ROOM), bytes)
        with refused(Ckr.OPERATION_ACTIVE):
            await one.application.sign(first, DIGEST, ROOM)
        assert not waiting.done()
        person.answered.set()
        assert isinstance(await waiting, bytes)


async def test_a_program_that_gives_up_leaves_no_operation(tmp_path: Path) -> None:
    async with Desk.opened(tmp_path, Thinker()) as desk:
        client = desk.client()
        session = await client.user_session()
        client.application.sign_init(session, ECDSA, client.key(session, "ec"))
        waiting = asyncio.ensure_future(client.application.sign(session, DIGEST, ROOM))
        await until(lambda: desk.link.crossed["+C_SIGN"] == 1)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        client.application.sign_init(session, ECDSA, client.key(session, "ec"))


async def test_a_signature_of_the_wrong_length_is_the_devices_fault(desk: Desk, client: Client) -> None:
    session, application = await client.user_session(), client.application
    application.sign_init(session, ECDSA, client.key(session, "ec"))
    desk.link.replies["+C_SIGN"] = Answer(((b"short",),))
    with refused(Ckr.DEVICE_ERROR):
        await application.sign(session, DIGEST, ROOM)


async def test_a_public_key_does_not_sign(client: Client) -> None:
    session = await client.user_session()
    with refused(Ckr.KEY_TYPE_INCONSISTENT):
        client.application.sign_init(session, ECDSA, client.public(session, "ec"))
    (certificate,) = [await client.application.create_object(session, {Cka.CLASS: Cko.DATA})]
    with refused(Ckr.KEY_HANDLE_INVALID):
        client.application.sign_init(session, ECDSA, certificate)
