"""One paired device at work: its registry entry, its link, its slot."""

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import Final

from fob_daemon.control.interface import DeviceReport, DeviceState, LineReport, LineState
from fob_daemon.device.pairing_time import SETTLE_LIMIT
from fob_daemon.device.registry import PairedDeviceEntry
from fob_daemon.device.slot import Slot
from fob_daemon.link.keeper import LineKeeper, State
from fob_daemon.link.manager import LinkManager
from fob_protocol.pkcs11.flags import TokenFlag

# After pairing: how long the first session and the first list of objects may take before the person hears "paired".
SETTLE_TIME: Final = 10.0


@dataclass(slots=True)
class Device:
    """Started when the daemon starts or when it is paired; stopped when either ends."""

    entry: PairedDeviceEntry
    link: LinkManager
    slot: Slot
    _task: asyncio.Task[None] | None = field(default=None)

    def start(self) -> None:
        """Keep the link up from now on; nothing new when it is started already."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self.link.run())

    async def stop(self) -> None:
        """Close the link."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def end(self) -> None:
        """The device was unpaired, or the daemon ends: nothing of it goes on."""
        await self.slot.close()
        await self.stop()

    async def settled(self) -> None:
        """Wait a moment for the first session and the first list of objects; longer while they are on their way."""
        settling = asyncio.create_task(self._settle())
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SETTLE_LIMIT):
                    while True:
                        done, _ = await asyncio.wait((settling,), timeout=SETTLE_TIME)
                        if done or self.link.state not in (State.CONNECTING, State.READY):
                            return
        finally:
            settling.cancel()

    async def _settle(self) -> None:
        await self.link.ready()
        await self.slot.idle()

    def report(self) -> DeviceReport:
        """The device for `fob status`."""
        traffic, cache = self.link.traffic(), self.slot.cache
        return DeviceReport(
            name=self.entry.name,
            serial=self.entry.serial,
            label=cache.token.label if cache.token else "",
            slot=self.entry.slot,
            url=self.link.line.url.text,
            lines=tuple(map(_line_report, self.link.lines)),
            state=DeviceState(self.link.state.value),
            why="" if self.link.state is State.READY else self.link.why,
            next="" if self.link.state is State.READY else self.link.remedy,
            round_trips=self.link.counters.round_trips,
            bytes_sent=traffic.octets_sent,
            bytes_received=traffic.octets_received,
            sent_again=self.link.counters.sent_again,
            damaged=traffic.damaged,
            reconnects=max(self.link.connects - 1, 0),
            objects=len(cache.objects),
            logged_in=self.slot.logins.are_open,
            token_flags=cache.token.flags if cache.token else TokenFlag(0),
        )


def _line_report(line: LineKeeper) -> LineReport:
    return LineReport(line.url.text, LineState(line.state.value), line.why, line.remedy)
