"""Secret keys live on the PC for a session: generated, derived by the phone, brought, wrapped; HMAC and digests."""

import asyncio
import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives import keywrap
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.x963kdf import X963KDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cryptoki.desk import ROOM, Client, Desk
from fob_daemon.cryptoki.hash_table import ALL, HashFunction
from fob_daemon.cryptoki.limits import SECRET_SIZE_LIMIT
from fob_daemon.cryptoki.public_keys import load_public_key
from fob_protocol.pkcs11.attributes import Attributes
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Ckd, Ckk, Cko
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.pkcs11.mechanisms import Ecdh1Parameters, Mechanism
from support.token_bench import refused

SECRET: Attributes = {Cka.CLASS: Cko.SECRET_KEY, Cka.KEY_TYPE: Ckk.GENERIC_SECRET}
AES: Attributes = {Cka.CLASS: Cko.SECRET_KEY, Cka.KEY_TYPE: Ckk.AES}
PEER = ec.derive_private_key(4242, ec.SECP256R1())
PEER_POINT = PEER.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def ecdh(kdf: Ckd = Ckd.NULL, point: bytes = PEER_POINT) -> Mechanism:
    """ECDH with the peer."""
    return Mechanism(Ckm.ECDH1_DERIVE, Ecdh1Parameters(kdf, b"", point))


async def value_of(client: Client, session: int, key: int) -> object:
    """CKA_VALUE."""
    return (await client.application.get_attribute_values(session, key, [Cka.VALUE]))[0]


async def shared_secret(client: Client, session: int) -> bytes:
    """The peer's side of the exchange."""
    handle = client.public(session, "ec")
    types = [Cka.KEY_TYPE, Cka.EC_PARAMS, Cka.EC_POINT]
    values = await client.application.get_attribute_values(session, handle, types)
    attributes: Attributes = {t: v for t, v in zip(types, values, strict=True) if not isinstance(v, Ckr)}
    public = load_public_key(attributes)
    assert isinstance(public, ec.EllipticCurvePublicKey)
    return PEER.exchange(ec.ECDH(), public)


@pytest.mark.clause("P9")
async def test_a_derived_secret_is_one_request_and_readable(desk: Desk, client: Client) -> None:
    """systemd-cryptenroll: an extractable session secret, its value read back."""
    session, application = await client.user_session(), client.application
    shared = await shared_secret(client, session)
    key = client.key(session, "ec")
    with desk.crossing(C_DERIVEKEY=1):
        secret = await application.derive_key(session, ecdh(), key, SECRET | {Cka.EXTRACTABLE: True})
        assert await value_of(client, session, secret) == shared
    cut = await application.derive_key(session, ecdh(), key, AES | {Cka.VALUE_LEN: 16})
    assert await value_of(client, session, cut) == shared[-16:]
    wrapped_point = b"\x04\x41" + PEER_POINT
    expanded = await application.derive_key(
        session, ecdh(Ckd.SHA256_KDF, wrapped_point), key, SECRET | {Cka.VALUE_LEN: 48}
    )
    kdf = X963KDF(ALL[2].algorithm, 48, b"")
    assert await value_of(client, session, expanded) == kdf.derive(shared)


@pytest.mark.parametrize(
    ("mechanism", "template", "ckr"),
    [
        (Mechanism(Ckm.ECDSA), SECRET, Ckr.MECHANISM_INVALID),
        (Mechanism(Ckm.ECDH1_DERIVE), SECRET, Ckr.MECHANISM_PARAM_INVALID),
        (ecdh(), SECRET | {Cka.TOKEN: True}, Ckr.TEMPLATE_INCONSISTENT),
        (ecdh(), SECRET | {Cka.VALUE: b"mine"}, Ckr.TEMPLATE_INCONSISTENT),
        (ecdh(), {Cka.CLASS: Cko.DATA}, Ckr.TEMPLATE_INCONSISTENT),
        (ecdh(), SECRET | {Cka.MODULUS: b"1"}, Ckr.ATTRIBUTE_TYPE_INVALID),
        (ecdh(), {Cka.KEY_TYPE: Ckk.RSA}, Ckr.ATTRIBUTE_VALUE_INVALID),
    ],
)
async def test_a_wrong_derivation_is_refused_on_the_pc(
    desk: Desk, client: Client, mechanism: Mechanism, template: Attributes, ckr: Ckr
) -> None:
    session = await client.user_session()
    key = client.key(session, "ec")
    with desk.crossing(), refused(ckr):
        await client.application.derive_key(session, mechanism, key, template)


