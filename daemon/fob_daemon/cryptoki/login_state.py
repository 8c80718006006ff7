"""Who is logged in: per application and token (PKCS#11 v2.40 base, 5.6, and its usage guide, 2.6)."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from fob_daemon.device.logins import Logins
from fob_daemon.device.slot import Slot
from fob_protocol.caller import Caller
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Cku
from fob_protocol.pkcs11.errors import CkrError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Use:
    """The device was used, or somebody tried: for the log. `seconds` from the request to its answer.

    `caller`: who it was, as far as the application can be asked.
    """

    operation: str
    subject: str
    slot: str
    result: Ckr
    seconds: float
    caller: Caller | None


Observer = Callable[[Use], None]
# Who asks at this moment; asked within the task that serves the request.
Identify = Callable[[], Caller | None]


def unidentified() -> Caller | None:
    """Nobody in particular."""
    return None


class LoginState:
    """An application's login on one token. The device checks each PIN; the daemon keeps the applications apart."""

    def __init__(self, slot: Slot, observe: Observer, identify: Identify) -> None:
        self.identify = identify
        self._observe = observe
        self._slot = slot
        self._user: Cku | None = None
        self._epoch = 0
        self._lock = asyncio.Lock()

    @property
    def user(self) -> Cku | None:
        """Who is logged in; a login that ended on the device is over here too."""
        if self._user is not None and not self._logins.is_open(self._user, self._epoch):
            self._user = None
        return self._user

    @property
    def shows_private_objects(self) -> bool:
        """True after the user's login."""
        return self.user is Cku.USER

    async def login(self, user: Cku, pin: bytes | None) -> None:
        """One round trip. Raises CkrError."""
        async with self._lock:
            if self.user is not None:
                same = self._user is user
                raise CkrError(Ckr.USER_ALREADY_LOGGED_IN if same else Ckr.USER_ANOTHER_ALREADY_LOGGED_IN)
            caller = self.identify()
            open_login = partial(self._logins.open, user, pin, caller)
            self._epoch = await self.noted(
                "login", user.name, lambda: self._slot.checking_pin(user, open_login), caller
            )
            self._user = user

    async def join(self) -> None:
        """Take part in the user's login that another application has opened; no round trip. Raises CkrError."""
        async with self._lock:
            if self.user is not None:
                raise CkrError(Ckr.USER_ALREADY_LOGGED_IN)
            self._epoch, self._user = self._logins.join(Cku.USER), Cku.USER

    def logout(self) -> None:
        """Raises CkrError USER_NOT_LOGGED_IN. The device hears of it later, if nobody logs in again at once."""
        if self.user is None:
            raise CkrError(Ckr.USER_NOT_LOGGED_IN)
        self.leave()

    def leave(self) -> None:
        """The last session closed or the application ended."""
        user, self._user = self.user, None
        if user is not None:
            self._logins.release(user, self._epoch)

    def require(self, user: Cku) -> None:
        """Raises CkrError USER_NOT_LOGGED_IN."""
        if self.user is not user:
            raise CkrError(Ckr.USER_NOT_LOGGED_IN, f"the {user.name} is not logged in")

    async def run(self, ask: Callable[[], Awaitable[T]], *, is_guarded: bool = False) -> T:
        """A request to the device within the application's login, or without one when there is none."""
        user = self.user
        if user is None:
            return await ask()
        return await self._logins.run(user, ask, is_guarded=is_guarded)

    async def noted(
        self, operation: str, subject: str, ask: Callable[[], Awaitable[T]], caller: Caller | None = None
    ) -> T:
        """A request that stands in the log whatever comes of it; `subject` is the key's label, or who logs in.

        `caller`: who asks, where that is known already.
        """
        began, result = time.monotonic(), Ckr.FUNCTION_CANCELED
        caller = caller or self.identify()
        try:
            answer = await ask()
            result = Ckr.OK
        except CkrError as error:
            result = error.ckr
            raise
        finally:
            self._observe(Use(operation, subject, self._slot.name, result, time.monotonic() - began, caller))
        return answer

    @property
    def _logins(self) -> Logins:
        return self._slot.logins
