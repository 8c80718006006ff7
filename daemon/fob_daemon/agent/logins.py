"""The agent's own Cryptoki application: logged in once for all connections, it makes their signatures.

Logins belong to an application (PKCS#11 v2.40 usage guide, section 2.6), and an `ssh` is a new connection every time;
with a login each, a person would type a PIN for every `git fetch`.
"""

import asyncio
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Self

from fob_daemon.agent.limits import MAX_SIGNATURE
from fob_daemon.agent.objects import find_objects, open_session, read_attributes
from fob_daemon.cryptoki.interface import Application
from fob_protocol.pkcs11.attributes import Attributes, Template
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Cko, Cks, Cku
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.pkcs11.flags import SessionFlag, TokenFlag
from fob_protocol.pkcs11.mechanisms import Mechanism

# The provider name of `ssh-add -s` that means the one token there is; with several, each goes by its label.
DEFAULT_PROVIDER: Final = "fob"

_LOGGED_IN: Final = (Cks.RO_USER_FUNCTIONS, Cks.RW_USER_FUNCTIONS)
_NAME_ATTRIBUTES: Final = (Cka.KEY_TYPE, Cka.ID, Cka.SIGN)


@dataclass(frozen=True, slots=True)
class KeyName:
    """What public and private key of a pair have in common."""

    slot: int
    key_type: int
    id: bytes

    @classmethod
    def of(cls, slot: int, attributes: Attributes) -> Self:
        """From CKA_KEY_TYPE and CKA_ID, which may be empty."""
        key_type, key_id = attributes.get(Cka.KEY_TYPE, -1), attributes.get(Cka.ID, b"")
        return cls(slot, key_type if isinstance(key_type, int) else -1, key_id if isinstance(key_id, bytes) else b"")


@dataclass(frozen=True, slots=True)
class Permissions:
    """CKA_SIGN of a token's private keys; those that hide until login are taken for granted."""

    all_seen: bool
    signs: dict[KeyName, bool]

    def may_sign(self, name: KeyName) -> bool:
        """Whether a signature by this key is worth trying."""
        return self.signs.get(name, not self.all_seen)


@dataclass(slots=True)
class _TokenLogin:
    """`anchor` is the session that keeps the login open; `count` goes up with every login."""

    anchor: int | None = None
    count: int = 0
    changing: asyncio.Lock = field(default_factory=asyncio.Lock)


