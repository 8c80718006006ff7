"""Whole conversations, byte for byte where the bytes are the contract."""

import pytest

from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Cko, Cku
from fob_protocol.pkcs11.mechanisms import Mechanism, PssParameters
from rpc.conftest import Provider
from rpc.conversation import (
    INITIALIZE,
    RawClient,
    attribute,
    ay,
    buffers,
    bytes_attribute,
    error,
    fy,
    raw,
    reply,
    request,
    template,
    u,
    u32,
    ulong_attribute,
)
from rpc.fake_application import EC_PRIVATE, LABEL, MECHANISMS, PIN, RSA_PUBLIC, SLOT, objects


async def test_handshake_and_first_call_byte_for_byte(provider: Provider) -> None:
    """What p11-kit 0.24.1 sends at C_Initialize and C_GetSlotList, and what it must get."""
    client = await provider.connect()
    client.writer.write(b"\x00")
    assert await client.read(1) == b"\x00"

    client.writer.write(
        bytes.fromhex("00000010 00000000 00000042")
        + bytes.fromhex("00000001 00000005") + b"ayyay"
        + bytes.fromhex("01 00000029") + b"PRIVATE-GNOME-KEYRING-PKCS11-PROTOCOL-V-1"
        + bytes.fromhex("00 01 00000001 00")
    )  # fmt: skip
    assert await client.read(20) == bytes.fromhex("00000010 00000000 00000008 00000001 00000000")

    client.writer.write(
        bytes.fromhex("00000011 00000000 00000010")
        + bytes.fromhex("00000004 00000003")
        + b"yfu"
        + bytes.fromhex("01 00000000")
    )
    # The number of slots only.
    assert await client.read(27) == (
        bytes.fromhex("00000011 00000000 0000000f")
        + bytes.fromhex("00000004 00000002")
        + b"au"
        + bytes.fromhex("00 00000001")
    )


@pytest.mark.parametrize(("offered", "answered"), [(0, 0), (1, 1), (2, 2), (3, 2), (255, 2)])
async def test_the_version_is_the_smaller_one(provider: Provider, offered: int, answered: int) -> None:
    client = await provider.connect()
    client.writer.write(bytes((offered,)))
    assert await client.read(1) == bytes((answered,))


async def test_everything_may_arrive_in_single_bytes(provider: Provider) -> None:
    client = await provider.connect()
    body = INITIALIZE
    for byte in b"\x00" + u32(0x10) + u32(3) + u32(len(body)) + b"opt" + body:
        client.writer.write(bytes((byte,)))
        await client.writer.drain()
    assert await client.read(1) == b"\x00"
    assert await client.receive() == (0x10, reply("C_Initialize"))


class TestLife:
    """C_Initialize makes the application, C_Finalize and the end of the connection close it."""

    async def test_nothing_is_served_before_initialize(self, provider: Provider) -> None:
        client = await provider.connect()
        client.writer.write(b"\x00")
        await client.read(1)
        assert await client.call(request("C_GetInfo")) == error(Ckr.CRYPTOKI_NOT_INITIALIZED)
        assert await client.call(request("C_Finalize")) == error(Ckr.CRYPTOKI_NOT_INITIALIZED)
        assert provider.applications == []

    async def test_another_protocol_is_refused(self, provider: Provider) -> None:
        client = await provider.connect()
        client.writer.write(b"\x00")
        await client.read(1)
        assert await client.call(request("C_Initialize", ay(b"GNOME"), b"\x00", ay(b""))) == error(Ckr.GENERAL_ERROR)

    async def test_initialize_twice(self, provider: Provider) -> None:
        client = await provider.client()
        assert await client.call(INITIALIZE) == error(Ckr.CRYPTOKI_ALREADY_INITIALIZED)
        assert len(provider.applications) == 1

    async def test_finalize_closes_and_the_next_initialize_starts_anew(self, provider: Provider) -> None:
        client = await provider.client()
        session = await client.open_session(SLOT)
        assert await client.call(request("C_Finalize")) == reply("C_Finalize")
        assert await client.call(request("C_GetInfo")) == error(Ckr.CRYPTOKI_NOT_INITIALIZED)
        assert await client.call(INITIALIZE) == reply("C_Initialize")
        assert await client.call(request("C_GetSessionInfo", u(session))) == error(Ckr.SESSION_HANDLE_INVALID)
        assert [application.closed for application in provider.applications] == [1, 0]

    async def test_each_connection_has_its_own_application(self, provider: Provider) -> None:
        first, second = await provider.client(), await provider.client()
        session = await first.open_session(SLOT)
        assert await second.call(request("C_GetSessionInfo", u(session))) == error(Ckr.SESSION_HANDLE_INVALID)


