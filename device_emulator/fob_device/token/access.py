"""What one link session may do: its logins, and the keys that a PIN was just entered for."""

import threading
from collections import Counter

from fob_device.store.database import Database
from fob_device.store.pin_rows import write_pin
from fob_device.store.ticket_rows import delete_tickets_of
from fob_device.token import limits
from fob_device.token.logins import LiveLogin, Login, Logins
from fob_device.token.pins import TRIES, Pins, check_pin_size
from fob_device.token.values import is_true
from fob_protocol.pkcs11.attributes import Attributes
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Cku
from fob_protocol.pkcs11.errors import CkrError


class Access:
    """The login state of one link session; several applications of the computer may each have a login in it."""

    def __init__(self, database: Database, pins: Pins, logins: Logins) -> None:
        self._database = database
        self._pins = pins
        self._logins = logins
        self._mine: dict[int, LiveLogin] = {}
        # How often a PIN was typed for a key, and the key not used since.
        self._authorized: Counter[int] = Counter()
        self._authorized_lock = threading.Lock()

    @property
    def users(self) -> set[Cku]:
        """Who is logged in."""
        return {login.user for login in self._live()}

    def login(self, user: Cku, pin: bytes, replaced: int | None = None) -> Login:
        """A login; `replaced`, one of the same user in this session, ends with it.

        Raises CkrError USER_TYPE_INVALID, SESSION_COUNT, and what `Pins.unlock` raises.
        """
        require_pin_user(user)
        self._require_room()
        return self.login_opened(user, self._pins.unlock(user, pin), replaced)

    def login_opened(self, user: Cku, master_key: bytes, replaced: int | None = None) -> Login:
        """As `login`, where a PIN was checked before. Raises CkrError SESSION_COUNT."""
        self._require_room()
        live, login = self._logins.begin(user, master_key)
        self._mine[login.id] = live
        if replaced is not None and (old := self._mine.get(replaced)) is not None and old.user == user:
            self._logins.end(replaced)
            del self._mine[replaced]
        return login

    def resume(self, number: int, ticket: bytes) -> None:
        """Raises CkrError USER_NOT_LOGGED_IN, SESSION_COUNT."""
        self._require_room()
        live = self._logins.resume(number, ticket)
        if known := self._mine.get(number):
            self._logins.leave(known)
        self._mine[number] = live

    def logout(self, number: int) -> None:
        """Raises CkrError USER_NOT_LOGGED_IN for a login that is not this session's."""
        if number not in self._mine:
            raise CkrError(Ckr.USER_NOT_LOGGED_IN, "no such login in this session")
        self._logins.end(number)
        del self._mine[number]
        if Cku.USER not in self.users:
            self._authorized.clear()

    def close(self) -> None:
        """The link session ended; tickets stay."""
        for login in self._mine.values():
            self._logins.leave(login)
        self._mine.clear()
        self._authorized.clear()

    def init_pin(self, new_pin: bytes) -> None:
        """The SO sets the user's PIN and all its tries; the keys stay. The user's logins and tickets end.

        Raises CkrError USER_NOT_LOGGED_IN, PIN_LEN_RANGE.
        """
        self._store_pin(Cku.USER, new_pin, self.officer_login().master_key)
        self._logins.end_user(Cku.USER)

    def set_pin(self, user: Cku, old: bytes, new: bytes) -> None:
        """A user changes the PIN. All tickets of the user end, and the logins in other sessions.

        Raises CkrError USER_TYPE_INVALID, and for the old PIN what `Pins.unlock` raises.
        """
        require_pin_user(user)
        check_pin_size(new)
        self.set_pin_opened(user, self._pins.unlock(user, old), new)

    def set_pin_opened(self, user: Cku, master_key: bytes, new: bytes) -> None:
        """As `set_pin`, where the old PIN was checked before. Raises CkrError PIN_LEN_RANGE."""
        self._store_pin(user, new, master_key)
        self._logins.end_user(user, but=self._live())

    def take_ended(self) -> list[int]:
        """The logins of this session that somebody else ended since the last call: a PIN was set, or the token made."""
        ended = [number for number, login in list(self._mine.items()) if not self._logins.is_live(login)]
        for number in ended:
            del self._mine[number]
        return ended

    def officer_login(self) -> LiveLogin:
        """The SO's login. Raises CkrError USER_NOT_LOGGED_IN."""
        login = self._login_of(Cku.SO)
        if login is None:
            raise CkrError(Ckr.USER_NOT_LOGGED_IN, "the SO sets the user's PIN")
        return login

    def user_login(self) -> LiveLogin:
        """The user's login. Raises CkrError USER_NOT_LOGGED_IN."""
        login = self._login_of(Cku.USER)
        if login is None:
            raise CkrError(Ckr.USER_NOT_LOGGED_IN)
        return login

    def master_key(self) -> bytes | None:
        """The key that seals secrets, None when the user is not logged in."""
        login = self._login_of(Cku.USER)
        return None if login is None else login.master_key

    def require_writer(self, attributes: Attributes) -> None:
        """Private objects are the user's; public ones of the token the user's or the SO's; session objects anyone's.

        Raises CkrError USER_NOT_LOGGED_IN.
        """
        if is_true(attributes, Cka.PRIVATE):
            self.user_login()
        elif is_true(attributes, Cka.TOKEN) and not self.users:
            raise CkrError(Ckr.USER_NOT_LOGGED_IN)

    def authorize_key(self, handle: int, pin: bytes) -> None:
        """The next use of a CKA_ALWAYS_AUTHENTICATE key is allowed. Raises CkrError as `login` does."""
        self.user_login()
        self._pins.unlock(Cku.USER, pin)
        self.authorize_key_opened(handle)

    def authorize_key_opened(self, handle: int) -> None:
        """As `authorize_key`, where the PIN was checked before. Raises CkrError USER_NOT_LOGGED_IN."""
        self.user_login()
        with self._authorized_lock:
            self._authorized[handle] += 1

    def use_authorization(self, handle: int) -> None:
        """Uses up what `authorize_key` gave. Raises CkrError USER_NOT_LOGGED_IN when there is nothing to use up."""
        with self._authorized_lock:
            if not self._authorized[handle]:
                raise CkrError(Ckr.USER_NOT_LOGGED_IN, "this key asks for the PIN at every use")
            self._authorized[handle] -= 1

    def _store_pin(self, user: Cku, pin: bytes, master_key: bytes) -> None:
        row = self._pins.wrap(user, pin, master_key)
        with self._database.transaction() as connection:
            write_pin(connection, row)
            delete_tickets_of(connection, user)
            self._pins.note_set(connection, user)

    def _login_of(self, user: Cku) -> LiveLogin | None:
        return next((login for login in self._live() if login.user == user), None)

    def _live(self) -> list[LiveLogin]:
        return [login for login in list(self._mine.values()) if self._logins.is_live(login)]

    def _require_room(self) -> None:
        self._mine = {login.id: login for login in self._live()}
        if len(self._mine) >= limits.LOGIN_LIMIT:
            raise CkrError(Ckr.SESSION_COUNT, f"a computer has at most {limits.LOGIN_LIMIT} logins")


def require_pin_user(user: Cku) -> None:
    """Raises CkrError USER_TYPE_INVALID for a user type without a PIN of its own."""
    if user not in TRIES:
        raise CkrError(Ckr.USER_TYPE_INVALID, "only the user and the SO have a PIN")
