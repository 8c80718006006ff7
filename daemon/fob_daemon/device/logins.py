"""The daemon's logins on one device, which its applications share; each application's PIN is still checked there.

PINs pass through and tickets stay in memory; neither has a `repr`. A login outlives the link session by its ticket.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Protocol, TypeVar

from fob_daemon.device.background import Background
from fob_daemon.device.remote_token import RemoteToken
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Cku
from fob_protocol.pkcs11.errors import CkrError

# A burst of command line tools logs in and out with each; only the last logout reaches the device.
LINGER: Final = 2.0
# Superseded logins wait for the linger too; the device holds 16 tickets, and other PCs need some.
SUPERSEDED_LIMIT: Final = 8

T = TypeVar("T")


class Timer(Protocol):
    """What `call_later` gives back."""

    def cancel(self) -> None: ...


CallLater = Callable[[float, Callable[[], None]], Timer]


def call_later(seconds: float, work: Callable[[], None]) -> Timer:
    """The running loop's timer."""
    return asyncio.get_running_loop().call_later(seconds, work)


@dataclass(slots=True, repr=False)
class UserLogin:
    """One user type's login. `epoch` counts the logins that ended for all; `session` is the one it is open in."""

    user: Cku
    epoch: int = 0
    holders: int = 0
    id: int | None = None
    ticket: bytes = b""
    session: bytes | None = None
    superseded: list[int] = field(default_factory=list)
    linger: Timer | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Logins:
    """The user's login and the security officer's."""

    def __init__(
        self, remote: RemoteToken, background: Background, *, linger: float = LINGER, later: CallLater = call_later
    ) -> None:
        self._remote = remote
        self._background = background
        self._linger = linger
        self._later = later
        self._logins = {user: UserLogin(user) for user in (Cku.USER, Cku.SO)}

    def is_open(self, user: Cku, epoch: int) -> bool:
        """True as long as the login of `epoch` did not end on the device."""
        login = self._logins[user]
        return login.id is not None and login.epoch == epoch

    async def open(self, user: Cku, pin: bytes | None) -> int:
        """C_Login by an application, one round trip; the caller holds the epoch that comes back. Raises CkrError."""
        login = self._logins[user]
        self._stop_linger(login)
        session = self._remote.session_id
        try:
            number, ticket = await self._remote.login(user, pin)
        except BaseException:
            self._linger_if_unheld(login)
            raise
        if login.id is not None:
            login.superseded.append(login.id)
        login.id, login.ticket, login.session = number, ticket, session
        login.holders += 1
        if len(login.superseded) > SUPERSEDED_LIMIT:
            self._background.run("logout", partial(self._log_out_all, [login.superseded.pop(0)]))
        return login.epoch

    def release(self, user: Cku, epoch: int) -> None:
        """An application logged out or went away."""
        login = self._logins[user]
        if self.is_open(user, epoch):
            login.holders -= 1
            self._linger_if_unheld(login)

    def end(self, user: Cku) -> None:
        """The login is over on the device: every application is back in its public state."""
        login = self._logins[user]
        self._stop_linger(login)
        login.epoch += 1
        login.holders, login.id, login.ticket, login.session = 0, None, b"", None
        login.superseded.clear()

    def end_id(self, number: int) -> None:
        """+FOBLOCKED: the device ended a login."""
        for login in self._logins.values():
            if login.id == number:
                self._background.run("logout", partial(self._log_out_all, login.superseded.copy()))
                self.end(login.user)
            elif number in login.superseded:
                login.superseded.remove(number)

    async def run(self, user: Cku, ask: Callable[[], Awaitable[T]], *, is_guarded: bool = False) -> T:
        """`ask` within the login, resumed first when the link session is a new one.

        A session that changed between the two makes one more try: what was refused for want of a login did not run.
        `is_guarded`: the key asks for a PIN of its own, so that USER_NOT_LOGGED_IN does not speak of this login.
        Raises CkrError: USER_NOT_LOGGED_IN when the login is over, or what `ask` raises.
        """
        login = self._logins[user]
        await self._resume(login)
        try:
            return await ask()
        except CkrError as error:
            if error.ckr is not Ckr.USER_NOT_LOGGED_IN or is_guarded:
                raise
            if login.session == self._remote.session_id:
                self.end(user)
                raise
        await self._resume(login)
        return await ask()

    async def _resume(self, login: UserLogin) -> None:
        """One round trip in each new link session, however many operations wait for it."""
        async with login.lock:
            session = self._remote.session_id
            if session is None:
                raise CkrError(Ckr.DEVICE_ERROR, "the device is away")
            if login.id is None:
                raise CkrError(Ckr.USER_NOT_LOGGED_IN, "the login ended on the device")
            if login.session == session:
                return
            number = login.id
            try:
                await self._remote.resume(number, login.ticket)
            except CkrError as error:
                if error.ckr is Ckr.USER_NOT_LOGGED_IN and login.id == number:
                    self.end(login.user)
                raise
            if login.id == number:
                login.session = session

    def _linger_if_unheld(self, login: UserLogin) -> None:
        if login.holders == 0 and login.id is not None and login.linger is None:
            login.linger = self._later(self._linger, lambda: self._log_out(login))

    def _stop_linger(self, login: UserLogin) -> None:
        if login.linger is not None:
            login.linger.cancel()
            login.linger = None

    def _log_out(self, login: UserLogin) -> None:
        login.linger = None
        numbers = [*login.superseded, *([] if login.id is None else [login.id])]
        self.end(login.user)
        self._background.run("logout", partial(self._log_out_all, numbers))

    async def _log_out_all(self, numbers: list[int]) -> None:
        for number in numbers:
            # One that ended already is as good.
            with suppress(CkrError):
                await self._remote.logout(number)