async def test_information_has_the_exact_sizes(provider: Provider) -> None:
    client = await provider.client()
    assert await client.call(request("C_GetInfo")) == reply(
        "C_GetInfo", bytes((2, 40)) + raw(b"Fob".ljust(32)) + u(0) + raw(b"Fob provider".ljust(32)) + bytes((0, 1))
    )
    assert await client.call(request("C_GetSlotInfo", u(SLOT))) == reply(
        "C_GetSlotInfo", raw(b"Fake slot".ljust(64)) + raw(b"Fob".ljust(32)) + u(7) + bytes((1, 2, 3, 4))
    )
    unavailable = u(2**64 - 1)
    assert await client.call(request("C_GetTokenInfo", u(SLOT))) == reply(
        "C_GetTokenInfo",
        raw(LABEL.encode().ljust(32)) + raw(b"Fob".ljust(32)) + raw(b"Fake".ljust(16)) + raw(b"0001".ljust(16))
        + u(0x40D) + u(0) + u(0) + u(0) + u(0) + u(64) + u(4) + unavailable * 4
        + bytes((1, 2, 3, 4)) + raw(b" " * 16),
    )  # fmt: skip
    assert await client.call(request("C_GetMechanismInfo", u(SLOT), u(Ckm.ECDSA))) == reply(
        "C_GetMechanismInfo", u(256) + u(256) + u(0x801)
    )
    assert await client.call(request("C_GetSlotInfo", u(SLOT + 1))) == error(Ckr.SLOT_ID_INVALID)


async def test_lists_honour_the_room(provider: Provider) -> None:
    client = await provider.client()
    number_only = reply("C_GetMechanismList", b"\x00" + u32(3))
    everything = reply("C_GetMechanismList", b"\x01" + u32(3) + b"".join(map(u, MECHANISMS)))
    for room, answer in (
        (0, number_only),
        (2, number_only),
        (0xFFFFFFFF, number_only),
        (3, everything),
        (9, everything),
    ):
        assert await client.call(request("C_GetMechanismList", u(SLOT), u32(room))) == answer


async def test_find_until_nothing_is_left(provider: Provider) -> None:
    client = await provider.client()
    session = await client.open_session(SLOT)
    wanted = template(ulong_attribute(Cka.CLASS, Cko.PUBLIC_KEY), attribute(Cka.TOKEN, b"\x01", 1))
    assert await client.call(request("C_FindObjectsInit", u(session), wanted)) == reply("C_FindObjectsInit")
    for handle in (3, 5):
        assert await client.call(request("C_FindObjects", u(session), u32(1))) == reply(
            "C_FindObjects", b"\x01" + u32(1) + u(handle)
        )
    # An empty list, not a number: else the client reports a buffer that is too small.
    assert await client.call(request("C_FindObjects", u(session), u32(1))) == reply("C_FindObjects", b"\x01" + u32(0))
    assert await client.call(request("C_FindObjectsFinal", u(session))) == reply("C_FindObjectsFinal")
    assert await client.call(request("C_FindObjects", u(session), u32(1))) == error(Ckr.OPERATION_NOT_INITIALIZED)


async def test_attributes_in_two_passes(provider: Provider) -> None:
    client = await provider.client()
    session = await client.open_session(SLOT)
    modulus = objects()[RSA_PUBLIC][Cka.MODULUS]
    assert isinstance(modulus, bytes)

    def ask(**rooms: int) -> bytes:
        return request("C_GetAttributeValue", u(session), u(RSA_PUBLIC), buffers({Cka[k]: v for k, v in rooms.items()}))

    assert await client.call(ask(MODULUS=0, CLASS=0)) == reply(
        "C_GetAttributeValue",
        u32(2)
        + attribute(Cka.MODULUS, b"\xff\xff\xff\xff", 256)
        + ulong_attribute(Cka.CLASS, Cko.PUBLIC_KEY)
        + u(Ckr.OK),
    )
    assert await client.call(ask(MODULUS=256, CLASS=8)) == reply(
        "C_GetAttributeValue",
        u32(2) + bytes_attribute(Cka.MODULUS, modulus) + ulong_attribute(Cka.CLASS, Cko.PUBLIC_KEY) + u(Ckr.OK),
    )
    assert await client.call(ask(MODULUS=255, CLASS=8)) == reply(
        "C_GetAttributeValue",
        u32(2) + u32(Cka.MODULUS) + b"\x00" + ulong_attribute(Cka.CLASS, Cko.PUBLIC_KEY) + u(Ckr.BUFFER_TOO_SMALL),
    )


