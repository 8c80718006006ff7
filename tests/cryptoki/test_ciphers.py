"""C_Encrypt and C_Decrypt: on the PC with public and session keys, on the phone with one request."""

import os

import pytest
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from cryptoki.desk import ROOM, Client, Desk
from fob_daemon.cryptoki.hash_table import SHA256
from fob_daemon.cryptoki.limits import GCM_LIMIT
from fob_daemon.cryptoki.operations.aes import begin_aes
from fob_protocol.pkcs11.attributes import Attributes
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Ckk, Cko
from fob_protocol.pkcs11.mechanisms import CtrParameters, GcmParameters, Mechanism, OaepParameters
from support.token_bench import refused
from support.virtual_loop import run_virtually

KEY = bytes(range(32))
IV = bytes(range(16, 32))
ECB, CBC, CBC_PAD = Mechanism(Ckm.AES_ECB), Mechanism(Ckm.AES_CBC, IV), Mechanism(Ckm.AES_CBC_PAD, IV)
CTR = Mechanism(Ckm.AES_CTR, CtrParameters(128, IV))
GCM = Mechanism(Ckm.AES_GCM, GcmParameters(IV[:12], b"header", 128))
EVERY_AES = [ECB, CBC, CBC_PAD, CTR, GCM]
OAEP = Mechanism(Ckm.RSA_PKCS_OAEP, OaepParameters(SHA256.mechanism, SHA256.mgf, 1, b""))


def reference(mechanism: Mechanism, data: bytes) -> bytes:
    """The ciphertext, made with the library directly."""
    mode: modes.Mode
    match mechanism.type:
        case Ckm.AES_ECB:
            mode = modes.ECB()  # noqa: S305 - compared with
        case Ckm.AES_CBC:
            mode = modes.CBC(IV)
        case Ckm.AES_CBC_PAD:
            mode, padder = modes.CBC(IV), padding.PKCS7(128).padder()
            data = padder.update(data) + padder.finalize()
        case Ckm.AES_CTR:
            mode = modes.CTR(IV)
        case _:
            encryptor = Cipher(algorithms.AES(KEY), modes.GCM(IV[:12])).encryptor()
            encryptor.authenticate_additional_data(b"header")
            return encryptor.update(data) + encryptor.finalize() + encryptor.tag
    context = Cipher(algorithms.AES(KEY), mode).encryptor()
    return bytes(context.update(data) + context.finalize())


