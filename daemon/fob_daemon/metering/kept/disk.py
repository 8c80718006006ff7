"""The store beside the event loop: a disk takes its time."""

import asyncio
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from fob_daemon.metering.refusing import file_unusable
from fob_daemon.metering.store import StoreError
from fob_daemon.permissions import PermissionsError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Disk:
    """Calls a method of the store in `path`."""

    path: Path

    async def __call__(self, work: Callable[..., T], *values: object) -> T:
        """What it returns. Raises ControlError where the file cannot be used, ValueError as it does."""
        try:
            return await asyncio.to_thread(work, *values)
        except (OSError, sqlite3.Error, StoreError, PermissionsError) as error:
            raise file_unusable(str(self.path), str(error)) from None