async def login(client: RawClient, pin: bytes | None = PIN) -> int:
    session = await client.open_session(SLOT)
    assert await client.call(request("C_Login", u(session), u(Cku.USER), ay(pin))) == reply("C_Login")
    return session


@pytest.mark.clause("P1", "P2", "P8")
async def test_sign_asks_for_the_length_first(provider: Provider) -> None:
    """gnutls-serv: C_SignInit, C_Sign for the size, C_Sign for the signature; the operation lives on in between."""
    client = await provider.client()
    session = await login(client)
    ecdsa = u32(Ckm.ECDSA) + b"\xff\xff\xff\xff"
    assert await client.call(request("C_SignInit", u(session), ecdsa, u(EC_PRIVATE))) == reply("C_SignInit")
    for room in (0, 0xFFFFFFFF, 63):
        assert await client.call(request("C_Sign", u(session), ay(b"d" * 32), fy(room))) == reply(
            "C_Sign", b"\x00" + u32(64)
        )
    answer = await client.call(request("C_Sign", u(session), ay(b"d" * 32), fy(64)))
    assert answer.startswith(reply("C_Sign", b"\x01" + u32(64)))
    assert len(answer) == len(reply("C_Sign", b"\x01" + u32(64))) + 64
    assert await client.call(request("C_Sign", u(session), ay(b"d" * 32), fy(64))) == error(
        Ckr.OPERATION_NOT_INITIALIZED
    )


async def test_pins_arrive_as_they_were_given(provider: Provider) -> None:
    """A NULL PIN asks for the protected authentication path; an empty PIN is an empty PIN."""
    client = await provider.client()
    session = await client.open_session(SLOT)
    for pin in (None, b"", b"wrong"):
        assert await client.call(request("C_Login", u(session), u(Cku.USER), ay(pin))) == error(Ckr.PIN_INCORRECT)
    assert await client.call(request("C_SetPIN", u(session), ay(b"old"), ay(None))) == reply("C_SetPIN")
    assert await client.call(request("C_InitPIN", u(session), ay(b"new"))) == reply("C_InitPIN")
    assert provider.applications[0].asked == [
        ("login", session, Cku.USER, None),
        ("login", session, Cku.USER, b""),
        ("login", session, Cku.USER, b"wrong"),
        ("set_pin", session, b"old", None),
        ("init_pin", session, b"new"),
    ]


async def test_login_user_has_no_user_names(provider: Provider) -> None:
    client = await provider.client(version=2)
    session = await client.open_session(SLOT)
    arguments = (u(session), u(Cku.USER), ay(PIN))
    assert await client.call(request("C_LoginUser", *arguments, ay(b"eve"))) == error(Ckr.ARGUMENTS_BAD)
    assert await client.call(request("C_LoginUser", *arguments, ay(None))) == reply("C_LoginUser")


@pytest.mark.parametrize(
    ("sent", "label"),
    [(b"short", b"short".ljust(32)), (b"x" * 40, b"x" * 32), (b"x" * 32, b"x" * 32), (b"", b" " * 32)],
)
async def test_version_0_cuts_the_label_of_init_token(provider: Provider, sent: bytes, label: bytes) -> None:
    client = await provider.client()
    assert await client.call(request("C_InitToken", u(SLOT), ay(b"so"), raw(sent))) == reply("C_InitToken")
    assert provider.applications[0].asked == [("init_token", SLOT, b"so", label)]


async def test_init_token_2_has_all_32_bytes(provider: Provider) -> None:
    client = await provider.client(version=1)
    assert await client.call(request("C_InitToken2", u(SLOT), ay(b"so"), raw(b"l" * 32))) == reply("C_InitToken2")
    assert await client.call(request("C_InitToken2", u(SLOT), ay(b"so"), raw(b"l" * 31))) == error(Ckr.DEVICE_ERROR)
    assert await client.call(request("C_InitToken", u(SLOT), ay(b"so"), b"\xff\xff\xff\xff")) == error(
        Ckr.ARGUMENTS_BAD
    )


