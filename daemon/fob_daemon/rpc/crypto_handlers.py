"""Calls about cryptographic operations and keys: arguments in, the engine's answer out as the reply's values.

Data that comes as a NULL pointer is empty data. A `room` of None asks for the length of the output only.
"""

from fob_daemon.cryptoki.interface import Application
from fob_daemon.rpc.general_handlers import NOTHING
from fob_daemon.rpc.mechanisms import parameter_update
from fob_daemon.rpc.wire import U64, byte_output
from fob_protocol.pkcs11.attributes import Template
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.pkcs11.mechanisms import Mechanism

Data = bytes | None
Room = int | None


def digest_init(application: Application, session: int, mechanism: Mechanism | None) -> bytes:
    application.digest_init(session, mechanism)
    return NOTHING


async def digest(application: Application, session: int, data: Data, room: Room) -> bytes:
    return byte_output(await application.digest(session, data or b"", room))


async def digest_update(application: Application, session: int, part: Data) -> bytes:
    await application.digest_update(session, part or b"")
    return NOTHING


def digest_key(application: Application, session: int, key: int) -> bytes:
    application.digest_key(session, key)
    return NOTHING


def digest_final(application: Application, session: int, room: Room) -> bytes:
    return byte_output(application.digest_final(session, room))


def sign_init(application: Application, session: int, mechanism: Mechanism | None, key: int) -> bytes:
    application.sign_init(session, mechanism, key)
    return NOTHING


async def sign(application: Application, session: int, data: Data, room: Room) -> bytes:
    return byte_output(await application.sign(session, data or b"", room))


async def sign_update(application: Application, session: int, part: Data) -> bytes:
    await application.sign_update(session, part or b"")
    return NOTHING


async def sign_final(application: Application, session: int, room: Room) -> bytes:
    return byte_output(await application.sign_final(session, room))


def verify_init(application: Application, session: int, mechanism: Mechanism | None, key: int) -> bytes:
    application.verify_init(session, mechanism, key)
    return NOTHING


async def verify(application: Application, session: int, data: Data, signature: Data) -> bytes:
    await application.verify(session, data or b"", signature or b"")
    return NOTHING


async def verify_update(application: Application, session: int, part: Data) -> bytes:
    await application.verify_update(session, part or b"")
    return NOTHING


async def verify_final(application: Application, session: int, signature: Data) -> bytes:
    await application.verify_final(session, signature or b"")
    return NOTHING


def encrypt_init(application: Application, session: int, mechanism: Mechanism | None, key: int) -> bytes:
    application.encrypt_init(session, mechanism, key)
    return NOTHING


async def encrypt(application: Application, session: int, data: Data, room: Room) -> bytes:
    return byte_output(await application.encrypt(session, data or b"", room))


async def encrypt_update(application: Application, session: int, part: Data, room: Room) -> bytes:
    return byte_output(await application.encrypt_update(session, part or b"", room))


async def encrypt_final(application: Application, session: int, room: Room) -> bytes:
    return byte_output(await application.encrypt_final(session, room))


def decrypt_init(application: Application, session: int, mechanism: Mechanism | None, key: int) -> bytes:
    application.decrypt_init(session, mechanism, key)
    return NOTHING


async def decrypt(application: Application, session: int, data: Data, room: Room) -> bytes:
    return byte_output(await application.decrypt(session, data or b"", room))


async def decrypt_update(application: Application, session: int, part: Data, room: Room) -> bytes:
    return byte_output(await application.decrypt_update(session, part or b"", room))


async def decrypt_final(application: Application, session: int, room: Room) -> bytes:
    return byte_output(await application.decrypt_final(session, room))


async def generate_key(
    application: Application, session: int, mechanism: Mechanism | None, template: Template
) -> bytes:
    return U64.pack(await application.generate_key(session, _required(mechanism), template))


async def generate_key_pair(
    application: Application, session: int, mechanism: Mechanism | None, public: Template, private: Template
) -> bytes:
    handles = await application.generate_key_pair(session, _required(mechanism), public, private)
    return b"".join(map(U64.pack, handles))


async def wrap_key(
    application: Application, session: int, mechanism: Mechanism | None, wrapping_key: int, key: int, room: Room
) -> bytes:
    return byte_output(await application.wrap_key(session, _required(mechanism), wrapping_key, key, room))


async def unwrap_key(
    application: Application, session: int, mechanism: Mechanism | None, key: int, wrapped: Data, template: Template
) -> bytes:
    return U64.pack(await application.unwrap_key(session, _required(mechanism), key, wrapped or b"", template))


async def derive_key(
    application: Application, session: int, mechanism: Mechanism | None, key: int, template: Template
) -> bytes:
    return U64.pack(await application.derive_key(session, _required(mechanism), key, template))


async def derive_key_2(
    application: Application, session: int, mechanism: Mechanism | None, key: int, template: Template
) -> bytes:
    """`uPu`: a return value (a refusal goes as an error reply instead), the parameter's update, the handle."""
    required = _required(mechanism)
    handle = await application.derive_key(session, required, key, template)
    return U64.pack(Ckr.OK) + parameter_update(required) + U64.pack(handle)


def _required(mechanism: Mechanism | None) -> Mechanism:
    if mechanism is None:
        raise CkrError(Ckr.ARGUMENTS_BAD, "a NULL mechanism cancels an operation, and this is none")
    return mechanism
