"""Sessions for key commands, and the logins that `fob unlock` holds until `fob lock`, with the ssh agent's."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from fob_daemon.control.errors import PIN_NEEDED_STATUS, ControlError, ExitCode
from fob_daemon.control.interface import DaemonView, DeviceReport
from fob_daemon.control.refusals import refused
from fob_daemon.cryptoki.interface import Application
from fob_daemon.peer import PeerIdentity
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Cks, Cku
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.pkcs11.flags import SessionFlag, TokenFlag

_LOGGED_IN = frozenset({Cks.RO_USER_FUNCTIONS, Cks.RW_USER_FUNCTIONS})


@dataclass(frozen=True, slots=True)
class TokenSession:
    """A read/write session of one application on one device."""

    application: Application
    handle: int
    device: DeviceReport

    @property
    def is_logged_in(self) -> bool:
        """False too when the device ended the session or went away for good."""
        try:
            return self.application.get_session_info(self.handle).state in _LOGGED_IN
        except CkrError:
            return False


class TokenSessions:
    """One for the control socket. A held login serves every key command that comes while it lasts."""

    def __init__(self, daemon: DaemonView) -> None:
        self._daemon = daemon
        # By slot, which stays when a device is renamed.
        self._held: dict[int, TokenSession] = {}

    def device(self, name: str) -> DeviceReport:
        """The device of that name. Raises ControlError (NO_DEVICE)."""
        for device in self._daemon.status().devices:
            if device.name == name:
                return device
        raise ControlError(
            f"no device is called '{name}'", "it is not paired, or has another name", "fob devices", ExitCode.NO_DEVICE
        )

    @asynccontextmanager
    async def for_reading(self, device: DeviceReport, peer: PeerIdentity) -> AsyncIterator[TokenSession]:
        """A session as it comes: private objects are visible in it only while a login is held. Raises CkrError."""
        held = self._held_session(device.slot)
        if held is not None:
            yield held
            return
        session = self._open(device, peer)
        try:
            yield session
        finally:
            session.application.close()

    @asynccontextmanager
    async def for_writing(
        self, device: DeviceReport, peer: PeerIdentity, pin: bytes | None
    ) -> AsyncIterator[TokenSession]:
        """A session that is logged in at the device too.

        Raises ControlError when a PIN is needed, CkrError when it is wrong.
        """
        await self._go_on(device.slot)
        async with self.for_reading(device, peer) as session:
            if not session.is_logged_in:
                await _login(session, pin)
            yield session

    async def unlock(self, device: DeviceReport, peer: PeerIdentity, pin: bytes | None) -> None:
        """Log in and stay so, the ssh agent too. Raises ControlError."""
        what = f"'{device.name}' was not unlocked"
        try:
            await self._go_on(device.slot)
            held = self._held_session(device.slot)
            if held is None:
                await self._hold(device, peer, pin)
            is_news = self._held[device.slot].is_logged_in and await self._daemon.unlock_agent(device.slot)
        except CkrError as error:
            raise refused(what, error, self._daemon, device.slot) from None
        if held is not None and not is_news:
            raise ControlError(what, "it is unlocked already", "fob keys list", ExitCode.NOTHING_TO_DO)

    async def lock(self, name: str | None) -> list[str]:
        """Log out of one device or of all, the ssh agent too; the names. Raises ControlError when none was unlocked."""
        devices = [device for device in self._daemon.status().devices if name in (None, device.name)]
        locked = [device.name for device in devices if await self._lock(device)]
        if not locked:
            raise ControlError("nothing was locked", "nothing is unlocked", "fob status", ExitCode.NOTHING_TO_DO)
        return locked

    def forget(self, slot: int) -> None:
        """A device is unpaired."""
        self._drop(slot)

    def close(self) -> None:
        """Let every held login go."""
        for slot in list(self._held):
            self._drop(slot)

    def _open(self, device: DeviceReport, peer: PeerIdentity) -> TokenSession:
        application = self._daemon.application(peer)
        try:
            handle = application.open_session(device.slot, SessionFlag.SERIAL_SESSION | SessionFlag.RW_SESSION)
        except CkrError:
            application.close()
            raise
        return TokenSession(application, handle, device)

    async def _hold(self, device: DeviceReport, peer: PeerIdentity, pin: bytes | None) -> None:
        session = self._open(device, peer)
        try:
            await _login(session, pin)
        except BaseException:
            session.application.close()
            raise
        # Two at once: the later one holds.
        self._drop(device.slot)
        self._held[device.slot] = session

    async def _lock(self, device: DeviceReport) -> bool:
        """False when it was not unlocked."""
        agent_was_logged_in = await self._daemon.lock_agent(device.slot)
        session = self._held_session(device.slot)
        if session is None:
            return agent_was_logged_in
        del self._held[device.slot]
        with suppress(CkrError):  # away, or logged out already: closing forgets the login here
            await session.application.logout(session.handle)
        session.application.close()
        return True

    async def _go_on(self, slot: int) -> None:
        """A device that was switched off knows a held login by its ticket again, or it ends here too. Raises CkrError.

        No round trip while the link session is the one that the login was last used in.
        """
        held = self._held_session(slot)
        if held is None:
            return
        try:
            await held.application.within_login(held.handle, _nothing)
        except CkrError as error:
            if error.ckr is not Ckr.USER_NOT_LOGGED_IN:
                raise

    def _held_session(self, slot: int) -> TokenSession | None:
        session = self._held.get(slot)
        if session is not None and not session.is_logged_in:
            self._drop(slot)
            return None
        return session

    def _drop(self, slot: int) -> None:
        session = self._held.pop(slot, None)
        if session is not None:
            session.application.close()


async def _nothing() -> None:
    """To be asked within a login that is only to go on."""


async def _login(session: TokenSession, pin: bytes | None) -> None:
    """C_Login as the user; without a PIN only where the device asks for it itself. Raises ControlError, CkrError."""
    flags = session.application.get_token_info(session.device.slot).flags
    if not flags & TokenFlag.LOGIN_REQUIRED:
        return
    if pin is None and not flags & TokenFlag.PROTECTED_AUTHENTICATION_PATH:
        raise ControlError(
            f"'{session.device.name}' needs its PIN",
            "it has no PIN pad of its own, and no PIN was given",
            "the same command with --pin-file FILE",
            ExitCode.USAGE,
            status=PIN_NEEDED_STATUS,
        )
    try:
        await session.application.login(session.handle, Cku.USER, pin)
    except CkrError as error:
        if error.ckr != Ckr.USER_ALREADY_LOGGED_IN:
            raise