@pytest.mark.parametrize(
    ("mechanism", "template", "ckr"),
    [
        (ecdh(point=b"\x04" + bytes(64)), SECRET, Ckr.MECHANISM_PARAM_INVALID),
        (ecdh(), SECRET | {Cka.SENSITIVE: True}, Ckr.TEMPLATE_INCONSISTENT),
        (ecdh(), SECRET | {Cka.EXTRACTABLE: False}, Ckr.TEMPLATE_INCONSISTENT),
        (ecdh(), SECRET | {Cka.VALUE_LEN: 33}, Ckr.TEMPLATE_INCONSISTENT),
    ],
)
async def test_what_the_phone_refuses_to_derive(
    client: Client, mechanism: Mechanism, template: Attributes, ckr: Ckr
) -> None:
    session = await client.user_session()
    with refused(ckr):
        await client.application.derive_key(session, mechanism, client.key(session, "ec"), template)


async def test_only_an_ec_key_that_may_derive_derives(desk: Desk, client: Client) -> None:
    session = await client.user_session()
    with desk.crossing():
        with refused(Ckr.KEY_TYPE_INCONSISTENT):
            await client.application.derive_key(session, ecdh(), client.public(session, "ec"), SECRET)
        with refused(Ckr.KEY_FUNCTION_NOT_PERMITTED):
            await client.application.derive_key(session, ecdh(), client.key(session, "rsa"), SECRET)


async def test_generated_keys_stay_on_the_pc(desk: Desk, client: Client) -> None:
    session, application = client.session(), client.application
    with desk.crossing():
        key = await application.generate_key(session, Mechanism(Ckm.AES_KEY_GEN), {Cka.VALUE_LEN: 32})
        types = [Cka.KEY_TYPE, Cka.LOCAL, Cka.KEY_GEN_MECHANISM, Cka.VALUE_LEN, Cka.ENCRYPT, Cka.TOKEN]
        assert await application.get_attribute_values(session, key, types) == [
            *(Ckk.AES, True, Ckm.AES_KEY_GEN, 32, True, False)
        ]
        hidden = await application.generate_key(
            session, Mechanism(Ckm.GENERIC_SECRET_KEY_GEN), {Cka.VALUE_LEN: 20, Cka.SENSITIVE: True}
        )
        assert await value_of(client, session, hidden) is Ckr.ATTRIBUTE_SENSITIVE
        assert client.find(session, VALUE_LEN=20) == [hidden]


@pytest.mark.parametrize(
    ("mechanism", "template", "ckr"),
    [
        (Ckm.DES3_KEY_GEN, {}, Ckr.MECHANISM_INVALID),
        (Ckm.AES_KEY_GEN, {}, Ckr.TEMPLATE_INCOMPLETE),
        (Ckm.AES_KEY_GEN, {Cka.VALUE_LEN: 17}, Ckr.ATTRIBUTE_VALUE_INVALID),
        (Ckm.AES_KEY_GEN, {Cka.VALUE_LEN: 16, Cka.KEY_TYPE: Ckk.GENERIC_SECRET}, Ckr.TEMPLATE_INCONSISTENT),
        (Ckm.AES_KEY_GEN, {Cka.VALUE_LEN: 16, Cka.TOKEN: True}, Ckr.TEMPLATE_INCONSISTENT),
        (Ckm.GENERIC_SECRET_KEY_GEN, {Cka.VALUE_LEN: 1 << 62}, Ckr.ATTRIBUTE_VALUE_INVALID),
        (Ckm.GENERIC_SECRET_KEY_GEN, {Cka.VALUE_LEN: SECRET_SIZE_LIMIT + 1}, Ckr.ATTRIBUTE_VALUE_INVALID),
    ],
)
async def test_a_wrong_generation(client: Client, mechanism: Ckm, template: Attributes, ckr: Ckr) -> None:
    session = client.session()
    with refused(ckr):
        await client.application.generate_key(session, Mechanism(mechanism), template)


