"""Keys at the start of an operation: may this key do that, and how is it asked on the device."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

from fob_daemon.cryptoki.login_state import LoginState
from fob_daemon.cryptoki.objects import StoredObject
from fob_daemon.cryptoki.templates import label_of, mechanisms
from fob_daemon.device.remote_token import RemoteToken
from fob_protocol.caller import Caller, Purpose
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Cko, Cku
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.pkcs11.mechanisms import Mechanism

T = TypeVar("T")

# One request to the device for a caller.
Work = Callable[[RemoteToken, Caller | None], Awaitable[T]]


def require_key(key: StoredObject, use: Cka, mechanism: Mechanism, *classes: Cko) -> None:
    """Raises CkrError KEY_HANDLE_INVALID, KEY_TYPE_INCONSISTENT, KEY_FUNCTION_NOT_PERMITTED or MECHANISM_INVALID."""
    if not key.is_key:
        raise CkrError(Ckr.KEY_HANDLE_INVALID, "this object is no key")
    if key.object_class not in classes:
        raise CkrError(Ckr.KEY_TYPE_INCONSISTENT, "another class of key is due")
    if not key.says(use):
        raise CkrError(Ckr.KEY_FUNCTION_NOT_PERMITTED, f"CKA_{use.name} is not set")
    allowed = mechanisms(key.attributes)
    if allowed and mechanism.type not in allowed:
        raise CkrError(Ckr.MECHANISM_INVALID, "CKA_ALLOWED_MECHANISMS does not name this mechanism")


def require_key_type(key: StoredObject, *key_types: int) -> None:
    """Raises CkrError KEY_TYPE_INCONSISTENT."""
    if key.attributes.get(Cka.KEY_TYPE) not in key_types:
        raise CkrError(Ckr.KEY_TYPE_INCONSISTENT, "the mechanism needs another type of key")


@dataclass(slots=True, eq=False)
class KeyUse:
    """One operation with a key of the device.

    A key with CKA_ALWAYS_AUTHENTICATE needs a PIN for this very operation; what another application of this PC
    typed does not count, so the daemon checks it too.
    """

    key: StoredObject
    handle: int
    login: LoginState
    _is_authorized: bool = field(default=False)

    @classmethod
    def of(cls, key: StoredObject, login: LoginState) -> "KeyUse":
        """Raises CkrError KEY_TYPE_INCONSISTENT for a key that is not on the device."""
        if key.device_handle is None:
            raise CkrError(Ckr.KEY_TYPE_INCONSISTENT, "this key is not on the device")
        return cls(key, key.device_handle, login)

    @property
    def is_guarded(self) -> bool:
        """True for a key that asks for a PIN each time."""
        return self.key.says(Cka.ALWAYS_AUTHENTICATE)

    @property
    def awaits_pin(self) -> bool:
        """True for an operation that still needs the PIN of its own."""
        return self.is_guarded and not self._is_authorized

    async def authorize(self, pin: bytes | None) -> None:
        """C_Login with CKU_CONTEXT_SPECIFIC, one round trip."""
        self.login.require(Cku.USER)
        slot = self.key.slot
        ask = partial(self._remote.login_for_key, self.handle, pin, self.login.identify())
        await slot.checking_pin(Cku.USER, lambda: self.login.run(ask, is_guarded=True))
        self._is_authorized = True

    async def ask(self, operation: str, work: Work[T], purpose: Purpose = Purpose.UNKNOWN) -> T:
        """The operation's one request, noted for the log whatever comes of it. Raises CkrError.

        `purpose` is what the data tells, for a caller that did not say.
        """
        caller = self.login.identify()
        if caller is not None and caller.purpose is Purpose.UNKNOWN:
            caller = replace(caller, purpose=purpose)
        return await self.login.noted(operation, label_of(self.key.attributes), lambda: self._ask(work, caller), caller)

    async def _ask(self, work: Work[T], caller: Caller | None) -> T:
        self.login.require(Cku.USER)
        if self.awaits_pin:
            raise CkrError(Ckr.USER_NOT_LOGGED_IN, "this key asks for a PIN for each use")
        if not self.key.is_alive:
            raise CkrError(Ckr.KEY_HANDLE_INVALID, "the device lost this session key")
        await self.key.slot.admit()
        return await self.login.run(lambda: work(self._remote, caller), is_guarded=self.is_guarded)

    @property
    def _remote(self) -> RemoteToken:
        return self.key.slot.remote
