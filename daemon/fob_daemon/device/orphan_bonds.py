"""Bluetooth bonds that no paired device proves: left by a daemon or a Bluetooth service that was killed."""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Final

from fob_daemon.device.pairing import PairingDesk
from fob_daemon.device.registry import Registry
from fob_daemon.link.ble.bluez.unsettled import UNSETTLED_FILE, UnsettledBonds
from fob_daemon.link.ble.hci.bonds_file import BONDS_FILE, delete_orphans
from fob_daemon.link.lines import Lines
from fob_daemon.link.transport import BLE, LineUrl

# Seconds. The Bluetooth service may start after the daemon.
TRY_AGAIN: Final = 60.0


class OrphanBonds:
    """Deletes them; `state` is the daemon's folder. `by_bluez` False: the daemon has a controller of its own."""

    def __init__(self, state: Path, registry: Registry, desk: PairingDesk, lines: Lines, *, by_bluez: bool) -> None:
        self._file = state / BONDS_FILE
        self._unsettled = UnsettledBonds(state / UNSETTLED_FILE)
        self._registry = registry
        self._desk = desk
        self._lines = lines
        self._by_bluez = by_bluez
        self._deleting: asyncio.Task[None] | None = None

    def delete_at_start(self) -> None:
        """Before the radio is used. Raises PermissionsError when others can read its keys, OSError."""
        if self._by_bluez:
            self.delete_soon()
        else:
            lines = [line for entry in self._registry.devices.values() for line in entry.lines]
            delete_orphans(self._file, {line.path for line in lines if line.scheme == BLE})

    def delete_soon(self) -> None:
        """Those of BlueZ's that this daemon began and did not settle, beside what else goes on."""
        if self._by_bluez and (self._deleting is None or self._deleting.done()):
            self._deleting = asyncio.get_running_loop().create_task(self._delete_until_none_is_left())

    async def unpaired(self, line: LineUrl) -> None:
        """Delete the bond of a device that was unpaired; later if not now."""
        if line.scheme == BLE:
            with suppress(OSError):
                if self._by_bluez:
                    self._unsettled.begin(line.path)
                await self._lines.forget(line)

    async def close(self) -> None:
        """The daemon ends."""
        if self._deleting is not None:
            self._deleting.cancel()
            await asyncio.wait((self._deleting,))

    async def _delete_until_none_is_left(self) -> None:
        while not await self._delete():  # noqa: ASYNC110 - nothing tells when the Bluetooth service is there
            await asyncio.sleep(TRY_AGAIN)

    async def _delete(self) -> bool:
        """Whether none is left but those of pairings that are under way, which are looked after when these end."""
        with suppress(OSError):
            for address, begun_at in self._unsettled.all().items():
                line = LineUrl.parse(f"{BLE}:{address}")
                entry = self._registry.at(line)
                if entry is not None and entry.paired_at >= begun_at:
                    self._unsettled.settle(address)
                elif not self._desk.is_at(line):
                    await self._lines.forget(line)
            return True
        return False
