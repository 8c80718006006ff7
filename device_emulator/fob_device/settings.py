"""What the device's person chose on its screen, sealed under the root key: how often each key asks, when it locks."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from fob_device.history.journal import NO_JOURNAL, Journal
from fob_device.store.database import Database
from fob_device.store.errors import TokenFileError
from fob_device.store.setting_rows import (
    KeySettingRow,
    read_key_setting,
    read_key_settings,
    read_phone_setting,
    write_key_setting,
    write_phone_setting,
)
from fob_device.token.device_root import DeviceRoot
from fob_device.token.sealing import SealBrokenError
from fob_protocol.history.entry import Entry, Kind

_KEY_PURPOSE: Final = "Fob key setting 1"
_PHONE_PURPOSE: Final = "Fob phone setting 1"
_AUTO_LOCK: Final = "auto-lock"
_NEVER_LOCK: Final = b"never"

# Seconds for which a key with Ask.ONCE remembers a yes: at least a minute, and no longer than a login's ticket lives.
ONCE_MIN: Final = 60
ONCE_MAX: Final = 43_200

# Seconds without a tap after which a phone locks itself, as the person may choose them; None: never.
AUTO_LOCK_CHOICES: Final = (60, 300, 900, 3600, None)
AUTO_LOCK: Final = 300


class Ask(Enum):
    """How often a key asks before it is used."""

    ALWAYS = "always"
    ONCE = "once"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class KeySetting:
    """`seconds`, with Ask.ONCE alone: how long a plain yes holds for the same question. Raises ValueError."""

    ask: Ask = Ask.ALWAYS
    seconds: int = 0

    def __post_init__(self) -> None:
        least, most = (ONCE_MIN, ONCE_MAX) if self.ask is Ask.ONCE else (0, 0)
        if not least <= self.seconds <= most:
            raise ValueError(f"a key that asks {self.ask.value} remembers a yes for {least} to {most} seconds")

    def words(self) -> str:
        """For the history."""
        return {
            Ask.ALWAYS: "asks always",
            Ask.ONCE: f"asks once per {self.seconds} s",
            Ask.NEVER: "never asks",
        }[self.ask]

    def to_bytes(self) -> bytes:
        """As it is sealed: `once 300`."""
        return f"{self.ask.value} {self.seconds}".encode()

    @classmethod
    def from_bytes(cls, octets: bytes) -> "KeySetting":
        """What `to_bytes` made. Raises ValueError."""
        ask, seconds = octets.decode().split(" ")
        return cls(Ask(ask), int(seconds))


AS_AT_FIRST: Final = KeySetting()


class Settings:
    """Read from the file each time; every change is on the disk before it counts. A destroyed key's go with it."""

    def __init__(self, database: Database, root: DeviceRoot, journal: Journal = NO_JOURNAL) -> None:
        """Raises TokenFileError for a row that this device did not write, CkrError DEVICE_ERROR for a broken file."""
        self._database = database
        self._root = root
        self._journal = journal
        for row in database.read(read_key_settings):
            self._unseal_key(row)
        self.auto_lock()

    def of_key(self, handle: int) -> KeySetting:
        """How often a key asks. Raises CkrError DEVICE_ERROR, TokenFileError for an altered row."""
        row = self._database.read(lambda connection: read_key_setting(connection, handle))
        return AS_AT_FIRST if row is None else self._unseal_key(row)

    def set_key(self, handle: int, setting: KeySetting) -> None:
        """Raises CkrError, and then nothing has changed."""
        row = KeySettingRow(handle, self._root.seal(_KEY_PURPOSE, setting.to_bytes(), handle))
        with self._database.transaction() as connection:
            write_key_setting(connection, row)
            self._journal.write(connection, Entry(Kind.SETTING_CHANGED, key=handle, words=setting.words()))

    def auto_lock(self) -> int | None:
        """One of AUTO_LOCK_CHOICES. Raises as `of_key`."""
        sealed = self._database.read(lambda connection: read_phone_setting(connection, _AUTO_LOCK))
        if sealed is None:
            return AUTO_LOCK
        octets = self._unseal(lambda: self._root.unseal(_PHONE_PURPOSE, sealed, _AUTO_LOCK), "the auto-lock")
        return None if octets == _NEVER_LOCK else int(octets)

    def set_auto_lock(self, seconds: int | None) -> None:
        """Raises ValueError for what is no choice; CkrError, and then nothing has changed."""
        if seconds not in AUTO_LOCK_CHOICES:
            raise ValueError(f"a phone locks itself after one of {AUTO_LOCK_CHOICES}")
        octets = _NEVER_LOCK if seconds is None else str(seconds).encode()
        sealed = self._root.seal(_PHONE_PURPOSE, octets, _AUTO_LOCK)
        with self._database.transaction() as connection:
            write_phone_setting(connection, _AUTO_LOCK, sealed)
            words = "never locks itself" if seconds is None else f"locks itself after {seconds} s"
            self._journal.write(connection, Entry(Kind.SETTING_CHANGED, words=words))

    def _unseal_key(self, row: KeySettingRow) -> KeySetting:
        what = f"the setting of key {row.handle}"
        return KeySetting.from_bytes(
            self._unseal(lambda: self._root.unseal(_KEY_PURPOSE, row.sealed, row.handle), what)
        )

    @staticmethod
    def _unseal(unseal: Callable[[], bytes], what: str) -> bytes:
        try:
            return unseal()
        except SealBrokenError:
            raise TokenFileError(f"{what} was altered") from None
