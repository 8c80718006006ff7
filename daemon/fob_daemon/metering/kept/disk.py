"""The store beside the event loop: a disk takes its time."""

import asyncio
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from fob_daemon.metering.kept.store import MeterStore
from fob_daemon.metering.kept.tables import StoreError
from fob_daemon.metering.refusing import file_unusable
from fob_daemon.permissions import PermissionsError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Disk:
    """Looks into a store, or changes it, on another thread."""

    store: MeterStore

    async def __call__(self, work: Callable[[MeterStore], T]) -> T:
        """What it returns. Raises ControlError where the file cannot be used, and else as it does."""
        try:
            return await asyncio.to_thread(work, self.store)
        except (OSError, sqlite3.Error, StoreError, PermissionsError) as error:
            raise file_unusable(str(self.store.file.path), str(error)) from None

    @property
    def has_any(self) -> bool:
        """Whether anything was ever kept."""
        return self.store.file.exists

    async def close(self) -> None:
        """Nothing more is asked."""
        await asyncio.to_thread(self.store.file.close)
