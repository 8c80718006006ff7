"""Calls about slots, tokens, sessions and objects: arguments in, the engine's answer out as the reply's values."""

from fob_daemon.cryptoki.interface import Application
from fob_daemon.rpc.attributes import AttributeBuffer, attribute_answer
from fob_daemon.rpc.limits import MAX_FOUND, MAX_RANDOM
from fob_daemon.rpc.signatures import LABEL_LENGTH
from fob_daemon.rpc.wire import U64, byte_output, padded, ulong_output
from fob_protocol.pkcs11.attributes import Template
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.pkcs11.flags import WaitFlag
from fob_protocol.pkcs11.infos import Version

NOTHING = b""

# CK_EFFECTIVELY_INFINITE, for the number of sessions.
_NO_LIMIT = 0
# CK_UNAVAILABLE_INFORMATION.
_UNAVAILABLE = 0xFFFF_FFFF_FFFF_FFFF
# utcTime, which means nothing without CKF_CLOCK_ON_TOKEN.
_NO_CLOCK = " " * 16


def get_info(application: Application) -> bytes:
    info = application.get_info()
    return b"".join(
        (
            bytes(info.cryptoki_version),
            _text(info.manufacturer, 32),
            U64.pack(0),  # CK_INFO.flags is zero by definition
            _text(info.description, 32),
            bytes(info.version),
        )
    )


def get_slot_list(application: Application, token_present: int, room: int | None) -> bytes:
    return ulong_output(application.get_slot_list(bool(token_present)), room)


def get_slot_info(application: Application, slot: int) -> bytes:
    info = application.get_slot_info(slot)
    return b"".join(
        (
            _text(info.description, 64),
            _text(info.manufacturer, 32),
            U64.pack(info.flags),
            _versions(info.hardware_version, info.firmware_version),
        )
    )


def get_token_info(application: Application, slot: int) -> bytes:
    info = application.get_token_info(slot)
    numbers = (
        info.flags,
        _NO_LIMIT,
        info.session_count,
        _NO_LIMIT,
        info.rw_session_count,
        info.max_pin,
        info.min_pin,
        *(_UNAVAILABLE,) * 4,  # total and free memory, public and private
    )
    return b"".join(
        (
            _text(info.label, 32),
            _text(info.manufacturer, 32),
            _text(info.model, 16),
            _text(info.serial, 16),
            *map(U64.pack, numbers),
            _versions(info.hardware_version, info.firmware_version),
            _text(_NO_CLOCK, 16),
        )
    )


def get_mechanism_list(application: Application, slot: int, room: int | None) -> bytes:
    return ulong_output(application.get_mechanism_list(slot), room)


def get_mechanism_info(application: Application, slot: int, mechanism: int) -> bytes:
    info = application.get_mechanism_info(slot, mechanism)
    return U64.pack(info.min_key_size) + U64.pack(info.max_key_size) + U64.pack(info.flags)


async def wait_for_slot_event(application: Application, flags: int) -> bytes:
    return U64.pack(await application.wait_for_slot_event(not flags & WaitFlag.DONT_BLOCK))


async def init_token(application: Application, slot: int, pin: bytes | None, label: bytes | None) -> bytes:
    """Version 0 cuts the label at its first NUL, or runs on to the first NUL after it."""
    if label is None:
        raise CkrError(Ckr.ARGUMENTS_BAD, "a token needs a label")
    await application.init_token(slot, pin, label[:LABEL_LENGTH].ljust(LABEL_LENGTH))
    return NOTHING


def open_session(application: Application, slot: int, flags: int) -> bytes:
    return U64.pack(application.open_session(slot, flags))


def close_session(application: Application, session: int) -> bytes:
    application.close_session(session)
    return NOTHING


def close_all_sessions(application: Application, slot: int) -> bytes:
    application.close_all_sessions(slot)
    return NOTHING


def get_session_info(application: Application, session: int) -> bytes:
    info = application.get_session_info(session)
    return U64.pack(info.slot) + U64.pack(info.state) + U64.pack(info.flags) + U64.pack(info.device_error)


def session_cancel(application: Application, session: int, flags: int) -> bytes:
    application.cancel_operations(session, flags)
    return NOTHING


async def init_pin(application: Application, session: int, pin: bytes | None) -> bytes:
    await application.init_pin(session, pin)
    return NOTHING


async def set_pin(application: Application, session: int, old: bytes | None, new: bytes | None) -> bytes:
    await application.set_pin(session, old, new)
    return NOTHING


async def login(application: Application, session: int, user_type: int, pin: bytes | None) -> bytes:
    await application.login(session, user_type, pin)
    return NOTHING


async def login_user(
    application: Application, session: int, user_type: int, pin: bytes | None, user_name: bytes | None
) -> bytes:
    """PKCS#11 v3.0, section 5.6.9; a token has one user, who has no name."""
    if user_name:
        raise CkrError(Ckr.ARGUMENTS_BAD, "the user has no name")
    return await login(application, session, user_type, pin)


async def logout(application: Application, session: int) -> bytes:
    await application.logout(session)
    return NOTHING


async def create_object(application: Application, session: int, template: Template) -> bytes:
    return U64.pack(await application.create_object(session, template))


async def copy_object(application: Application, session: int, handle: int, template: Template) -> bytes:
    return U64.pack(await application.copy_object(session, handle, template))


async def destroy_object(application: Application, session: int, handle: int) -> bytes:
    await application.destroy_object(session, handle)
    return NOTHING


def get_object_size(application: Application, session: int, handle: int) -> bytes:
    return U64.pack(application.get_object_size(session, handle))


async def get_attribute_value(
    application: Application, session: int, handle: int, buffers: list[AttributeBuffer]
) -> bytes:
    types = [attribute for attribute, _ in buffers]
    return attribute_answer(buffers, await application.get_attribute_values(session, handle, types))


async def set_attribute_value(application: Application, session: int, handle: int, template: Template) -> bytes:
    await application.set_attribute_values(session, handle, template)
    return NOTHING


def find_objects_init(application: Application, session: int, template: Template) -> bytes:
    application.find_objects_init(session, template)
    return NOTHING


def find_objects(application: Application, session: int, room: int | None) -> bytes:
    limit = min(room or 0, MAX_FOUND)
    return ulong_output(application.find_objects(session, limit), limit)


def find_objects_final(application: Application, session: int) -> bytes:
    application.find_objects_final(session)
    return NOTHING


def seed_random(application: Application, session: int, seed: bytes | None) -> bytes:
    application.seed_random(session, seed or b"")
    return NOTHING


async def generate_random(application: Application, session: int, room: int | None) -> bytes:
    length = room or 0
    if length > MAX_RANDOM:
        raise CkrError(Ckr.ARGUMENTS_BAD, f"{length} random bytes, the limit is {MAX_RANDOM}")
    return byte_output(await application.generate_random(session, length))


def _text(text: str, size: int) -> bytes:
    """`s`: a length, which is always `size`, and the padded text."""
    return size.to_bytes(4, "big") + padded(text, size)


def _versions(hardware: Version, firmware: Version) -> bytes:
    return bytes((*hardware, *firmware))