@given(st.sampled_from(EVERY_AES), st.lists(st.binary(max_size=40), max_size=6), st.booleans(), st.booleans())
def test_any_cut_into_parts_gives_the_same(
    mechanism: Mechanism, parts: list[bytes], asks_lengths: bool, is_encryption: bool
) -> None:
    plaintext = b"".join(parts)
    if mechanism in (ECB, CBC):
        plaintext = plaintext[: len(plaintext) // 16 * 16]
    ciphertext = reference(mechanism, plaintext)
    start, end = (plaintext, ciphertext) if is_encryption else (ciphertext, plaintext)

    async def story() -> None:
        operation = begin_aes(mechanism, KEY, is_encryption=is_encryption)
        output, place = b"", 0
        for part in [*map(len, parts), len(start)]:
            piece, place = start[place : place + part], place + part
            if asks_lengths:
                length = await operation.update(piece, None)
                assert isinstance(length, int)
                done = await operation.update(piece, length)
                assert isinstance(done, bytes)
                assert len(done) == length
            else:
                done = await operation.update(piece, ROOM)
            assert isinstance(done, bytes)
            output += done
        if asks_lengths:
            most = await operation.final(None)
            assert isinstance(most, int)
        last = await operation.final(ROOM)
        assert isinstance(last, bytes)
        assert output + last == end
        whole = begin_aes(mechanism, KEY, is_encryption=is_encryption)
        most = await whole.whole(start, None)
        assert isinstance(most, int)
        assert most >= len(end)
        short = await whole.whole(start, len(end) - 1) if end else 0
        assert isinstance(short, int)
        assert await whole.whole(start, len(end)) == end

    run_virtually(story())


async def aes_key(client: Client, session: int) -> int:
    """A session key that a program brings."""
    template: Attributes = {Cka.CLASS: Cko.SECRET_KEY, Cka.KEY_TYPE: Ckk.AES, Cka.VALUE: KEY}
    return await client.application.create_object(session, template)


@pytest.mark.clause("P2", "P9")
async def test_a_session_key_encrypts_on_the_pc(desk: Desk, client: Client) -> None:
    session, application = client.session(), client.application
    data = os.urandom(100_000 // 16 * 16)
    with desk.crossing():
        key = await aes_key(client, session)
        for mechanism in EVERY_AES:
            application.encrypt_init(session, mechanism, key)
            ciphertext = await application.encrypt(session, data, 200_000)
            assert ciphertext == reference(mechanism, data)
            assert isinstance(ciphertext, bytes)
            application.decrypt_init(session, mechanism, key)
            parts = [await application.decrypt_update(session, ciphertext, 200_000)]
            parts.append(await application.decrypt_final(session, 200_000))
            assert b"".join(part for part in parts if isinstance(part, bytes)) == data


async def test_damage_is_noticed(client: Client) -> None:
    session, application = client.session(), client.application
    key = await aes_key(client, session)
    ciphertext = bytearray(reference(GCM, b"plaintext"))
    ciphertext[0] ^= 1
    for mechanism, data, ckr in (
        (GCM, bytes(ciphertext), Ckr.ENCRYPTED_DATA_INVALID),
        (GCM, b"short", Ckr.ENCRYPTED_DATA_LEN_RANGE),
        (CBC_PAD, reference(CBC, bytes(16)), Ckr.ENCRYPTED_DATA_INVALID),
        (CBC_PAD, b"short", Ckr.ENCRYPTED_DATA_LEN_RANGE),
        (CBC_PAD, b"", Ckr.ENCRYPTED_DATA_LEN_RANGE),
        (CBC, b"short", Ckr.ENCRYPTED_DATA_LEN_RANGE),
    ):
        application.decrypt_init(session, mechanism, key)
        with refused(ckr):
            await application.decrypt(session, data, ROOM)
        with refused(Ckr.OPERATION_NOT_INITIALIZED):
            await application.decrypt(session, data, ROOM)
    application.encrypt_init(session, CBC, key)
    with refused(Ckr.DATA_LEN_RANGE):
        await application.encrypt(session, b"short", ROOM)


async def test_gcm_shows_nothing_before_its_tag_and_keeps_no_more_than_its_bound(client: Client) -> None:
    session, application = client.session(), client.application
    key = await aes_key(client, session)
    application.decrypt_init(session, GCM, key)
    assert await application.decrypt_update(session, reference(GCM, b"plaintext"), ROOM) == b""
    assert await application.decrypt_final(session, ROOM) == b"plaintext"
    application.decrypt_init(session, GCM, key)
    with refused(Ckr.ENCRYPTED_DATA_LEN_RANGE):
        await application.decrypt(session, bytes(GCM_LIMIT + 1), ROOM)


async def test_a_narrow_counter_does_not_wrap(client: Client) -> None:
    session, application = client.session(), client.application
    key = await aes_key(client, session)
    narrow = Mechanism(Ckm.AES_CTR, CtrParameters(8, bytes(15) + b"\xfe"))
    application.encrypt_init(session, narrow, key)
    assert isinstance(await application.encrypt(session, bytes(32), ROOM), bytes)
    application.encrypt_init(session, narrow, key)
    with refused(Ckr.DATA_LEN_RANGE):
        await application.encrypt(session, bytes(33), ROOM)
    application.decrypt_init(session, narrow, key)
    with refused(Ckr.ENCRYPTED_DATA_LEN_RANGE):
        await application.decrypt(session, bytes(33), ROOM)


@pytest.mark.parametrize(
    "mechanism",
    [
        Mechanism(Ckm.AES_ECB, IV),
        Mechanism(Ckm.AES_CBC),
        Mechanism(Ckm.AES_CBC, IV[:8]),
        Mechanism(Ckm.AES_CTR, IV),
        Mechanism(Ckm.AES_CTR, CtrParameters(0, IV)),
        Mechanism(Ckm.AES_CTR, CtrParameters(129, IV)),
        Mechanism(Ckm.AES_GCM, GcmParameters(b"", b"", 128)),
        Mechanism(Ckm.AES_GCM, GcmParameters(IV, b"", 8)),
    ],
)
async def test_wrong_parameters(client: Client, mechanism: Mechanism) -> None:
    session = client.session()
    key = await aes_key(client, session)
    for init in (client.application.encrypt_init, client.application.decrypt_init):
        with refused(Ckr.MECHANISM_PARAM_INVALID):
            init(session, mechanism, key)


@pytest.mark.clause("P9")
@pytest.mark.parametrize(("mechanism", "most"), [(Mechanism(Ckm.RSA_PKCS), 245), (OAEP, 190)])
async def test_rsa_encrypts_on_the_pc_and_decrypts_with_one_request(
    desk: Desk, client: Client, mechanism: Mechanism, most: int
) -> None:
    session, application = await client.user_session(), client.application
    with desk.crossing():
        application.encrypt_init(session, mechanism, client.public(session, "rsa"))
        assert await application.encrypt(session, b"secret", None) == 256
        ciphertext = await application.encrypt(session, b"secret", 256)
        assert isinstance(ciphertext, bytes)
        key = client.key(session, "rsa")
        application.decrypt_init(session, mechanism, key)
        assert await application.decrypt(session, ciphertext, None) == most
    with desk.crossing(C_DECRYPT=1):
        assert await application.decrypt(session, ciphertext, 3) == 6, "too small: kept for the next call"
        assert await application.decrypt(session, ciphertext, 6) == b"secret"
    application.decrypt_init(session, mechanism, key)
    with desk.crossing(C_DECRYPT=1):
        await application.decrypt_update(session, ciphertext[:100], ROOM)
        await application.decrypt_update(session, ciphertext[100:], ROOM)
        assert await application.decrypt_final(session, None) == most
        assert await application.decrypt_final(session, ROOM) == b"secret"


async def test_a_wrong_rsa_padding_looks_like_a_right_one(desk: Desk, client: Client) -> None:
    """The same return value and the same cost (Bleichenbacher); a ciphertext always has the same octets."""
    session, application = await client.user_session(), client.application
    key = client.key(session, "rsa")

    async def decrypted(ciphertext: bytes) -> bytes:
        application.decrypt_init(session, Mechanism(Ckm.RSA_PKCS), key)
        with desk.crossing(C_DECRYPT=1):
            plaintext = await application.decrypt(session, ciphertext, ROOM)
        assert isinstance(plaintext, bytes)
        return plaintext

    junk = [bytes((number,)) * 256 for number in range(1, 9)]
    plaintexts = [await decrypted(ciphertext) for ciphertext in junk]
    assert plaintexts == [await decrypted(ciphertext) for ciphertext in junk]
    assert len(set(plaintexts)) > 1


async def test_a_kept_plaintext_is_for_its_own_ciphertext(desk: Desk, client: Client) -> None:
    session, application = await client.user_session(), client.application
    ciphertexts = []
    for plaintext in (b"one", b"two"):
        application.encrypt_init(session, OAEP, client.public(session, "rsa"))
        ciphertexts.append(await application.encrypt(session, plaintext, ROOM))
    one, two = ciphertexts
    assert isinstance(one, bytes)
    assert isinstance(two, bytes)
    application.decrypt_init(session, OAEP, client.key(session, "rsa"))
    with desk.crossing(C_DECRYPT=2):
        assert await application.decrypt(session, one, 1) == 3
        assert await application.decrypt(session, two, 3) == b"two"


async def test_wrong_rsa_calls_are_refused_on_the_pc(desk: Desk, client: Client) -> None:
    session, application = await client.user_session(), client.application
    public, private = client.public(session, "rsa"), client.key(session, "rsa")
    no_label = OaepParameters(SHA256.mechanism, SHA256.mgf, 0, b"label")
    with desk.crossing():
        for mechanism, ckr in (
            (Mechanism(Ckm.RSA_PKCS_OAEP), Ckr.MECHANISM_PARAM_INVALID),
            (Mechanism(Ckm.RSA_PKCS_OAEP, no_label), Ckr.MECHANISM_PARAM_INVALID),
            (Mechanism(Ckm.RSA_PKCS_OAEP, OaepParameters(1, 1, 1, b"")), Ckr.MECHANISM_PARAM_INVALID),
            (Mechanism(Ckm.RSA_PKCS, b"x"), Ckr.MECHANISM_PARAM_INVALID),
            (Mechanism(Ckm.DES3_CBC), Ckr.MECHANISM_INVALID),
        ):
            with refused(ckr):
                application.encrypt_init(session, mechanism, public)
            with refused(ckr):
                application.decrypt_init(session, mechanism, private)
        application.encrypt_init(session, OAEP, public)
        with refused(Ckr.DATA_LEN_RANGE):
            await application.encrypt(session, bytes(191), ROOM)
        application.decrypt_init(session, OAEP, private)
        with refused(Ckr.ENCRYPTED_DATA_LEN_RANGE):
            await application.decrypt(session, bytes(255), ROOM)
        with refused(Ckr.KEY_TYPE_INCONSISTENT):
            application.encrypt_init(session, OAEP, private)
        with refused(Ckr.KEY_FUNCTION_NOT_PERMITTED):
            application.encrypt_init(session, OAEP, client.public(session, "ec"))
    application.decrypt_init(session, OAEP, private)
    with refused(Ckr.ENCRYPTED_DATA_INVALID):
        await application.decrypt(session, bytes(256), ROOM)
