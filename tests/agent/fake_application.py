"""An engine for the tests of the agent: tokens with software keys, and applications that implement what the agent uses.

What would cross the link is written down in `FakeToken.link`.
"""

import asyncio
from collections.abc import Iterable, Sequence
from itertools import count
from typing import cast

from agent.fake_keys import FakeKey
from fob_daemon.caller.behalf import Asker, current_asker
from fob_daemon.cryptoki.interface import Application, AttributeAnswer, Output, SessionInfo, TokenInfo
from fob_protocol.pkcs11.attributes import Attributes, Template
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Cko, Cks, Cku
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.pkcs11.flags import SessionFlag, TokenFlag
from fob_protocol.pkcs11.mechanisms import Mechanism

PIN = b"123456"


class FakeToken:
    """One token. `pad` holds what the person will type on the device, None for "cancel"; without it there is no pad.

    `approval` holds signatures up while it is not set; `signing` and `withdrawn` tell of each that came and went.
    """

    def __init__(self, keys: Iterable[FakeKey], label: str = "My phone", pad: list[bytes | None] | None = None) -> None:
        self.label = label
        self.keys = list(keys)
        self.pad = pad
        self.login_required = True
        self.is_away = False
        # Another application holds a login.
        self.is_unlocked = False
        self.link: list[str] = []
        # For whom each signature was made.
        self.askers: list[Asker | None] = []
        self.approval = asyncio.Event()
        self.approval.set()
        self.signing: asyncio.Queue[str] = asyncio.Queue()
        self.withdrawn: asyncio.Queue[str] = asyncio.Queue()
        # Counts logins that the device ended by itself.
        self.era = 0

    @property
    def flags(self) -> TokenFlag:
        flags = TokenFlag.TOKEN_INITIALIZED
        if self.login_required:
            flags |= TokenFlag.LOGIN_REQUIRED
        if self.pad is not None:
            flags |= TokenFlag.PROTECTED_AUTHENTICATION_PATH
        return flags

    def objects(self) -> dict[int, Attributes]:
        """All objects by handle: public keys are odd, private keys even."""
        objects: dict[int, Attributes] = {}
        for index, key in enumerate(self.keys):
            objects[2 * index + 1] = key.public_object()
            objects[2 * index + 2] = key.private_object()
        return objects

    async def check_pin(self, pin: bytes | None) -> None:
        """What the device does with a login."""
        if pin is None:
            if self.pad is None:
                raise CkrError(Ckr.ARGUMENTS_BAD, "no PIN, and the device has no PIN pad")
            pin = self.pad.pop(0)
        # Others may run while the person types.
        await asyncio.sleep(0)
        if pin is None:
            raise CkrError(Ckr.FUNCTION_CANCELED, "no PIN was typed on the device")
        if pin != PIN:
            raise CkrError(Ckr.PIN_INCORRECT)

    def end_logins(self) -> None:
        """The device forgets all logins, and the PC has not heard of it."""
        self.era += 1


