"""An application's sessions and its login on each token (PKCS#11 v2.40 base, 5.6)."""

from collections.abc import Callable, Iterable, Mapping
from itertools import count

from fob_daemon.cryptoki.limits import SESSIONS_LIMIT
from fob_daemon.cryptoki.login_state import Identify, LoginState, Observer
from fob_daemon.cryptoki.session import Session
from fob_daemon.device.slot import Slot
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Cku
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.pkcs11.flags import SessionFlag, TokenFlag


class Sessions:
    """Session handles count up and are never used again."""

    def __init__(
        self,
        slots: Mapping[int, Slot],
        on_close: Callable[[Session], None],
        observe: Observer,
        identify: Identify,
    ) -> None:
        self._slots = slots
        self._observe = observe
        self._identify = identify
        self._on_close = on_close
        self._numbers = count(1)
        self._sessions: dict[int, Session] = {}
        self._logins: dict[Slot, LoginState] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    @property
    def is_logged_in(self) -> bool:
        """True when the application is logged in on any token."""
        return any(login.user is not None for login in self._logins.values())

    def slot(self, slot_id: int) -> Slot:
        """Raises CkrError SLOT_ID_INVALID."""
        slot = self._slots.get(slot_id)
        if slot is None:
            raise CkrError(Ckr.SLOT_ID_INVALID, f"there is no slot {slot_id}")
        return slot

    def get(self, handle: int) -> Session:
        """Raises CkrError SESSION_HANDLE_INVALID."""
        session = self._sessions.get(handle)
        if session is None:
            raise CkrError(Ckr.SESSION_HANDLE_INVALID, f"there is no session {handle}")
        return session

    def of(self, slot: Slot) -> list[Session]:
        """The sessions with one token."""
        return [session for session in self._sessions.values() if session.slot is slot]

    def open(self, slot_id: int, flags: int) -> int:
        """C_OpenSession. Raises CkrError."""
        slot = self.slot(slot_id)
        if not slot.has_token:
            raise CkrError(Ckr.TOKEN_NOT_PRESENT, f"nothing is known of {slot.name} yet")
        if not flags & SessionFlag.SERIAL_SESSION:
            raise CkrError(Ckr.SESSION_PARALLEL_NOT_SUPPORTED, "CKF_SERIAL_SESSION is due")
        if len(self._sessions) >= SESSIONS_LIMIT:
            raise CkrError(Ckr.SESSION_COUNT, f"{SESSIONS_LIMIT} sessions are open")
        login = self._logins.setdefault(slot, LoginState(slot, self._observe, self._identify))
        is_rw = bool(flags & SessionFlag.RW_SESSION)
        if login.user is Cku.SO and not is_rw:
            raise CkrError(Ckr.SESSION_READ_WRITE_SO_EXISTS, "the security officer has read-write sessions only")
        handle = next(self._numbers)
        self._sessions[handle] = Session(handle, slot, login, is_rw)
        return handle

    def close(self, handle: int) -> None:
        """C_CloseSession. Raises CkrError SESSION_HANDLE_INVALID."""
        self._close([self.get(handle)])

    def close_all(self, slot_id: int) -> None:
        """C_CloseAllSessions. Raises CkrError SLOT_ID_INVALID."""
        self._close(self.of(self.slot(slot_id)))

    def end(self) -> None:
        """The application ended."""
        self._close(list(self._sessions.values()))

    async def login(self, session: Session, user: Cku, pin: bytes | None) -> None:
        """C_Login by the user or the security officer, one round trip. Raises CkrError."""
        if user is Cku.SO and not all(other.is_rw for other in self.of(session.slot)):
            raise CkrError(Ckr.SESSION_READ_ONLY_EXISTS, "the security officer has read-write sessions only")
        await session.login.login(user, asked_pin(session.slot, pin))
        if session.handle not in self._sessions:
            self._leave_if_last(session)
            raise CkrError(Ckr.SESSION_HANDLE_INVALID, "the session was closed meanwhile")

    def _close(self, sessions: Iterable[Session]) -> None:
        for session in sessions:
            del self._sessions[session.handle]
            session.cancel_all()
            self._on_close(session)
            self._leave_if_last(session)

    def _leave_if_last(self, session: Session) -> None:
        if not self.of(session.slot):
            session.login.leave()


def asked_pin(slot: Slot, pin: bytes | None) -> bytes | None:
    """The PIN to send: none to a device with a PIN pad, which asks for itself (PKCS#11 v2.40 base, 5.6, C_Login).

    So a NULL PIN, an empty one and one that a program makes up are the same, cost no try and cross no link.
    Raises CkrError ARGUMENTS_BAD for no PIN where the device has no PIN pad.
    """
    token = slot.cache.token
    has_pad = token is not None and bool(token.flags & TokenFlag.PROTECTED_AUTHENTICATION_PATH)
    if has_pad:
        return None
    if pin is None:
        raise CkrError(Ckr.ARGUMENTS_BAD, "no PIN, and the device has no PIN pad")
    return pin
