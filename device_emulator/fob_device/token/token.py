"""The token as a whole."""

import itertools
import sqlite3
from collections.abc import Callable, Mapping
from typing import Final

from fob_device.history.journal import NO_JOURNAL, Journal
from fob_device.store.database import Database
from fob_device.store.object_rows import bury_all_objects
from fob_device.store.office_rows import delete_user_items
from fob_device.store.pin_rows import delete_pin, write_pin
from fob_device.store.ticket_rows import delete_tickets_of
from fob_device.store.token_row import TokenRow, read_token, write_label, write_token
from fob_device.token import limits
from fob_device.token.access import Access
from fob_device.token.device_root import DeviceRoot
from fob_device.token.kdf import KdfCost
from fob_device.token.logins import Clock, Logins
from fob_device.token.mechanisms import MECHANISM_INFOS
from fob_device.token.object_desk import ObjectDesk
from fob_device.token.pins import Pins, wrap_master
from fob_device.token.sealing import KEY_SIZE
from fob_device.token.session import TokenSession
from fob_device.token.token_objects import TokenObjects
from fob_device.token.views import ObjectView, Page
from fob_protocol.history.entry import Entry, Kind
from fob_protocol.names import is_plain_name
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Cku
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.pkcs11.flags import TokenFlag
from fob_protocol.pkcs11.infos import MechanismInfo, TokenDescription

__all__ = ["Token", "TokenSession"]

MANUFACTURER: Final = "Fob"
MODEL: Final = "Fob phone"
HARDWARE_VERSION: Final = (1, 0)
FIRMWARE_VERSION: Final = (0, 1)

_ALWAYS: Final = TokenFlag.RNG | TokenFlag.LOGIN_REQUIRED | TokenFlag.TOKEN_INITIALIZED


class Token:
    """One token in one file; each public call is one transaction, a PIN check one more before it.

    From any thread at any time: `info`, `generation`, `tries_left`, `mechanisms`, `changes_since`, `find`, and
    what TokenSession says.
    All other calls, on the token and all its sessions: one at a time.
    """

    def __init__(self, database: Database, root: DeviceRoot, clock: Clock, journal: Journal = NO_JOURNAL) -> None:
        self._database = database
        self._journal = journal
        self._root = root
        self._pins = Pins(database, root, journal)
        self._logins = Logins(database, root, clock, journal)
        self._objects = TokenObjects(database, root, journal)
        self._session_handles = itertools.count(limits.SESSION_HANDLE_BASE)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    @property
    def generation(self) -> int:
        """How many changes of token objects there were."""
        return self._database.read(read_token).generation

    def info(self) -> TokenDescription:
        """C_GetTokenInfo."""
        return TokenDescription(
            label=self._database.read(read_token).label,
            manufacturer=MANUFACTURER,
            model=MODEL,
            serial=self._root.serial,
            flags=_ALWAYS | self._pins.flags(),
            min_pin=limits.PIN_MIN,
            max_pin=limits.PIN_MAX,
            hardware_version=HARDWARE_VERSION,
            firmware_version=FIRMWARE_VERSION,
        )

    def tries_left(self, user: Cku) -> int | None:
        """Wrong PINs that are left of a user, 0 when the PIN is blocked; None when it was never set."""
        return self._pins.tries_left(user)

    def open_master(self, user: Cku, pin: bytes) -> bytes:
        """What a login of `user` begins with; slow. Raises CkrError as `Pins.unlock`."""
        return self._pins.unlock(user, pin)

    def mechanisms(self) -> Mapping[int, MechanismInfo]:
        """C_GetMechanismList and C_GetMechanismInfo; the flags say what PC and token do together."""
        return MECHANISM_INFOS

    def changes_since(self, generation: int, *, limit_bytes: int) -> Page:
        """What changed after `generation`, about `limit_bytes` of it; everything for 0 or an unknown generation."""
        return self._objects.changes_since(generation, limit_bytes)

    def find(self, handle: int) -> ObjectView | None:
        """An object of the token, whoever may see it."""
        return self._objects.find(handle) if 0 < handle < limits.SESSION_HANDLE_BASE else None

    def open_session(self) -> TokenSession:
        """The token as one link session sees it."""
        access = Access(self._database, self._pins, self._logins)
        desk = ObjectDesk(self._database, access, self._logins, self._objects, self._session_handles)
        return TokenSession(access, desk, self._root.random)

    def init_token(self, so_pin: bytes, label: str) -> None:
        """C_InitToken: destroys all objects, registrations, the user PIN and the master key; slow.

        Serial number and SO PIN stay.

        Raises CkrError ARGUMENTS_BAD for the label, and for the PIN as a login of the SO.
        """
        _check_label(label)
        self._pins.unlock(Cku.SO, so_pin)
        row = self._pins.wrap(Cku.SO, so_pin, self._root.random(KEY_SIZE))
        with self._database.transaction() as connection:
            bury_all_objects(connection)
            delete_user_items(connection)
            delete_pin(connection, Cku.USER)
            write_pin(connection, row)
            write_label(connection, label)
            for user in (Cku.USER, Cku.SO):
                delete_tickets_of(connection, user)
            self._journal.write(connection, Entry(Kind.TOKEN_INITIALIZED, words=label))
        for user in (Cku.USER, Cku.SO):
            self._logins.end_user(user)


def prepare_token(
    root: DeviceRoot, *, label: str, so_pin: bytes, user_pin: bytes | None, kdf: KdfCost
) -> Callable[[sqlite3.Connection], None]:
    """What writes the rows of a new token; slow. Raises CkrError PIN_LEN_RANGE, ARGUMENTS_BAD for the label."""
    _check_label(label)
    master_key = root.random(KEY_SIZE)
    pins = [wrap_master(root, Cku.SO, so_pin, master_key, kdf)]
    if user_pin is not None:
        pins.append(wrap_master(root, Cku.USER, user_pin, master_key, kdf))

    def write(connection: sqlite3.Connection) -> None:
        write_token(connection, TokenRow(root.serial, label, 0, root.check()))
        for row in pins:
            write_pin(connection, row)

    return write


def _check_label(label: str) -> None:
    if not is_plain_name(label):
        raise CkrError(Ckr.ARGUMENTS_BAD, "a token's label has no control characters")
    if len(label.encode()) > limits.TOKEN_LABEL_LIMIT:
        raise CkrError(Ckr.ARGUMENTS_BAD, f"a token's label has at most {limits.TOKEN_LABEL_LIMIT} octets")
