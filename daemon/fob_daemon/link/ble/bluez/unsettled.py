"""Which of BlueZ's bonds are this daemon's to clear up when it died. Loads none of the radio's libraries."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

import msgspec
import structlog
from msgspec import Meta

from fob_daemon.files import write_durably

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

UNSETTLED_FILE: Final = "bonding.json"

# `C0:11:22:33:44:55` and when it was begun, in seconds since 1970.
_Begun = dict[Annotated[str, Meta(pattern=r"^[0-9A-F]{2}(:[0-9A-F]{2}){5}\Z")], float]


class UnsettledBonds:
    """The devices whose bond this daemon has begun to make or to delete, and has not settled since; in a file.

    BlueZ keeps a bond from the moment in which it is made, and other programs' bonds beside it: without this nobody
    could tell after a crash which ones came to nothing.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self._clock = clock

    def begin(self, address: str) -> None:
        """From now on a bond with this device is one to clear up. Raises OSError."""
        self._write(self.all() | {address: self._clock()})

    def settle(self, address: str) -> None:
        """The bond is proved, or gone. Raises OSError."""
        begun = self.all()
        if begun.pop(address, None) is not None:
            self._write(begun)

    def all(self) -> dict[str, float]:
        """The devices, and when it was begun (seconds since 1970). Raises OSError."""
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=_Begun)
        except FileNotFoundError:
            return {}
        except ValueError as error:
            # It never says that a bond is good, so nothing is lost but the clearing up.
            _log.warning("ble.unsettled_bonds_damaged", path=str(self.path), why=str(error))
            return {}

    def _write(self, begun: dict[str, float]) -> None:
        write_durably(self.path, msgspec.json.encode(begun))
