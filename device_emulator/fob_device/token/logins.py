"""Who is logged in, and the tickets by which a login outlives a restart of the device."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Final

from fob_device.history.journal import NO_JOURNAL, Journal
from fob_device.store.database import Database
from fob_device.store.ticket_rows import (
    TicketRow,
    delete_ticket,
    keep_newest_tickets,
    next_login,
    read_ticket,
    write_ticket,
)
from fob_device.token import limits
from fob_device.token.device_root import DeviceRoot
from fob_device.token.keys import PrivateKey
from fob_device.token.sealing import SealBrokenError, seal, unseal
from fob_protocol.history.entry import Entry, Kind
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Cku
from fob_protocol.pkcs11.errors import CkrError

Clock = Callable[[], float]

# Who logs in, in the history.
USERS: Final = {Cku.USER: "the user", Cku.SO: "the security officer"}

_PURPOSE: Final = "master key under a login ticket"
# SQLite's largest integer: a larger login number is nobody's.
_LARGEST_LOGIN: Final = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Login:
    """What C_Login gives the computer: a number, and a ticket of 32 octets that goes on with the login later."""

    id: int
    ticket: bytes = field(repr=False)


@dataclass(eq=False, slots=True)
class LiveLogin:
    """A login of one link session: the master key, and the keys that were opened with it, by handle."""

    id: int
    user: Cku
    master_key: bytes = field(repr=False)
    keys: dict[int, PrivateKey] = field(default_factory=dict, repr=False)


class Logins:
    """The logins of all link sessions."""

    def __init__(self, database: Database, root: DeviceRoot, clock: Clock, journal: Journal = NO_JOURNAL) -> None:
        self._database = database
        self._journal = journal
        self._root = root
        self._clock = clock
        self._live: set[LiveLogin] = set()

    def begin(self, user: Cku, master_key: bytes) -> tuple[LiveLogin, Login]:
        """A new login, and its ticket; only the newest tickets are kept."""
        ticket = self._root.random(limits.TICKET_SIZE)
        created = self._clock()
        with self._database.transaction() as connection:
            number = next_login(connection)
            bound_to = self._bind(number, user, created)
            wrapped = seal(self._root.ticket_key(ticket), master_key, bound_to, self._root.random)
            write_ticket(connection, TicketRow(number, user, created, wrapped))
            keep_newest_tickets(connection, limits.TICKET_LIMIT)
            self._journal.write(connection, Entry(Kind.LOGIN, words=USERS[user]))
        return self._enter(LiveLogin(number, user, master_key)), Login(number, ticket)

    def resume(self, number: int, ticket: bytes) -> LiveLogin:
        """A login goes on. Raises CkrError USER_NOT_LOGGED_IN for any ticket that is not good now."""
        row = self._valid_ticket(number) if len(ticket) == limits.TICKET_SIZE else None
        if row is None:
            raise CkrError(Ckr.USER_NOT_LOGGED_IN, "no such login, or it is over")
        try:
            bound_to = self._bind(row.login, row.user, row.created)
            master_key = unseal(self._root.ticket_key(ticket), row.wrapped_master, bound_to)
        except SealBrokenError:
            raise CkrError(Ckr.USER_NOT_LOGGED_IN, "not the ticket of this login") from None
        return self._enter(LiveLogin(row.login, Cku(row.user), master_key))

    def is_live(self, login: LiveLogin) -> bool:
        """Whether a login still holds."""
        return login in self._live

    def end(self, number: int) -> None:
        """A logout: the ticket goes, and the login in every session that has it."""
        with self._database.transaction() as connection:
            delete_ticket(connection, number)
        self._drop(login for login in list(self._live) if login.id == number)

    def leave(self, login: LiveLogin) -> None:
        """A session ended; the ticket may go on with the login in another one."""
        self._drop([login])

    def end_user(self, user: Cku, but: Collection[LiveLogin] = ()) -> None:
        """End the logins of a user, but not those in `but`. Their tickets are the caller's transaction."""
        self._drop(login for login in list(self._live) if login.user == user and login not in but)

    def forget_key(self, handle: int) -> None:
        """A key was destroyed: no login keeps it open."""
        for login in list(self._live):
            login.keys.pop(handle, None)

    def _valid_ticket(self, number: int) -> TicketRow | None:
        if not 0 < number <= _LARGEST_LOGIN:
            return None
        row = self._database.read(lambda connection: read_ticket(connection, number))
        # A clock that was set back makes a ticket invalid, not eternal.
        if row is None or not 0 <= self._clock() - row.created < limits.TICKET_SECONDS:
            return None
        return row

    def _bind(self, number: int, user: int, created: float) -> bytes:
        return self._root.bind(_PURPOSE, number, user, repr(created))

    def _enter(self, login: LiveLogin) -> LiveLogin:
        self._live.add(login)
        return login

    def _drop(self, logins: Iterable[LiveLogin]) -> None:
        for login in logins:
            self._live.discard(login)
            login.keys.clear()