class FakeApplication:
    """The part of Application that the agent uses; slots are positions in `tokens`."""

    def __init__(self, tokens: Sequence[FakeToken]) -> None:
        self._tokens = tokens
        self._handles = count(1)
        self._eras: dict[int, int] = {}
        self._found: dict[int, list[int]] = {}
        self._operations: dict[int, tuple[Mechanism, int]] = {}
        self._authenticated: set[int] = set()
        self.sessions: dict[int, int] = {}
        self.closed = asyncio.Event()

    def as_application(self) -> Application:
        return cast(Application, self)

    def get_slot_list(self, token_present: bool) -> list[int]:
        return list(range(len(self._tokens)))

    def get_token_info(self, slot: int) -> TokenInfo:
        token = self._tokens[slot]
        return TokenInfo(
            token.label.ljust(32), "Fob", "Fake", "1", token.flags, len(self.sessions), 0, 4, 64, (1, 0), (1, 0)
        )

    def open_session(self, slot: int, flags: int) -> int:
        assert flags & SessionFlag.SERIAL_SESSION
        handle = next(self._handles)
        self.sessions[handle] = slot
        return handle

    def close_session(self, session: int) -> None:
        slot = self._slot(session)
        del self.sessions[session]
        if slot not in self.sessions.values():
            self._eras.pop(slot, None)

    def get_session_info(self, session: int) -> SessionInfo:
        slot = self._slot(session)
        state = Cks.RO_USER_FUNCTIONS if slot in self._eras else Cks.RO_PUBLIC_SESSION
        return SessionInfo(slot, state, SessionFlag.SERIAL_SESSION)

    async def login(self, session: int, user_type: int, pin: bytes | None) -> None:
        slot = self._slot(session)
        token = self._tokens[slot]
        token.link.append("login" if user_type == Cku.USER else "login for one use")
        if user_type == Cku.USER and slot in self._eras:
            raise CkrError(Ckr.USER_ALREADY_LOGGED_IN)
        await token.check_pin(pin)
        if user_type == Cku.USER:
            self._eras[slot] = token.era
        else:
            self._authenticated.add(session)

    async def join_login(self, session: int) -> None:
        slot = self._slot(session)
        if not self._tokens[slot].is_unlocked:
            raise CkrError(Ckr.USER_NOT_LOGGED_IN)
        self._eras[slot] = self._tokens[slot].era

    async def logout(self, session: int) -> None:
        slot = self._slot(session)
        if slot not in self._eras:
            raise CkrError(Ckr.USER_NOT_LOGGED_IN)
        del self._eras[slot]
        self._tokens[slot].link.append("logout")

    def find_objects_init(self, session: int, template: Template) -> None:
        self._found[session] = [
            handle
            for handle, attributes in self._objects(session).items()
            if all(attributes.get(attribute) == value for attribute, value in template.items())
        ]

    def find_objects(self, session: int, limit: int) -> list[int]:
        found = self._found[session]
        self._found[session] = found[limit:]
        return found[:limit]

    def find_objects_final(self, session: int) -> None:
        del self._found[session]

    async def get_attribute_values(self, session: int, handle: int, types: Sequence[int]) -> list[AttributeAnswer]:
        attributes = self._objects(session)[handle]
        return [attributes.get(attribute, Ckr.ATTRIBUTE_TYPE_INVALID) for attribute in types]

    def sign_init(self, session: int, mechanism: Mechanism, key: int) -> None:
        assert self._objects(session)[key][Cka.CLASS] == Cko.PRIVATE_KEY
        self._operations[session] = (mechanism, key)

    async def sign(self, session: int, data: bytes, room: int | None) -> Output:
        mechanism, handle = self._operations.pop(session)
        slot = self._slot(session)
        token = self._tokens[slot]
        if token.is_away:
            raise CkrError(Ckr.DEVICE_REMOVED, "the device is away")
        key = token.keys[handle // 2 - 1]
        token.link.append("sign")
        token.askers.append(current_asker())
        token.signing.put_nowait(key.label)
        if token.login_required and self._eras.get(slot) != token.era:
            raise CkrError(Ckr.USER_NOT_LOGGED_IN)
        if key.always_authenticate and session not in self._authenticated:
            raise CkrError(Ckr.USER_NOT_LOGGED_IN)
        try:
            await token.approval.wait()
        except asyncio.CancelledError:
            token.withdrawn.put_nowait(key.label)
            raise
        assert room is not None
        return key.sign(mechanism.type, data)

    def close(self) -> None:
        self.closed.set()

    def _slot(self, session: int) -> int:
        if session not in self.sessions:
            raise CkrError(Ckr.SESSION_HANDLE_INVALID)
        return self.sessions[session]

    def _objects(self, session: int) -> dict[int, Attributes]:
        slot = self._slot(session)
        token = self._tokens[slot]
        shows_private = slot in self._eras or not token.login_required
        return {
            handle: attributes
            for handle, attributes in token.objects().items()
            if shows_private or not attributes[Cka.PRIVATE]
        }