class AgentLogins:
    """Logs in and signs, for every connection of the agent. Methods raise CkrError."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._tokens: defaultdict[int, _TokenLogin] = defaultdict(_TokenLogin)

    def close(self) -> None:
        """All logins end."""
        self._application.close()

    def find_token(self, provider: str) -> int:
        """The slot that `ssh-add -s` means by a token's label, or by "fob" when there is one token."""
        application = self._application
        slots = application.get_slot_list(token_present=True)
        labelled = [slot for slot in slots if application.get_token_info(slot).label.rstrip() == provider]
        if not labelled and provider == DEFAULT_PROVIDER:
            labelled = slots
        if len(labelled) != 1:
            raise CkrError(Ckr.TOKEN_NOT_RECOGNIZED, f"{len(labelled)} tokens go by this name")
        return labelled[0]

    def has_pin_pad(self, slot: int) -> bool:
        """Whether the device itself asks for the PIN."""
        return self._has_flag(slot, TokenFlag.PROTECTED_AUTHENTICATION_PATH)

    def is_logged_in(self, slot: int) -> bool:
        """Whether private keys can be used now."""
        anchor = self._tokens[slot].anchor
        return anchor is not None and self._state(anchor) in _LOGGED_IN

    async def login(self, slot: int, pin: bytes) -> None:
        """Log in with a PIN, by the PIN pad where there is one; nothing to do when the token is logged in."""
        token = self._tokens[slot]
        async with token.changing:
            if not self.is_logged_in(slot):
                await self._login(slot, pin or None)

    async def join(self, slot: int) -> bool:
        """Take part in the login that `fob unlock` holds; False when the token is logged in for the agent already."""
        token = self._tokens[slot]
        async with token.changing:
            if self.is_logged_in(slot):
                return False
            await self._application.join_login(self._anchor(slot))
            token.count += 1
            return True

    async def logout(self, slot: int) -> bool:
        """Forget the login; False without one."""
        async with self._tokens[slot].changing:
            if not self.is_logged_in(slot):
                return False
            await self._application.logout(self._anchor(slot))
            return True

    async def permissions(self, slot: int) -> Permissions:
        """What the private keys say that are visible now."""
        application = self._application
        all_seen = self.is_logged_in(slot) or not self._has_flag(slot, TokenFlag.LOGIN_REQUIRED)
        signs: dict[KeyName, bool] = {}
        with open_session(application, slot) as session:
            for handle in find_objects(application, session, {Cka.CLASS: Cko.PRIVATE_KEY}):
                attributes = await read_attributes(application, session, handle, _NAME_ATTRIBUTES)
                name = KeyName.of(slot, attributes)
                signs[name] = signs.get(name, False) or attributes.get(Cka.SIGN) is True
        return Permissions(all_seen, signs)

    async def sign(self, name: KeyName, mechanism: Mechanism, data: bytes) -> bytes:
        """One C_Sign with the private key; logs in by the PIN pad, once, when the token wants a login."""
        logins_seen = self._tokens[name.slot].count
        try:
            return await self._sign(name, mechanism, data)
        except CkrError as error:
            if error.ckr is not Ckr.USER_NOT_LOGGED_IN:
                raise
        await self._login_again(name.slot, logins_seen)
        return await self._sign(name, mechanism, data)

    async def _sign(self, name: KeyName, mechanism: Mechanism, data: bytes) -> bytes:
        """In a session of its own, since a session has one operation and connections do not wait for each other."""
        application = self._application
        with open_session(application, name.slot) as session:
            key = await self._private_key(session, name)
            asks_always = await read_attributes(application, session, key, (Cka.ALWAYS_AUTHENTICATE,))
            application.sign_init(session, mechanism, key)
            if asks_always.get(Cka.ALWAYS_AUTHENTICATE) is True:
                if not self.has_pin_pad(name.slot):
                    raise CkrError(Ckr.PIN_INVALID, "the key wants a PIN for every use, and the token has no PIN pad")
                await application.login(session, Cku.CONTEXT_SPECIFIC, None)
            signature = await application.sign(session, data, MAX_SIGNATURE)
        if isinstance(signature, int):
            raise CkrError(Ckr.DEVICE_ERROR, f"a signature of {signature} bytes")
        return signature

    async def _private_key(self, session: int, name: KeyName) -> int:
        if self._has_flag(name.slot, TokenFlag.LOGIN_REQUIRED) and not self.is_logged_in(name.slot):
            raise CkrError(Ckr.USER_NOT_LOGGED_IN, "no login yet")
        template: Template = {Cka.CLASS: Cko.PRIVATE_KEY, Cka.KEY_TYPE: name.key_type, Cka.ID: name.id, Cka.SIGN: True}
        found = find_objects(self._application, session, template)
        if not found:
            raise CkrError(Ckr.KEY_HANDLE_INVALID, "the token has no such private key for signatures")
        return found[0]

    async def _login_again(self, slot: int, logins_seen: int) -> None:
        """By the PIN pad, unless another request has logged in since `logins_seen`."""
        token = self._tokens[slot]
        async with token.changing:
            if token.count != logins_seen:
                return
            if self.is_logged_in(slot):
                # The device ended a login that the PC believes in.
                with suppress(CkrError):
                    await self._application.logout(self._anchor(slot))
            await self._login(slot, None)

    async def _login(self, slot: int, pin: bytes | None) -> None:
        if pin is None and not self.has_pin_pad(slot):
            raise CkrError(Ckr.USER_NOT_LOGGED_IN, "the token has no PIN pad; first: fob unlock, or ssh-add -s fob")
        await self._application.login(self._anchor(slot), Cku.USER, pin)
        self._tokens[slot].count += 1

    def _has_flag(self, slot: int, flag: TokenFlag) -> bool:
        return flag in self._application.get_token_info(slot).flags

    def _anchor(self, slot: int) -> int:
        token = self._tokens[slot]
        if token.anchor is None or self._state(token.anchor) is None:
            token.anchor = self._application.open_session(slot, SessionFlag.SERIAL_SESSION)
        return token.anchor

    def _state(self, session: int) -> int | None:
        """CKS; None for a session that is closed, as all are when the token was initialised anew."""
        try:
            return self._application.get_session_info(session).state
        except CkrError:
            return None
