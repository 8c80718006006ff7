"""Whatever a program calls, in whatever order: a result or a CkrError, and never an operation left behind."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cryptoki.desk import RO, RW, SLOT, Desk
from fob_daemon.cryptoki.application import FobApplication
from fob_daemon.cryptoki.hash_table import SHA256
from fob_protocol.pkcs11.attributes import BOOLS, DATES, ULONGS, Attributes
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Ckk, Cko, Cku
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.pkcs11.mechanisms import (
    CtrParameters,
    Ecdh1Parameters,
    GcmParameters,
    Mechanism,
    OaepParameters,
    Parameters,
    PssParameters,
)
from support.token_bench import ED25519, P256, USER_PIN
from support.virtual_loop import run_virtually

# What `begun` leaves: a session, the token's six objects in the order of their making, two session keys.
RSA_PUBLIC, RSA_PRIVATE, ED_PUBLIC, ED_PRIVATE, EC_PUBLIC, EC_PRIVATE, AES_KEY, SECRET_KEY = range(1, 9)
HANDLES = st.integers(0, 12)
SESSIONS = st.sampled_from([1, 1, 1, 1, 1, 1, 2, 0])
DATA = st.one_of(st.binary(max_size=40), st.sampled_from([bytes(256), bytes(32), SHA256.digest_info + bytes(32)]))
ROOM = st.one_of(st.none(), st.sampled_from([0, 1, 16, 64, 256, 1000]))

PARAMETERS: list[Parameters] = [
    *(None, b"", bytes(16), b"odd"),
    PssParameters(Ckm.SHA256, 2, 32),
    PssParameters(Ckm.SHA_1, 1, 9999),
    OaepParameters(Ckm.SHA256, 2, 1, b""),
    Ecdh1Parameters(1, b"", bytes.fromhex("04") + bytes(64)),
    GcmParameters(bytes(12), b"", 128),
    CtrParameters(128, bytes(16)),
]
MECHANISM_TYPES = [
    *(Ckm.RSA_PKCS, Ckm.RSA_PKCS_PSS, Ckm.RSA_PKCS_OAEP, Ckm.SHA256_RSA_PKCS, Ckm.SHA256_RSA_PKCS_PSS, Ckm.ECDSA),
    *(Ckm.ECDSA_SHA256, Ckm.EDDSA, Ckm.ECDH1_DERIVE, Ckm.SHA256, Ckm.SHA256_HMAC, Ckm.AES_ECB, Ckm.AES_CBC),
    *(Ckm.AES_CBC_PAD, Ckm.AES_CTR, Ckm.AES_GCM, Ckm.AES_KEY_GEN, Ckm.GENERIC_SECRET_KEY_GEN, Ckm.EC_KEY_PAIR_GEN),
    *(Ckm.EC_EDWARDS_KEY_PAIR_GEN, Ckm.AES_KEY_WRAP, Ckm.AES_KEY_WRAP_PAD, Ckm.DES3_CBC, 1 << 40),
]
MECHANISMS = st.builds(Mechanism, st.sampled_from([int(m) for m in MECHANISM_TYPES]), st.sampled_from(PARAMETERS))

USEFUL: list[Attributes] = [
    {},
    {Cka.TOKEN: True},
    {Cka.CLASS: Cko.DATA, Cka.VALUE: b"data"},
    {Cka.CLASS: Cko.DATA, Cka.VALUE: b"data", Cka.TOKEN: True, Cka.PRIVATE: True},
    {Cka.CLASS: Cko.SECRET_KEY, Cka.KEY_TYPE: Ckk.AES, Cka.VALUE: bytes(16)},
    {Cka.CLASS: Cko.SECRET_KEY, Cka.KEY_TYPE: Ckk.GENERIC_SECRET, Cka.VALUE: b"secret"},
    {Cka.VALUE_LEN: 16},
    {Cka.EC_PARAMS: P256},
    {Cka.EC_PARAMS: ED25519},
    {Cka.CLASS: Cko.PRIVATE_KEY},
    {Cka.CLASS: Cko.PUBLIC_KEY, Cka.KEY_TYPE: Ckk.RSA, Cka.MODULUS: b"\xff" * 128, Cka.PUBLIC_EXPONENT: b"\1\0\1"},
]
ODD_ATTRIBUTES: st.SearchStrategy[Attributes] = st.dictionaries(
    st.sampled_from([int(a) for a in (*sorted(BOOLS), *sorted(ULONGS), *sorted(DATES), Cka.LABEL, Cka.VALUE, 1 << 33)]),
    st.one_of(st.booleans(), st.integers(0, 3), st.binary(max_size=3)),
    max_size=2,
)
TEMPLATES = st.builds(lambda useful, odd: {**useful, **odd}, st.sampled_from(USEFUL), ODD_ATTRIBUTES)


@dataclass(frozen=True)
class Arguments:
    """Whatever a call may need."""

    session: int
    handle: int
    other: int
    mechanism: Mechanism
    template: Attributes
    second: Attributes
    data: bytes
    signature: bytes
    room: int | None


ARGUMENTS = st.builds(Arguments, SESSIONS, HANDLES, HANDLES, MECHANISMS, TEMPLATES, TEMPLATES, DATA, DATA, ROOM)

CALLS: dict[str, Callable[[FobApplication, Arguments], object]] = {
    "open": lambda a, x: a.open_session(SLOT, RW if x.handle % 3 else RO),
    "close": lambda a, x: a.close_session(x.session),
    "info": lambda a, x: a.get_session_info(x.session),
    "login": lambda a, x: a.login(x.session, x.handle % 4, USER_PIN),
    "logout": lambda a, x: a.logout(x.session),
    "create": lambda a, x: a.create_object(x.session, x.template),
    "copy": lambda a, x: a.copy_object(x.session, x.handle, x.template),
    "destroy": lambda a, x: a.destroy_object(x.session, x.handle),
    "size": lambda a, x: a.get_object_size(x.session, x.handle),
    "get": lambda a, x: a.get_attribute_values(x.session, x.handle, [*x.template, Cka.VALUE]),
    "set": lambda a, x: a.set_attribute_values(x.session, x.handle, x.template),
    "find_init": lambda a, x: a.find_objects_init(x.session, x.template),
    "find": lambda a, x: a.find_objects(x.session, x.handle),
    "find_final": lambda a, x: a.find_objects_final(x.session),
    "digest_init": lambda a, x: a.digest_init(x.session, x.mechanism),
    "digest": lambda a, x: a.digest(x.session, x.data, x.room),
    "digest_update": lambda a, x: a.digest_update(x.session, x.data),
    "digest_key": lambda a, x: a.digest_key(x.session, x.handle),
    "digest_final": lambda a, x: a.digest_final(x.session, x.room),
    "sign_init": lambda a, x: a.sign_init(x.session, x.mechanism, x.handle),
    "sign": lambda a, x: a.sign(x.session, x.data, x.room),
    "sign_update": lambda a, x: a.sign_update(x.session, x.data),
    "sign_final": lambda a, x: a.sign_final(x.session, x.room),
    "verify_init": lambda a, x: a.verify_init(x.session, x.mechanism, x.handle),
    "verify": lambda a, x: a.verify(x.session, x.data, x.signature),
    "verify_update": lambda a, x: a.verify_update(x.session, x.data),
    "verify_final": lambda a, x: a.verify_final(x.session, x.signature),
    "encrypt_init": lambda a, x: a.encrypt_init(x.session, x.mechanism, x.handle),
    "encrypt": lambda a, x: a.encrypt(x.session, x.data, x.room),
    "encrypt_update": lambda a, x: a.encrypt_update(x.session, x.data, x.room),
    "encrypt_final": lambda a, x: a.encrypt_final(x.session, x.room),
    "decrypt_init": lambda a, x: a.decrypt_init(x.session, x.mechanism, x.handle),
    "decrypt": lambda a, x: a.decrypt(x.session, x.data, x.room),
    "decrypt_update": lambda a, x: a.decrypt_update(x.session, x.data, x.room),
    "decrypt_final": lambda a, x: a.decrypt_final(x.session, x.room),
    "generate": lambda a, x: a.generate_key(x.session, x.mechanism, x.template),
    "generate_pair": lambda a, x: a.generate_key_pair(x.session, x.mechanism, x.template, x.second),
    "derive": lambda a, x: a.derive_key(x.session, x.mechanism, x.handle, x.template),
    "wrap": lambda a, x: a.wrap_key(x.session, x.mechanism, x.handle, x.other, x.room),
    "unwrap": lambda a, x: a.unwrap_key(x.session, x.mechanism, x.handle, x.data, x.template),
    "random": lambda a, x: a.generate_random(x.session, x.handle),
    "cancel": lambda a, x: a.cancel_operations(x.session, 1 << (x.handle % 14)),
}
Step = tuple[str, Arguments]
ANY_CALL = st.tuples(st.sampled_from(sorted(CALLS)), ARGUMENTS)

# Mechanisms and keys that go together, so that operations begin.
IV = bytes(16)
MATCHES: dict[str, list[tuple[Mechanism, int]]] = {
    "digest": [(Mechanism(Ckm.SHA256), 0)],
    "sign": [
        (Mechanism(Ckm.RSA_PKCS), RSA_PRIVATE),
        (Mechanism(Ckm.SHA256_RSA_PKCS_PSS, PssParameters(Ckm.SHA256, 2, 32)), RSA_PRIVATE),
        (Mechanism(Ckm.ECDSA), EC_PRIVATE),
        (Mechanism(Ckm.ECDSA_SHA256), EC_PRIVATE),
        (Mechanism(Ckm.EDDSA), ED_PRIVATE),
        (Mechanism(Ckm.SHA256_HMAC), SECRET_KEY),
    ],
    "verify": [
        (Mechanism(Ckm.RSA_PKCS), RSA_PUBLIC),
        (Mechanism(Ckm.RSA_PKCS_PSS, PssParameters(Ckm.SHA256, 2, 32)), RSA_PUBLIC),
        (Mechanism(Ckm.ECDSA), EC_PUBLIC),
        (Mechanism(Ckm.EDDSA), ED_PUBLIC),
        (Mechanism(Ckm.SHA256_HMAC), SECRET_KEY),
    ],
    "encrypt": [
        (Mechanism(Ckm.RSA_PKCS), RSA_PUBLIC),
        *((Mechanism(m), AES_KEY) for m in (Ckm.AES_ECB,)),
        *((Mechanism(m, IV), AES_KEY) for m in (Ckm.AES_CBC, Ckm.AES_CBC_PAD)),
        (Mechanism(Ckm.AES_CTR, CtrParameters(128, IV)), AES_KEY),
        (Mechanism(Ckm.AES_GCM, GcmParameters(IV, b"", 128)), AES_KEY),
    ],
}
MATCHES["decrypt"] = [(mechanism, max(key, RSA_PRIVATE)) for mechanism, key in MATCHES["encrypt"]]


@st.composite
def operations(draw: st.DrawFn) -> list[Step]:
    """An Init call that should work, and steps of the same kind, with other calls between them."""
    kind = draw(st.sampled_from(sorted(MATCHES)))
    mechanism, handle = draw(st.sampled_from(MATCHES[kind]))
    begin = replace(draw(ARGUMENTS), session=1, mechanism=mechanism, handle=handle)
    names = [name for name in sorted(CALLS) if name.split("_")[0] == kind]
    own = st.tuples(st.sampled_from(names), ARGUMENTS.map(lambda arguments: replace(arguments, session=1)))
    return [(f"{kind}_init", begin), *draw(st.lists(own | ANY_CALL, min_size=1, max_size=5))]


STEPS = st.lists(operations() | ANY_CALL.map(lambda step: [step]), max_size=6).map(
    lambda groups: [step for group in groups for step in group]
)


async def begun(desk: Desk) -> FobApplication:
    """A program that is logged in and knows its objects."""
    application = desk.client().application
    session = application.open_session(SLOT, RW)
    await application.login(session, Cku.USER, USER_PIN)
    application.find_objects_init(session, {})
    application.find_objects(session, 100)
    application.find_objects_final(session)
    for key_type, value in ((Ckk.AES, bytes(16)), (Ckk.GENERIC_SECRET, b"secret")):
        template: Attributes = {Cka.CLASS: Cko.SECRET_KEY, Cka.KEY_TYPE: key_type, Cka.VALUE: value}
        await application.create_object(session, template)
    return application


async def outcome(application: FobApplication, name: str, arguments: Arguments) -> object:
    """The result, or the return value of a refusal; anything else that is raised fails the test."""
    try:
        result = CALLS[name](application, arguments)
        return await result if isinstance(result, Awaitable) else result
    except CkrError as error:
        return error.ckr


# After one of these an operation is over, unless only a length came back.
ENDING = ("digest", "sign", "verify", "encrypt", "decrypt")


async def check_that_it_ended(application: FobApplication, name: str, arguments: Arguments, result: object) -> None:
    """A single call or a final one ends its operation, with a result and with an error."""
    kind, _, step = name.partition("_")
    busy = isinstance(result, int) and not isinstance(result, Ckr)
    if kind not in ENDING or step not in ("", "final") or busy or result is Ckr.SESSION_HANDLE_INVALID:
        return
    again = await outcome(application, f"{kind}_final", arguments)
    assert again in (Ckr.OPERATION_NOT_INITIALIZED, Ckr.SESSION_HANDLE_INVALID), f"{name} left its operation"


@given(STEPS, st.booleans())
def test_random_calls_end_in_a_result_or_a_refusal(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Step], is_away: bool
) -> None:
    async def story(folder: Path) -> None:
        async with Desk.opened(folder) as desk:
            application = await begun(desk)
            if is_away:
                desk.link.disconnect()
            for name, arguments in steps:
                result = await outcome(application, name, arguments)
                await check_that_it_ended(application, name, arguments, result)
            application.close()
            await desk.slot.idle()

    run_virtually(story(tmp_path_factory.mktemp("desk")))


@given(STEPS)
def test_calls_at_once_end_in_a_result_or_a_refusal(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Step]
) -> None:
    async def story(folder: Path) -> None:
        async with Desk.opened(folder) as desk:
            application = await begun(desk)
            await asyncio.gather(*(outcome(application, name, arguments) for name, arguments in steps))
            application.close()
            await desk.slot.idle()
            assert desk.slot.cache.generation == desk.bench.token.generation

    run_virtually(story(tmp_path_factory.mktemp("desk")))
