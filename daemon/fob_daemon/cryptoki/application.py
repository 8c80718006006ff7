"""One Cryptoki application: every function finds its session and its keys here, and hands over to who does it."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeVar

from fob_daemon.cryptoki.interface import (
    AttributeAnswer,
    LibraryInfo,
    Output,
    SessionInfo,
    SlotInfo,
    TokenInfo,
)
from fob_daemon.cryptoki.login_state import Identify, Observer, unidentified
from fob_daemon.cryptoki.mechanism_table import info_of, offered
from fob_daemon.cryptoki.object_desk import ObjectDesk
from fob_daemon.cryptoki.objects import ObjectTable, StoredObject
from fob_daemon.cryptoki.operations.decrypt import begin_decrypt
from fob_daemon.cryptoki.operations.derive import derive_key
from fob_daemon.cryptoki.operations.digest import DigestOperation
from fob_daemon.cryptoki.operations.encrypt import begin_encrypt
from fob_daemon.cryptoki.operations.generate import generate_secret_key, require_key_pair_generator
from fob_daemon.cryptoki.operations.random import generate_random, refuse_seed
from fob_daemon.cryptoki.operations.sign import begin_sign
from fob_daemon.cryptoki.operations.verify import begin_verify
from fob_daemon.cryptoki.operations.wrap import unwrap_key, wrap_key
from fob_daemon.cryptoki.session import Session
from fob_daemon.cryptoki.sessions import Sessions, asked_pin
from fob_daemon.cryptoki.slot_events import SlotEvents
from fob_daemon.cryptoki.slots import Slots
from fob_daemon.cryptoki.templates import checked, label_of
from fob_daemon.device.slot import Slot
from fob_protocol.pkcs11.attributes import Template
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Cku
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.pkcs11.infos import MechanismInfo
from fob_protocol.pkcs11.mechanisms import Mechanism

T = TypeVar("T")

LIBRARY = LibraryInfo("Fob", "Keys on the device in your hand", (0, 1))


class FobApplication:
    """Implements `interface.Application`. `description` says who it is, for people."""

    def __init__(
        self,
        slots: Slots,
        description: str,
        *,
        random: Callable[[int], bytes],
        on_close: Callable[["FobApplication"], None] = lambda application: None,
        observe: Observer = lambda used: None,
        identify: Identify = unidentified,
    ) -> None:
        self.description = description
        self._slots = slots
        self._random = random
        self._on_close = on_close
        self._table = ObjectTable()
        self._desk = ObjectDesk(self._table)
        self._sessions = Sessions(slots, self._session_closed, observe, identify)
        self._events = SlotEvents(slots)
        self._asked_library_info = False

    @property
    def session_count(self) -> int:
        """Open sessions."""
        return len(self._sessions)

    @property
    def is_logged_in(self) -> bool:
        """True when it is logged in on any token."""
        return self._sessions.is_logged_in

    # General and slots.

    def get_info(self) -> LibraryInfo:
        self._asked_library_info = True
        return LIBRARY

    def get_slot_list(self, token_present: bool) -> list[int]:
        return [slot_id for slot_id, slot in self._slots.items() if slot.has_token or not token_present]

    def get_slot_info(self, slot: int) -> SlotInfo:
        return self._sessions.slot(slot).info()

    def get_token_info(self, slot: int) -> TokenInfo:
        found = self._sessions.slot(slot)
        sessions = self._sessions.of(found)
        return found.token_info(len(sessions), sum(session.is_rw for session in sessions))

    def get_mechanism_list(self, slot: int) -> list[int]:
        return list(offered(self._token(slot).cache.mechanisms))

    def get_mechanism_info(self, slot: int, mechanism: int) -> MechanismInfo:
        return info_of(self._token(slot).cache.mechanisms, mechanism)

    async def wait_for_slot_event(self, block: bool) -> int:
        return await self._events.wait(block=block)

    async def init_token(self, slot: int, pin: bytes | None, label: bytes) -> None:
        found = self._token(slot)
        if self._sessions.of(found):
            raise CkrError(Ckr.SESSION_EXISTS, "close the sessions first")
        await found.init_token(asked_pin(found, pin), label.rstrip(b" "))

    # Sessions and logins.

    def open_session(self, slot: int, flags: int) -> int:
        return self._sessions.open(slot, flags)

    def close_session(self, session: int) -> None:
        self._sessions.close(session)

    def close_all_sessions(self, slot: int) -> None:
        self._sessions.close_all(slot)

    def get_session_info(self, session: int) -> SessionInfo:
        return self._sessions.get(session).info()

    async def init_pin(self, session: int, pin: bytes | None) -> None:
        found = self._sessions.get(session)
        found.login.require(Cku.SO)
        remote, sent = found.slot.remote, asked_pin(found.slot, pin)
        await found.login.noted("init PIN", "USER", lambda: found.login.run(lambda: remote.init_pin(sent)))

    async def set_pin(self, session: int, old: bytes | None, new: bytes | None) -> None:
        found = self._sessions.get(session)
        found.require_rw()
        user = Cku.SO if found.login.user is Cku.SO else Cku.USER
        pins = asked_pin(found.slot, old), asked_pin(found.slot, new)
        ask = partial(found.login.run, partial(found.slot.remote.set_pin, user, *pins))
        await found.login.noted("set PIN", user.name, lambda: found.slot.checking_pin(user, ask))

    async def login(self, session: int, user_type: int, pin: bytes | None) -> None:
        found = self._sessions.get(session)
        if user_type == Cku.CONTEXT_SPECIFIC:
            await found.key_that_awaits_pin().authorize(asked_pin(found.slot, pin))
        elif user_type in (Cku.USER, Cku.SO):
            await self._sessions.login(found, Cku(user_type), pin)
        else:
            raise CkrError(Ckr.USER_TYPE_INVALID, f"user type {user_type}")

    async def join_login(self, session: int) -> None:
        await self._sessions.get(session).login.join()

    async def within_login(self, session: int, ask: Callable[[], Awaitable[T]]) -> T:
        return await self._sessions.get(session).login.run(ask)

    async def logout(self, session: int) -> None:
        found = self._sessions.get(session)
        found.login.logout()
        self._logged_out(found.slot)

    # Objects.

    async def create_object(self, session: int, template: Template) -> int:
        return await self._desk.create(self._sessions.get(session), template)

    async def copy_object(self, session: int, handle: int, template: Template) -> int:
        return await self._desk.copy(self._sessions.get(session), handle, template)

    async def destroy_object(self, session: int, handle: int) -> None:
        await self._desk.destroy(self._sessions.get(session), handle)

    def get_object_size(self, session: int, handle: int) -> int:
        return self._desk.size(self._sessions.get(session), handle)

    async def get_attribute_values(self, session: int, handle: int, types: Sequence[int]) -> list[AttributeAnswer]:
        return await self._desk.get_attributes(self._sessions.get(session), handle, types)

    async def set_attribute_values(self, session: int, handle: int, template: Template) -> None:
        await self._desk.set_attributes(self._sessions.get(session), handle, template)

    def find_objects_init(self, session: int, template: Template) -> None:
        found = self._sessions.get(session)
        found.finding.require_free()
        found.finding.begin(self._desk.find(found, template, asked_library_info=self._asked_library_info))

    def find_objects(self, session: int, limit: int) -> list[int]:
        with self._sessions.get(session).finding.step() as search:
            return search.take(limit)

    def find_objects_final(self, session: int) -> None:
        with self._sessions.get(session).finding.last_step():
            pass

    # Operations.

    def digest_init(self, session: int, mechanism: Mechanism | None) -> None:
        slot = self._sessions.get(session).digesting
        if mechanism is None:
            slot.cancel()
            return
        slot.require_free()
        slot.begin(DigestOperation(mechanism))

    async def digest(self, session: int, data: bytes, room: int | None) -> Output:
        return await self._sessions.get(session).digesting.finish(lambda operation: operation.digest(data, room))

    async def digest_update(self, session: int, part: bytes) -> None:
        with self._sessions.get(session).digesting.step() as operation:
            await operation.update(part)

    def digest_key(self, session: int, key: int) -> None:
        found = self._sessions.get(session)
        with found.digesting.step() as operation:
            operation.digest_key(self._key(found, key))

    def digest_final(self, session: int, room: int | None) -> Output:
        slot = self._sessions.get(session).digesting
        with slot.step() as operation:
            output = operation.final(room)
            if isinstance(output, bytes):
                slot.cancel()
        return output

    def sign_init(self, session: int, mechanism: Mechanism | None, key: int) -> None:
        found = self._sessions.get(session)
        if mechanism is None:
            found.signing.cancel()
            return
        found.signing.require_free()
        found.signing.begin(begin_sign(mechanism, self._key(found, key), found.login, found.refusals))

    async def sign(self, session: int, data: bytes, room: int | None) -> Output:
        return await self._sessions.get(session).signing.finish(lambda operation: operation.sign(data, room))

    async def sign_update(self, session: int, part: bytes) -> None:
        with self._sessions.get(session).signing.step() as operation:
            await operation.update(part)

    async def sign_final(self, session: int, room: int | None) -> Output:
        return await self._sessions.get(session).signing.finish(lambda operation: operation.final(room))

    def verify_init(self, session: int, mechanism: Mechanism | None, key: int) -> None:
        found = self._sessions.get(session)
        if mechanism is None:
            found.verifying.cancel()
            return
        found.verifying.require_free()
        found.verifying.begin(begin_verify(mechanism, self._key(found, key)))

    async def verify(self, session: int, data: bytes, signature: bytes) -> None:
        with self._sessions.get(session).verifying.last_step() as operation:
            await operation.verify(data, signature)

    async def verify_update(self, session: int, part: bytes) -> None:
        with self._sessions.get(session).verifying.step() as operation:
            await operation.update(part)

    async def verify_final(self, session: int, signature: bytes) -> None:
        with self._sessions.get(session).verifying.last_step() as operation:
            await operation.final(signature)

    def encrypt_init(self, session: int, mechanism: Mechanism | None, key: int) -> None:
        found = self._sessions.get(session)
        if mechanism is None:
            found.encrypting.cancel()
            return
        found.encrypting.require_free()
        found.encrypting.begin(begin_encrypt(mechanism, self._key(found, key)))

    async def encrypt(self, session: int, data: bytes, room: int | None) -> Output:
        return await self._sessions.get(session).encrypting.finish(lambda operation: operation.whole(data, room))

    async def encrypt_update(self, session: int, part: bytes, room: int | None) -> Output:
        with self._sessions.get(session).encrypting.step() as operation:
            return await operation.update(part, room)

    async def encrypt_final(self, session: int, room: int | None) -> Output:
        return await self._sessions.get(session).encrypting.finish(lambda operation: operation.final(room))

    def decrypt_init(self, session: int, mechanism: Mechanism | None, key: int) -> None:
        found = self._sessions.get(session)
        if mechanism is None:
            found.decrypting.cancel()
            return
        found.decrypting.require_free()
        found.decrypting.begin(begin_decrypt(mechanism, self._key(found, key), found.login, found.refusals))

    async def decrypt(self, session: int, data: bytes, room: int | None) -> Output:
        return await self._sessions.get(session).decrypting.finish(lambda operation: operation.whole(data, room))

    async def decrypt_update(self, session: int, part: bytes, room: int | None) -> Output:
        with self._sessions.get(session).decrypting.step() as operation:
            return await operation.update(part, room)

    async def decrypt_final(self, session: int, room: int | None) -> Output:
        return await self._sessions.get(session).decrypting.finish(lambda operation: operation.final(room))

    # Keys and random numbers.

    async def generate_key(self, session: int, mechanism: Mechanism, template: Template) -> int:
        found = self._sessions.get(session)
        return self._desk.add(found, generate_secret_key(mechanism, checked(template), self._random))

    async def generate_key_pair(
        self, session: int, mechanism: Mechanism, public: Template, private: Template
    ) -> tuple[int, int]:
        found = self._sessions.get(session)
        require_key_pair_generator(mechanism)
        templates = checked(public), checked(private)
        found.require_trust(*templates)
        if any(template.get(Cka.TOKEN, False) for template in templates):
            found.require_rw()
        found.login.require(Cku.USER)
        made = await found.login.noted(
            "generate",
            label_of(templates[1]),
            lambda: self._desk.ask(found, 2, lambda remote: remote.generate_key_pair(mechanism, *templates)),
        )
        return made[0], made[1]

    async def derive_key(self, session: int, mechanism: Mechanism, key: int, template: Template) -> int:
        found = self._sessions.get(session)
        self._table.require_room()
        made = await derive_key(mechanism, self._key(found, key), found.login, checked(template))
        return self._desk.add(self._sessions.get(session), made)

    async def wrap_key(
        self, session: int, mechanism: Mechanism, wrapping_key: int, key: int, room: int | None
    ) -> Output:
        found = self._sessions.get(session)
        wrapping = self._key(found, wrapping_key, Ckr.WRAPPING_KEY_HANDLE_INVALID)
        return await wrap_key(mechanism, wrapping, self._key(found, key), room)

    async def unwrap_key(self, session: int, mechanism: Mechanism, key: int, wrapped: bytes, template: Template) -> int:
        found = self._sessions.get(session)
        self._table.require_room()
        unwrapping = self._key(found, key, Ckr.UNWRAPPING_KEY_HANDLE_INVALID)
        made = await unwrap_key(mechanism, unwrapping, found.login, wrapped, checked(template))
        return self._desk.add(self._sessions.get(session), made)

    def seed_random(self, session: int, seed: bytes) -> None:
        self._sessions.get(session)
        refuse_seed()

    async def generate_random(self, session: int, length: int) -> bytes:
        return await generate_random(self._sessions.get(session).slot.remote, length)

    def cancel_operations(self, session: int, flags: int) -> None:
        self._sessions.get(session).cancel(flags)

    def close(self) -> None:
        self._events.close()
        self._sessions.end()
        self._on_close(self)

    def _token(self, slot: int) -> Slot:
        found = self._sessions.slot(slot)
        if not found.has_token:
            raise CkrError(Ckr.TOKEN_NOT_PRESENT, f"nothing is known of {found.name} yet")
        return found

    def _key(self, session: Session, handle: int, missing: Ckr = Ckr.KEY_HANDLE_INVALID) -> StoredObject:
        return self._desk.resolve(session, handle, missing)

    def _session_closed(self, session: Session) -> None:
        self._desk.drop(self._table.drop_session(session.handle))
        if not self._sessions.of(session.slot):
            self._logged_out(session.slot)

    def _logged_out(self, slot: Slot) -> None:
        for session in self._sessions.of(slot):
            session.cancel_private()
        self._desk.drop(self._table.drop_private(slot))
        self._desk.forget_values()