@pytest.mark.parametrize("function", ALL, ids=lambda function: function.name)
async def test_hmac_and_digest_are_the_standard_librarys(desk: Desk, client: Client, function: HashFunction) -> None:
    session, application = client.session(), client.application
    with desk.crossing():
        key = await application.create_object(session, SECRET | {Cka.VALUE: b"a key"})
        expected = hmac.digest(b"a key", b"message", function.name)
        mechanism = Mechanism(function.hmac)
        application.sign_init(session, mechanism, key)
        await application.sign_update(session, b"mess")
        await application.sign_update(session, b"age")
        assert await application.sign_final(session, None) == len(expected)
        assert await application.sign_final(session, ROOM) == expected
        application.verify_init(session, mechanism, key)
        await application.verify(session, b"message", expected)
        application.verify_init(session, mechanism, key)
        with refused(Ckr.SIGNATURE_INVALID):
            await application.verify(session, b"massage", expected)

        application.digest_init(session, Mechanism(function.mechanism))
        await application.digest_update(session, b"message")
        application.digest_key(session, key)
        assert application.digest_final(session, 3) == function.size
        assert application.digest_final(session, ROOM) == hashlib.new(function.name, b"messagea key").digest()
        application.digest_init(session, Mechanism(function.mechanism))
        assert await application.digest(session, b"message", None) == function.size
        assert await application.digest(session, b"message", ROOM) == hashlib.new(function.name, b"message").digest()


async def test_digests_of_large_parts_leave_the_loop(client: Client) -> None:
    session, application = client.session(), client.application
    application.digest_init(session, Mechanism(Ckm.SHA256))
    await application.digest_update(session, bytes(1_000_000))
    await application.digest_update(session, b"end")
    assert application.digest_final(session, ROOM) == hashlib.sha256(bytes(1_000_000) + b"end").digest()


async def test_a_sensitive_key_is_not_hashed(client: Client) -> None:
    session, application = client.session(), client.application
    hidden = await application.create_object(session, SECRET | {Cka.VALUE: b"a key", Cka.SENSITIVE: True})
    application.digest_init(session, Mechanism(Ckm.SHA256))
    with refused(Ckr.KEY_INDIGESTIBLE):
        application.digest_key(session, hidden)
    with refused(Ckr.MECHANISM_INVALID):
        application.digest_init(session, Mechanism(Ckm.MD5))
    with refused(Ckr.MECHANISM_PARAM_INVALID):
        application.digest_init(session, Mechanism(Ckm.SHA256, b"parameter"))


async def test_aes_wraps_and_unwraps(desk: Desk, client: Client) -> None:
    session, application = client.session(), client.application
    kek = await application.create_object(session, AES | {Cka.VALUE: bytes(range(16))})
    key = await application.create_object(session, SECRET | {Cka.VALUE: b"sixteen octets!!"})
    odd = await application.create_object(session, SECRET | {Cka.VALUE: b"odd"})
    with desk.crossing():
        wrapped = await application.wrap_key(session, Mechanism(Ckm.AES_KEY_WRAP), kek, key, ROOM)
        assert wrapped == keywrap.aes_key_wrap(bytes(range(16)), b"sixteen octets!!")
        assert isinstance(wrapped, bytes)
        assert await application.wrap_key(session, Mechanism(Ckm.AES_KEY_WRAP), kek, key, None) == len(wrapped)
        back = await application.unwrap_key(session, Mechanism(Ckm.AES_KEY_WRAP), kek, wrapped, AES)
        assert await value_of(client, session, back) == b"sixteen octets!!"
        padded = await application.wrap_key(session, Mechanism(Ckm.AES_KEY_WRAP_PAD), kek, odd, ROOM)
        assert isinstance(padded, bytes)
        with refused(Ckr.KEY_SIZE_RANGE):
            await application.wrap_key(session, Mechanism(Ckm.AES_KEY_WRAP), kek, odd, ROOM)
        with refused(Ckr.WRAPPED_KEY_INVALID):
            await application.unwrap_key(session, Mechanism(Ckm.AES_KEY_WRAP), kek, padded, SECRET)
        with refused(Ckr.KEY_UNEXTRACTABLE):
            fixed = await application.create_object(session, SECRET | {Cka.VALUE: b"x", Cka.EXTRACTABLE: False})
            await application.wrap_key(session, Mechanism(Ckm.AES_KEY_WRAP_PAD), kek, fixed, ROOM)
        with refused(Ckr.MECHANISM_INVALID):
            await application.wrap_key(session, Mechanism(Ckm.AES_CBC), kek, key, ROOM)


async def wrapping_pair(client: Client, session: int) -> tuple[int, int]:
    """An RSA pair of the phone that wraps and unwraps."""
    both: Attributes = {Cka.TOKEN: True}
    return await client.application.generate_key_pair(
        session,
        Mechanism(Ckm.RSA_PKCS_KEY_PAIR_GEN),
        both | {Cka.MODULUS_BITS: 2048, Cka.WRAP: True},
        both | {Cka.UNWRAP: True},
    )


