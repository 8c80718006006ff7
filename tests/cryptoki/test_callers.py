"""Who asks reaches the device with the use of a key: once in full, then by number, and at no round trip of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cryptoki.desk import ROOM, SIGN, Client, Desk, Thinker
from fob_device.approval.asking import Asking
from fob_device.approval.questions import YES, Decision, Prompt, Question
from fob_device.pad.entry import PinEntry
from fob_device.pad.pin_pad import Check
from fob_protocol.at.answer import Answer
from fob_protocol.caller import CALLER_UNKNOWN, Caller, Purpose
from fob_protocol.pkcs11.attributes import Attributes
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Ckd, Ckk, Cko, Cku
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.pkcs11.mechanisms import Ecdh1Parameters, Mechanism
from support.token_bench import USER_PIN

SSH = Caller(("ssh", "git", "zsh"), Purpose.LOGIN, host="github.com")
FIREFOX = Caller(("firefox",))
ECDSA = Mechanism(Ckm.ECDSA)
DIGEST = bytes(32)
CLIENT_VERIFY = b" " * 64 + b"TLS 1.3, client CertificateVerify\0" + bytes(32)


class Listener(Thinker):
    """A person who says yes to everything, and remembers who asked."""

    def __init__(self, typed_pin: bytes | None = None) -> None:
        super().__init__(typed_pin)
        self.callers: list[Caller] = []

    def is_silent(self, question: Question) -> bool:
        """As with a rule that says yes."""
        return True

    async def decide(self, prompt: Prompt) -> Decision:
        """Yes."""
        self.callers.append(prompt.question.caller)
        return YES

    async def log_in(self, entry: PinEntry, check: Check[bytes], asking: Asking) -> bytes | None:
        """The PIN, on the pad."""
        self.callers.append(entry.caller)
        return await super().log_in(entry, check, asking)


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
async def heard(tmp_path: Path, listener: Listener) -> AsyncIterator[Desk]:
    async with Desk.opened(tmp_path, listener) as desk:
        yield desk


async def sign(client: Client, session: int, name: str, mechanism: Mechanism, *parts: bytes) -> None:
    application = client.application
    application.sign_init(session, mechanism, client.key(session, name))
    if len(parts) == 1:
        assert isinstance(await application.sign(session, parts[0], ROOM), bytes)
        return
    for part in parts:
        await application.sign_update(session, part)
    assert isinstance(await application.sign_final(session, ROOM), bytes)


@pytest.mark.clause("P9")
async def test_each_signature_says_who_asks_at_one_round_trip(heard: Desk, listener: Listener) -> None:
    asking = [SSH]
    client = heard.client(lambda: asking[0])
    # The program at its login is told there.
    session = await client.user_session()
    octets = []
    for caller in (SSH, SSH, FIREFOX, SSH, FIREFOX):
        asking[0] = caller
        before = heard.link.octets
        with heard.crossing(C_SIGN=1):
            await sign(client, session, "ec", ECDSA, DIGEST)
        octets.append(heard.link.octets - before)
    assert listener.callers == [SSH, SSH, FIREFOX, SSH, FIREFOX]
    warm = octets[1]
    assert octets == [warm, warm, warm + len(",#231") + len(FIREFOX.to_block()), warm, warm]


async def test_every_pin_prompt_says_who_asks(tmp_path: Path) -> None:
    listener = Listener(USER_PIN)
    async with Desk.opened(tmp_path, listener) as desk:
        client = desk.client(lambda: SSH)
        session = client.session()
        for _ in range(3):
            with desk.crossing(C_LOGIN=1):
                await client.application.login(session, Cku.USER, None)
            await client.application.logout(session)
        # A phone that forgot whom the number stands for asks for the caller before it asks for the PIN.
        desk.link.disconnect()
        desk.link.connect()
        with desk.crossing(C_LOGIN=2):
            await client.application.login(session, Cku.USER, None)
    assert listener.callers == [SSH] * 4


async def test_a_program_that_nobody_knows_is_nobody(heard: Desk, listener: Listener) -> None:
    client = heard.client()
    session = await client.user_session()
    await sign(client, session, "ec", ECDSA, DIGEST)
    assert listener.callers == [Caller()]


async def test_a_phone_that_forgot_is_told_again_with_one_more_round_trip(heard: Desk, listener: Listener) -> None:
    client = heard.client(lambda: SSH)
    session = await client.user_session()
    await sign(client, session, "ec", ECDSA, DIGEST)
    # The loopback's boot stays the same, as if the phone had lost its memory of callers alone.
    heard.link.disconnect()
    heard.link.connect()
    with heard.crossing(FOBRESUME=1, C_SIGN=2):
        await sign(client, session, "ec", ECDSA, DIGEST)
    with heard.crossing(C_SIGN=1):
        await sign(client, session, "ec", ECDSA, DIGEST)
    assert listener.callers == [SSH, SSH, SSH]


async def test_a_phone_that_never_learns_is_asked_no_third_time(heard: Desk) -> None:
    client = heard.client(lambda: SSH)
    session = await client.user_session()
    await sign(client, session, "ec", ECDSA, DIGEST)
    heard.link.replies[SIGN] = Answer(ckr=CALLER_UNKNOWN)
    for round_trips in (2, 2):
        with heard.crossing(C_SIGN=round_trips), pytest.raises(CkrError) as caught:
            await sign(client, session, "ec", ECDSA, DIGEST)
        assert caught.value.ckr is Ckr.DEVICE_ERROR


async def test_decryption_and_derivation_say_who_asks(heard: Desk, listener: Listener) -> None:
    client = heard.client(lambda: FIREFOX)
    session = await client.user_session()
    application = client.application
    application.encrypt_init(session, Mechanism(Ckm.RSA_PKCS), client.public(session, "rsa"))
    secret = await application.encrypt(session, b"secret", ROOM)
    assert isinstance(secret, bytes)
    application.decrypt_init(session, Mechanism(Ckm.RSA_PKCS), client.key(session, "rsa"))
    assert await application.decrypt(session, secret, ROOM) == b"secret"
    (point,) = await application.get_attribute_values(session, client.public(session, "ec"), [Cka.EC_POINT])
    assert isinstance(point, bytes)
    ecdh = Mechanism(Ckm.ECDH1_DERIVE, Ecdh1Parameters(Ckd.NULL, b"", point[2:]))
    template: Attributes = {Cka.CLASS: Cko.SECRET_KEY, Cka.KEY_TYPE: Ckk.GENERIC_SECRET}
    with heard.crossing(C_DERIVEKEY=1):
        await application.derive_key(session, ecdh, client.key(session, "ec"), template)
    assert listener.callers == [FIREFOX, FIREFOX]


@pytest.mark.parametrize(
    ("name", "mechanism", "parts"),
    [
        ("ec", Ckm.ECDSA_SHA256, (CLIENT_VERIFY,)),
        ("ec", Ckm.ECDSA_SHA256, (CLIENT_VERIFY[:50], CLIENT_VERIFY[50:])),
        ("ed", Ckm.EDDSA, (CLIENT_VERIFY,)),
        ("rsa", Ckm.SHA256_RSA_PKCS, (CLIENT_VERIFY,)),
    ],
)
async def test_the_data_tells_a_tls_client(
    heard: Desk, listener: Listener, name: str, mechanism: Ckm, parts: tuple[bytes, ...]
) -> None:
    client = heard.client(lambda: FIREFOX)
    session = await client.user_session()
    await sign(client, session, name, Mechanism(mechanism), *parts)
    await sign(client, session, name, Mechanism(mechanism), b"a letter")
    assert listener.callers == [Caller(("firefox",), Purpose.TLS_CLIENT), FIREFOX]


async def test_a_digest_tells_nothing_and_a_login_stays_one(heard: Desk, listener: Listener) -> None:
    client = heard.client(lambda: FIREFOX)
    session = await client.user_session()
    await sign(client, session, "ec", ECDSA, DIGEST)
    ssh = heard.client(lambda: SSH)
    other = await ssh.user_session()
    await sign(ssh, other, "ed", Mechanism(Ckm.EDDSA), CLIENT_VERIFY)
    assert listener.callers == [FIREFOX, SSH]
