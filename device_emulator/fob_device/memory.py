"""The phone's memory, sealed under the root key in one file: token, identity, pairings, bonds, settings, history."""

import contextlib
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from fob_device.bonds import Bonds
from fob_device.history.end import make_history
from fob_device.history.history import History
from fob_device.identity import load_identity, make_identity
from fob_device.pairings import Pairings
from fob_device.sealed_items import SealedItems
from fob_device.settings import Settings
from fob_device.slowly import Slowly
from fob_device.store.database import Database
from fob_device.store.errors import TokenFileError
from fob_device.store.token_row import read_token
from fob_device.token.device_root import DeviceRoot
from fob_device.token.kdf import DEFAULT_KDF_COST, KdfCost
from fob_device.token.logins import Clock
from fob_device.token.token import Token, prepare_token
from fob_protocol.noise.keys import KeyPair, Random
from fob_protocol.pkcs11.errors import CkrError

SERIAL_OCTETS: Final = 8


@dataclass(frozen=True, slots=True)
class Memory:
    """What a phone that is switched on works with; `close` it to give up the file."""

    token: Token
    identity: KeyPair
    pairings: Pairings
    bonds: Bonds
    settings: Settings
    history: History
    office_items: SealedItems
    slowly: Slowly = field(default_factory=Slowly)

    @classmethod
    def create(
        cls,
        path: Path,
        *,
        root_key: bytes,
        label: str,
        so_pin: bytes,
        user_pin: bytes | None,
        random: Random,
        clock: Clock,
        kdf: KdfCost = DEFAULT_KDF_COST,
    ) -> "Memory":
        """Make a phone's file at `path` (mode 0600), all of it or nothing, and open it; slow.

        `root_key` is 32 octets. `random` gives as many random octets as asked, `clock` the seconds of the wall clock.
        Raises CkrError PIN_LEN_RANGE, ARGUMENTS_BAD for the label; OSError; ValueError for the root key.
        """
        root = DeviceRoot(random(SERIAL_OCTETS).hex(), root_key, random)
        write_token = prepare_token(root, label=label, so_pin=so_pin, user_pin=user_pin, kdf=kdf)

        def fill(connection: sqlite3.Connection) -> None:
            write_token(connection)
            make_identity(connection, root)
            make_history(connection, root)

        Database.create(path, fill)
        return cls.open(path, root_key=root_key, random=random, clock=clock)

    @classmethod
    def open(cls, path: Path, *, root_key: bytes, random: Random, clock: Clock) -> "Memory":
        """Open the file at `path`.

        Raises TokenFileError (a ValueError): missing, in use, damaged, another device's; ValueError for the root key.
        """
        database = Database.open(path)
        with contextlib.ExitStack() as undo:
            undo.callback(database.close)
            try:
                root = DeviceRoot(database.read(read_token).serial, root_key, random)
                if not root.fits(database.read(read_token).root_check):
                    raise TokenFileError("it belongs to another device: its root key is another one")
                identity = database.read(lambda connection: load_identity(connection, root))
                history = History(database, root, clock)
                memory = cls(
                    Token(database, root, clock, history),
                    identity,
                    Pairings(database, root, history),
                    Bonds(database, root),
                    Settings(database, root, history),
                    history,
                    SealedItems(database, root, history),
                )
            except CkrError as error:
                raise TokenFileError(f"{path} cannot be read: {error.reason}") from None
            except TokenFileError as error:
                raise TokenFileError(f"{path} cannot be used: {error}") from None
            undo.pop_all()
        return memory

    def close(self) -> None:
        """Switch off: close the file and give up its lock."""
        self.token.close()