async def test_newer_calls_need_the_newer_version(provider: Provider) -> None:
    old, new = await provider.client(version=0), await provider.client(version=1)
    init_token_2 = request("C_InitToken2", u(SLOT), ay(b"so"), raw(b"l" * 32))
    derive_2 = request("C_DeriveKey2", u(1), u32(Ckm.ECDSA) + b"\xff\xff\xff\xff", u(2), template())
    assert await old.call(init_token_2) == error(Ckr.FUNCTION_NOT_SUPPORTED)
    assert await old.call(derive_2) == error(Ckr.FUNCTION_NOT_SUPPORTED)
    assert await new.call(derive_2) == error(Ckr.FUNCTION_NOT_SUPPORTED)


async def test_derive_key_2_says_that_the_parameter_is_unchanged(provider: Provider) -> None:
    client = await provider.client(version=2)
    ecdh = u32(Ckm.ECDH1_DERIVE) + b"\x01" + u(1) + b"\xff\xff\xff\xff" + raw(b"\x04point")
    answer = await client.call(request("C_DeriveKey2", u(1), ecdh, u(2), template()))
    assert answer == reply("C_DeriveKey2", u(Ckr.OK) + b"\x00" + u(95))
    assert await client.call(request("C_DeriveKey2", u(1), b"\xff\xff\xff\xff", u(2), template())) == error(
        Ckr.ARGUMENTS_BAD
    )


async def test_calls_that_are_not_offered(provider: Provider) -> None:
    client = await provider.client(version=2)
    session = await client.open_session(SLOT)
    for body in (
        request("C_SignRecoverInit", u(session), u32(Ckm.RSA_PKCS), u(2)),
        request("C_DigestEncryptUpdate", u(session), ay(b""), fy(1)),
        request("C_GetOperationState", u(session), fy(0)),
        request("C_MessageSignFinal", u(session)),
        u32(90) + raw(b""),
        u32(0) + raw(b"u") + u(0),
        u32(0xFFFFFFFF),
    ):
        assert await client.call(body) == error(Ckr.FUNCTION_NOT_SUPPORTED)


async def test_random_and_its_bound(provider: Provider) -> None:
    client = await provider.client()
    session = await client.open_session(SLOT)
    assert await client.call(request("C_GenerateRandom", u(session), fy(3))) == reply(
        "C_GenerateRandom", b"\x01" + raw(b"\x5a" * 3)
    )
    assert await client.call(request("C_GenerateRandom", u(session), fy(0))) == reply(
        "C_GenerateRandom", b"\x01" + raw(b"")
    )
    assert await client.call(request("C_GenerateRandom", u(session), fy(2**31))) == error(Ckr.ARGUMENTS_BAD)
    assert await client.call(request("C_SeedRandom", u(session), ay(b"s"))) == error(Ckr.RANDOM_SEED_NOT_SUPPORTED)