async def test_a_key_wrapped_for_the_phone_is_one_request(desk: Desk, client: Client) -> None:
    session, application = await client.user_session(), client.application
    key = await application.create_object(session, AES | {Cka.VALUE: bytes(range(32))})
    public, private = await wrapping_pair(client, session)
    with desk.crossing(C_DECRYPT=1):
        assert await application.wrap_key(session, Mechanism(Ckm.RSA_PKCS), public, key, None) == 256
        wrapped = await application.wrap_key(session, Mechanism(Ckm.RSA_PKCS), public, key, 256)
        assert isinstance(wrapped, bytes)
        back = await application.unwrap_key(session, Mechanism(Ckm.RSA_PKCS), private, wrapped, AES)
    assert await value_of(client, session, back) == bytes(range(32))
    with refused(Ckr.KEY_UNEXTRACTABLE):
        await application.wrap_key(session, Mechanism(Ckm.RSA_PKCS), public, private, None)


async def test_a_refused_wrapping_says_which_key_is_at_fault(desk: Desk, client: Client) -> None:
    session, application = await client.user_session(), client.application
    key = await application.create_object(session, AES | {Cka.VALUE: bytes(range(32))})
    note = await application.create_object(session, {Cka.CLASS: Cko.DATA})
    public, private = await wrapping_pair(client, session)
    rsa, ec = Mechanism(Ckm.RSA_PKCS), client.public(session, "ec")
    with desk.crossing():
        for wrapping, mechanism, ckr in (
            (note, rsa, Ckr.WRAPPING_KEY_TYPE_INCONSISTENT),
            (ec, rsa, Ckr.WRAPPING_KEY_TYPE_INCONSISTENT),
            (key, rsa, Ckr.WRAPPING_KEY_TYPE_INCONSISTENT),
            (public, Mechanism(Ckm.AES_KEY_WRAP), Ckr.WRAPPING_KEY_TYPE_INCONSISTENT),
            (private, rsa, Ckr.WRAPPING_KEY_TYPE_INCONSISTENT),
            (client.public(session, "rsa"), rsa, Ckr.KEY_FUNCTION_NOT_PERMITTED),
            (key, Mechanism(Ckm.AES_CBC, bytes(16)), Ckr.MECHANISM_INVALID),
        ):
            with refused(ckr):
                await application.wrap_key(session, mechanism, wrapping, key, ROOM)
        for unwrapping, mechanism, ckr in (
            (ec, rsa, Ckr.UNWRAPPING_KEY_TYPE_INCONSISTENT),
            (public, rsa, Ckr.UNWRAPPING_KEY_TYPE_INCONSISTENT),
            (client.key(session, "rsa"), rsa, Ckr.KEY_FUNCTION_NOT_PERMITTED),
            (private, Mechanism(Ckm.RSA_PKCS_OAEP), Ckr.MECHANISM_PARAM_INVALID),
        ):
            with refused(ckr):
                await application.unwrap_key(session, mechanism, unwrapping, bytes(256), AES)
        with refused(Ckr.WRAPPED_KEY_LEN_RANGE):
            await application.unwrap_key(session, rsa, private, bytes(255), AES)
        with refused(Ckr.WRAPPED_KEY_INVALID):
            await application.unwrap_key(session, Mechanism(Ckm.AES_KEY_WRAP), key, bytes(23), AES)


async def test_what_was_not_wrapped_for_this_key_is_one_error(desk: Desk, client: Client) -> None:
    """A wrong padding, a right one around no AES key, and a right key of another length tell nobody which it was."""
    session, application = await client.user_session(), client.application
    public, private = await wrapping_pair(client, session)
    rsa = Mechanism(Ckm.RSA_PKCS)
    with desk.crossing(C_DECRYPT=5):
        for value in (b"no AES key", bytes(16)):
            key = await application.create_object(session, SECRET | {Cka.VALUE: value})
            wrapped = await application.wrap_key(session, rsa, public, key, 256)
            assert isinstance(wrapped, bytes)
            with refused(Ckr.WRAPPED_KEY_INVALID):
                await application.unwrap_key(session, rsa, private, wrapped, AES | {Cka.VALUE_LEN: 32})
        for first in range(3):
            junk = bytes((first,)) * 256
            # Decrypted by implicit rejection it has a length by chance: one in 250 has a key's, and is taken for one.
            (result,) = await asyncio.gather(
                application.unwrap_key(session, rsa, private, junk, AES | {Cka.VALUE_LEN: 32}), return_exceptions=True
            )
            assert isinstance(result, int) or (isinstance(result, CkrError) and result.ckr is Ckr.WRAPPED_KEY_INVALID)
