"""An engine for the tests of the provider socket: one slot, an RSA-2048 and a P-256 key pair, everything in memory.

It follows the interface's rules where clients depend on them (rooms, lengths, visibility before login) and writes down
what it was asked. Functions that no test needs refuse.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from functools import cache
from typing import TypeVar

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from fob_daemon.cryptoki.interface import (
    AttributeAnswer,
    LibraryInfo,
    Output,
    SessionInfo,
    SlotInfo,
    TokenInfo,
)
from fob_protocol.pkcs11.attributes import SECRET_VALUES, Attributes, Template
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Ckk, Cko, Cks, Cku
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.pkcs11.flags import MechanismFlag, SessionFlag, SlotFlag, TokenFlag
from fob_protocol.pkcs11.infos import MechanismInfo
from fob_protocol.pkcs11.mechanisms import Mechanism

T = TypeVar("T")

SLOT = 17
PIN = b"1234"
LABEL = "Fake phone"
RSA_ID, EC_ID = b"\x01", b"\x02"
RSA_PRIVATE, RSA_PUBLIC, EC_PRIVATE, EC_PUBLIC = 2, 3, 4, 5

_SESSION_FLAGS = SessionFlag.SERIAL_SESSION | SessionFlag.RW_SESSION

P256_OID = bytes.fromhex("06082a8648ce3d030107")

MECHANISMS = {
    Ckm.RSA_PKCS: MechanismInfo(2048, 4096, MechanismFlag.SIGN | MechanismFlag.HW),
    Ckm.ECDSA: MechanismInfo(256, 256, MechanismFlag.SIGN | MechanismFlag.HW),
    Ckm.SHA256: MechanismInfo(0, 0, MechanismFlag.DIGEST),
}


@cache
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _number(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


@cache
def objects() -> dict[int, Attributes]:
    numbers = rsa_key().public_key().public_numbers()
    point = ec_key().public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    rsa_common: Attributes = {
        Cka.TOKEN: True,
        Cka.KEY_TYPE: Ckk.RSA,
        Cka.ID: RSA_ID,
        Cka.LABEL: b"rsa",
        Cka.MODULUS: _number(numbers.n),
        Cka.PUBLIC_EXPONENT: _number(numbers.e),
    }
    ec_common: Attributes = {
        Cka.TOKEN: True,
        Cka.KEY_TYPE: Ckk.EC,
        Cka.ID: EC_ID,
        Cka.LABEL: b"p256",
        Cka.EC_PARAMS: P256_OID,
        Cka.EC_POINT: b"\x04" + bytes((len(point),)) + point,
    }
    private: Attributes = {
        Cka.CLASS: Cko.PRIVATE_KEY,
        Cka.PRIVATE: True,
        Cka.SIGN: True,
        Cka.SENSITIVE: True,
        Cka.EXTRACTABLE: False,
        Cka.ALWAYS_AUTHENTICATE: False,
        Cka.ALLOWED_MECHANISMS: (Ckm.RSA_PKCS, Ckm.ECDSA),
    }
    public: Attributes = {
        Cka.CLASS: Cko.PUBLIC_KEY,
        Cka.PRIVATE: False,
        Cka.VERIFY: True,
        Cka.MODULUS_BITS: 2048,
        Cka.START_DATE: b"",
    }
    return {
        RSA_PRIVATE: rsa_common | private,
        RSA_PUBLIC: rsa_common | public,
        EC_PRIVATE: ec_common | private,
        EC_PUBLIC: ec_common | public,
    }


def _refused() -> CkrError:
    return CkrError(Ckr.FUNCTION_NOT_SUPPORTED)


def _fitted(output: bytes, room: int | None) -> Output:
    return output if room is not None and len(output) <= room else len(output)


class FakeApplication:
    """Implements Application. `asked` has every call that a test may want to see, `closed` counts close()."""

    def __init__(self) -> None:
        self.asked: list[tuple[object, ...]] = []
        self.closed = 0
        self.approval = asyncio.Event()
        self.approval.set()
        self.waits_for_slot = asyncio.Event()
        self.slot_event: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.gone = asyncio.Event()
        self._sessions: dict[int, int] = {}
        self._logged_in = False
        self._found: dict[int, list[int]] = {}
        self._signing: dict[int, tuple[Mechanism, int]] = {}
        self._digests: dict[int, list[bytes]] = {}

    # Slots and tokens

    def get_info(self) -> LibraryInfo:
        return LibraryInfo("Fob", "Fob provider", (0, 1))

    def get_slot_list(self, token_present: bool) -> list[int]:
        return [SLOT]

    def get_slot_info(self, slot: int) -> SlotInfo:
        self._check_slot(slot)
        flags = SlotFlag.TOKEN_PRESENT | SlotFlag.REMOVABLE_DEVICE | SlotFlag.HW_SLOT
        return SlotInfo("Fake slot", "Fob", flags, (1, 2), (3, 4))

    def get_token_info(self, slot: int) -> TokenInfo:
        self._check_slot(slot)
        flags = TokenFlag.TOKEN_INITIALIZED | TokenFlag.LOGIN_REQUIRED | TokenFlag.USER_PIN_INITIALIZED | TokenFlag.RNG
        return TokenInfo(LABEL, "Fob", "Fake", "0001", flags, len(self._sessions), 0, 4, 64, (1, 2), (3, 4))

    def get_mechanism_list(self, slot: int) -> list[int]:
        self._check_slot(slot)
        return list(MECHANISMS)

    def get_mechanism_info(self, slot: int, mechanism: int) -> MechanismInfo:
        self._check_slot(slot)
        if mechanism not in MECHANISMS:
            raise CkrError(Ckr.MECHANISM_INVALID)
        return MECHANISMS[Ckm(mechanism)]

    async def wait_for_slot_event(self, block: bool) -> int:
        if not block:
            raise CkrError(Ckr.NO_EVENT)
        self.waits_for_slot.set()
        return await self.slot_event

    async def init_token(self, slot: int, pin: bytes | None, label: bytes) -> None:
        self.asked.append(("init_token", slot, pin, label))

    # Sessions

    def open_session(self, slot: int, flags: int) -> int:
        self._check_slot(slot)
        if not flags & SessionFlag.SERIAL_SESSION:
            raise CkrError(Ckr.SESSION_PARALLEL_NOT_SUPPORTED)
        handle = len(self._sessions) + 1
        self._sessions[handle] = flags
        return handle

    def close_session(self, session: int) -> None:
        self._check(session)
        del self._sessions[session]

    def close_all_sessions(self, slot: int) -> None:
        self._check_slot(slot)
        self._sessions.clear()

    def get_session_info(self, session: int) -> SessionInfo:
        flags = self._sessions.get(session)
        if flags is None:
            raise CkrError(Ckr.SESSION_HANDLE_INVALID)
        state = Cks.RW_USER_FUNCTIONS if self._logged_in else Cks.RW_PUBLIC_SESSION
        return SessionInfo(SLOT, state, _SESSION_FLAGS)

    def cancel_operations(self, session: int, flags: int) -> None:
        self.asked.append(("cancel_operations", session, flags))

    async def init_pin(self, session: int, pin: bytes | None) -> None:
        self.asked.append(("init_pin", session, pin))

    async def set_pin(self, session: int, old: bytes | None, new: bytes | None) -> None:
        self.asked.append(("set_pin", session, old, new))

    async def login(self, session: int, user_type: int, pin: bytes | None) -> None:
        self._check(session)
        self.asked.append(("login", session, user_type, pin))
        if user_type != Cku.USER:
            raise CkrError(Ckr.USER_TYPE_INVALID)
        if pin != PIN:
            raise CkrError(Ckr.PIN_INCORRECT)
        self._logged_in = True

    async def join_login(self, session: int) -> None:
        raise CkrError(Ckr.FUNCTION_NOT_SUPPORTED)

    async def within_login(self, session: int, ask: Callable[[], Awaitable[T]]) -> T:
        return await ask()

    async def logout(self, session: int) -> None:
        self._check(session)
        self._logged_in = False

    # Objects

    async def create_object(self, session: int, template: Template) -> int:
        self.asked.append(("create_object", session, template))
        return 99

    async def copy_object(self, session: int, handle: int, template: Template) -> int:
        raise _refused()

    async def destroy_object(self, session: int, handle: int) -> None:
        raise _refused()

    def get_object_size(self, session: int, handle: int) -> int:
        return len(self._object(session, handle))

    async def get_attribute_values(self, session: int, handle: int, types: Sequence[int]) -> list[AttributeAnswer]:
        attributes = self._object(session, handle)
        is_private = attributes[Cka.CLASS] == Cko.PRIVATE_KEY
        return [
            Ckr.ATTRIBUTE_SENSITIVE
            if is_private and attribute in SECRET_VALUES
            else attributes.get(attribute, Ckr.ATTRIBUTE_TYPE_INVALID)
            for attribute in types
        ]

    async def set_attribute_values(self, session: int, handle: int, template: Template) -> None:
        raise _refused()

    def find_objects_init(self, session: int, template: Template) -> None:
        self._check(session)
        self._found[session] = [
            handle
            for handle, attributes in objects().items()
            if (self._logged_in or not attributes[Cka.PRIVATE])
            and all(attributes.get(attribute) == value for attribute, value in template.items())
        ]

    def find_objects(self, session: int, limit: int) -> list[int]:
        if session not in self._found:
            raise CkrError(Ckr.OPERATION_NOT_INITIALIZED)
        found = self._found[session][:limit]
        del self._found[session][:limit]
        return found

    def find_objects_final(self, session: int) -> None:
        self._found.pop(session, None)

    # Operations

    def digest_init(self, session: int, mechanism: Mechanism | None) -> None:
        self._check(session)
        self._digests[session] = []

    async def digest(self, session: int, data: bytes, room: int | None) -> Output:
        return _fitted(hashlib.sha256(data).digest(), room)

    async def digest_update(self, session: int, part: bytes) -> None:
        self._digests.setdefault(session, []).append(part)

    def digest_key(self, session: int, key: int) -> None:
        raise CkrError(Ckr.KEY_INDIGESTIBLE)

    def digest_final(self, session: int, room: int | None) -> Output:
        return _fitted(hashlib.sha256(b"".join(self._digests.get(session, []))).digest(), room)

    def sign_init(self, session: int, mechanism: Mechanism | None, key: int) -> None:
        self.asked.append(("sign_init", session, mechanism, key))
        if mechanism is None:
            self._signing.pop(session, None)
            return
        self._object(session, key)
        self._signing[session] = (mechanism, key)

    async def sign(self, session: int, data: bytes, room: int | None) -> Output:
        if session not in self._signing:
            raise CkrError(Ckr.OPERATION_NOT_INITIALIZED)
        _, key = self._signing[session]
        length = 64 if key == EC_PRIVATE else 256
        if room is None or room < length:
            return length
        del self._signing[session]
        await self.approval.wait()
        if len(data) > 32:
            raise CkrError(Ckr.DATA_LEN_RANGE)
        return _ecdsa(data) if key == EC_PRIVATE else _rsa_pkcs(data)

    async def sign_update(self, session: int, part: bytes) -> None:
        raise _refused()

    async def sign_final(self, session: int, room: int | None) -> Output:
        raise _refused()

    def verify_init(self, session: int, mechanism: Mechanism | None, key: int) -> None:
        self.asked.append(("verify_init", session, mechanism, key))

    async def verify(self, session: int, data: bytes, signature: bytes) -> None:
        self.asked.append(("verify", session, data, signature))
        raise CkrError(Ckr.SIGNATURE_INVALID)

    async def verify_update(self, session: int, part: bytes) -> None:
        raise _refused()

    async def verify_final(self, session: int, signature: bytes) -> None:
        raise _refused()

    def encrypt_init(self, session: int, mechanism: Mechanism | None, key: int) -> None:
        self.asked.append(("encrypt_init", session, mechanism, key))

    async def encrypt(self, session: int, data: bytes, room: int | None) -> Output:
        return _fitted(data[::-1], room)

    async def encrypt_update(self, session: int, part: bytes, room: int | None) -> Output:
        raise _refused()

    async def encrypt_final(self, session: int, room: int | None) -> Output:
        raise _refused()

    def decrypt_init(self, session: int, mechanism: Mechanism | None, key: int) -> None:
        raise ZeroDivisionError("a mistake that mentions secret-1234")  # test_waiting.py

    async def decrypt(self, session: int, data: bytes, room: int | None) -> Output:
        raise ZeroDivisionError("a mistake that mentions secret-1234")

    async def decrypt_update(self, session: int, part: bytes, room: int | None) -> Output:
        raise _refused()

    async def decrypt_final(self, session: int, room: int | None) -> Output:
        raise _refused()

    async def generate_key(self, session: int, mechanism: Mechanism, template: Template) -> int:
        self.asked.append(("generate_key", session, mechanism, template))
        return 98

    async def generate_key_pair(
        self, session: int, mechanism: Mechanism, public: Template, private: Template
    ) -> tuple[int, int]:
        self.asked.append(("generate_key_pair", session, mechanism, public, private))
        return 96, 97

    async def derive_key(self, session: int, mechanism: Mechanism, key: int, template: Template) -> int:
        self.asked.append(("derive_key", session, mechanism, key, template))
        return 95

    async def wrap_key(
        self, session: int, mechanism: Mechanism, wrapping_key: int, key: int, room: int | None
    ) -> Output:
        self.asked.append(("wrap_key", session, mechanism, wrapping_key, key, room))
        return _fitted(b"wrapped", room)

    async def unwrap_key(self, session: int, mechanism: Mechanism, key: int, wrapped: bytes, template: Template) -> int:
        self.asked.append(("unwrap_key", session, mechanism, key, wrapped, template))
        return 94

    def seed_random(self, session: int, seed: bytes) -> None:
        raise CkrError(Ckr.RANDOM_SEED_NOT_SUPPORTED)

    async def generate_random(self, session: int, length: int) -> bytes:
        return b"\x5a" * length

    def close(self) -> None:
        self.closed += 1
        self.gone.set()

    def _check_slot(self, slot: int) -> None:
        if slot != SLOT:
            raise CkrError(Ckr.SLOT_ID_INVALID)

    def _check(self, session: int) -> None:
        if session not in self._sessions:
            raise CkrError(Ckr.SESSION_HANDLE_INVALID)

    def _object(self, session: int, handle: int) -> Attributes:
        self._check(session)
        attributes = objects().get(handle)
        if attributes is None or (attributes[Cka.PRIVATE] and not self._logged_in):
            raise CkrError(Ckr.OBJECT_HANDLE_INVALID)
        return attributes


def _rsa_pkcs(data: bytes) -> bytes:
    """CKM_RSA_PKCS pads whatever it gets (PKCS #1 v1.5, block type 1)."""
    numbers = rsa_key().private_numbers()
    padded = b"\x00\x01" + b"\xff" * (253 - len(data)) + b"\x00" + data
    return pow(int.from_bytes(padded, "big"), numbers.d, numbers.public_numbers.n).to_bytes(256, "big")


def _ecdsa(digest: bytes) -> bytes:
    r, s = decode_dss_signature(ec_key().sign(digest.rjust(32, b"\x00"), ec.ECDSA(Prehashed(hashes.SHA256()))))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")