class TestMechanismEncodings:
    """0.25.6 changed the encoding and not the version: the byte that was offered is a guess, the length the proof."""

    LEGACY = u32(Ckm.RSA_PKCS) + b"\xff\xff\xff\xff"
    CURRENT = u32(Ckm.RSA_PKCS)

    @pytest.mark.parametrize("offered", [0, 1, 2])
    async def test_both_are_understood_whatever_was_offered(self, provider: Provider, offered: int) -> None:
        client = await provider.client(version=offered)
        session = await login(client)
        for encoded in (self.LEGACY, self.CURRENT, self.CURRENT, self.LEGACY):
            assert await client.call(request("C_SignInit", u(session), encoded, u(2))) == reply("C_SignInit")
        expected = ("sign_init", session, Mechanism(Ckm.RSA_PKCS), 2)
        assert provider.applications[0].asked[1:] == [expected] * 4

    async def test_parameters_in_both(self, provider: Provider) -> None:
        client = await provider.client(version=1)
        session = await login(client)
        values = u(Ckm.SHA256) + u(2) + u(32)
        for encoded in (u32(Ckm.RSA_PKCS_PSS) + values, u32(Ckm.RSA_PKCS_PSS) + b"\x01" + values):
            assert await client.call(request("C_SignInit", u(session), encoded, u(2))) == reply("C_SignInit")
        expected = Mechanism(Ckm.RSA_PKCS_PSS, PssParameters(Ckm.SHA256, 2, 32))
        assert provider.applications[0].asked[1:] == [("sign_init", session, expected, 2)] * 2

    @pytest.mark.parametrize("offered", [1, 2])
    async def test_a_null_mechanism_cancels(self, provider: Provider, offered: int) -> None:
        client = await provider.client(version=offered)
        session = await login(client)
        assert await client.call(request("C_SignInit", u(session), b"\xff\xff\xff\xff", u(0))) == reply("C_SignInit")
        assert provider.applications[0].asked[1:] == [("sign_init", session, None, 0)]
        assert await client.call(request("C_SessionCancel", u(session), u(0x800))) == reply("C_SessionCancel")

    async def test_a_missing_parameter_is_the_operations_to_judge(self, provider: Provider) -> None:
        """C_GenerateKey with a cipher's mechanism fails for the mechanism, not for its parameter."""
        client = await provider.client(version=2)
        session = await login(client)
        encoded = u32(Ckm.RSA_PKCS_PSS) + b"\x00"
        assert await client.call(request("C_SignInit", u(session), encoded, u(2))) == reply("C_SignInit")
        assert provider.applications[0].asked[1:] == [("sign_init", session, Mechanism(Ckm.RSA_PKCS_PSS), 2)]

    @pytest.mark.parametrize("offered", [0, 2])
    async def test_refusals(self, provider: Provider, offered: int) -> None:
        client = await provider.client(version=offered)
        session = await login(client)
        short_block = raw(b"i" * 15)
        for encoded, ckr in (
            (u32(0x8000_0001), Ckr.MECHANISM_INVALID),
            (u32(Ckm.AES_CBC) + b"\x01" + short_block, Ckr.MECHANISM_PARAM_INVALID),
            (u32(Ckm.AES_CBC) + short_block, Ckr.MECHANISM_PARAM_INVALID),
        ):
            assert await client.call(request("C_EncryptInit", u(session), encoded, u(2))) == error(ckr)


async def test_key_management_arguments(provider: Provider) -> None:
    client = await provider.client(version=2)
    label = template(bytes_attribute(Cka.LABEL, b"new"))
    rsa, aes_cbc = u32(Ckm.RSA_PKCS_KEY_PAIR_GEN), u32(Ckm.AES_CBC) + b"\x01" + raw(b"i" * 16)
    for body, answer in (
        (request("C_CreateObject", u(1), label), reply("C_CreateObject", u(99))),
        (request("C_GenerateKey", u(1), u32(Ckm.AES_KEY_GEN), label), reply("C_GenerateKey", u(98))),
        (request("C_GenerateKeyPair", u(1), rsa, label, template()), reply("C_GenerateKeyPair", u(96) + u(97))),
        (request("C_WrapKey", u(1), aes_cbc, u(2), u(3), fy(9)), reply("C_WrapKey", b"\x01" + raw(b"wrapped"))),
        (request("C_WrapKey", u(1), aes_cbc, u(2), u(3), fy(0)), reply("C_WrapKey", b"\x00" + u32(7))),
        (request("C_UnwrapKey", u(1), aes_cbc, u(2), ay(b"w"), label), reply("C_UnwrapKey", u(94))),
        (request("C_Encrypt", u(1), ay(b"ab"), fy(9)), reply("C_Encrypt", b"\x01" + raw(b"ba"))),
        (request("C_Verify", u(1), ay(b"d"), ay(b"s")), error(Ckr.SIGNATURE_INVALID)),
    ):
        assert await client.call(body) == answer
    new = {Cka.LABEL: b"new"}
    cbc = Mechanism(Ckm.AES_CBC, b"i" * 16)
    assert provider.applications[0].asked == [
        ("create_object", 1, new),
        ("generate_key", 1, Mechanism(Ckm.AES_KEY_GEN), new),
        ("generate_key_pair", 1, Mechanism(Ckm.RSA_PKCS_KEY_PAIR_GEN), new, {}),
        ("wrap_key", 1, cbc, 2, 3, 9),
        ("wrap_key", 1, cbc, 2, 3, None),
        ("unwrap_key", 1, cbc, 2, b"w", new),
        ("verify", 1, b"d", b"s"),
    ]
