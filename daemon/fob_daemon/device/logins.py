"""The daemon's logins on one device, which its applications share; each application's PIN is still checked there.

PINs pass through and tickets stay in memory; neither has a `repr`. A login outlives the link session by its ticket.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Protocol, TypeVar

from fob_daemon.device.background import Background
from fob_daemon.device.remote_token import RemoteToken
from fob_protocol.caller import Caller
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Cku
from fob_protocol.pkcs11.errors import CkrError

# A burst of command line tools logs in and out with each; only the last logout reaches the device.
LINGER: Final = 2.0

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

    @property
    def are_open(self) -> bool:
        """True while the device is logged in for this PC: also in the moments after the last application left."""
        return any(login.id is not None for login in self._logins.values())

    async def open(self, user: Cku, pin: bytes | None, caller: Caller | None = None) -> int:
        """C_Login by an application, one round trip; it holds the epoch that comes back. Raises CkrError.

        The new login replaces the one that there was, for all who hold it.
        """
        login = self._logins[user]
        self._stop_linger(login)
        session, replaced = self._remote.session_id, login.id
        try:
            number, ticket = await self._remote.login(user, pin, replaced, caller)
        except BaseException:
            self._linger_if_unheld(login)
            raise
        if login.id not in (None, replaced):
            # Two applications logged in at the same moment, and the device replaced the same login twice.
            self._log_out_later(login.id)
        # The last other application may have left while the device checked the PIN.
        self._stop_linger(login)
        login.id, login.ticket, login.session = number, ticket, session
        login.holders += 1
        return login.epoch

    def join(self, user: Cku) -> int:
        """One more application holds the login that is open; its epoch. Raises CkrError USER_NOT_LOGGED_IN.

        The device is not asked: this is for one whose person has just given the PIN to another and means both.
        """
        login = self._logins[user]
        if login.id is None:
            raise CkrError(Ckr.USER_NOT_LOGGED_IN, "there is no login to take part in")
        self._stop_linger(login)
        login.holders += 1
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

    def end_id(self, number: int) -> None:
        """+FOBLOCKED: the device ended a login."""
        for login in self._logins.values():
            if login.id == number:
                self.end(login.user)

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
            session = await self._remote.present()
            if login.id is None:
                raise CkrError(Ckr.USER_NOT_LOGGED_IN, "the login ended on the device")
            if login.session == session:
                return
            number = login.id
            try:
                await self._remote.resume(number, login.ticket)
            except CkrError as error:
                if error.ckr is not Ckr.USER_NOT_LOGGED_IN:
                    raise
                if login.id == number:
                    self.end(login.user)
                    raise
                # Meanwhile an application logged in, which ended this login and made another.
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
        number = login.id
        self.end(login.user)
        self._log_out_later(number)

    def _log_out_later(self, number: int | None) -> None:
        if number is not None:
            self._background.run("logout", partial(self._remote.logout, number))
