"""One paired device at work: its registry entry, its link, its slot, its back office."""

import asyncio
import contextlib
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Final

from fob_daemon.control.interface import DeviceReport, DeviceState, LineReport, LineState
from fob_daemon.device.back_office import BackOffice
from fob_daemon.device.pairing_time import SETTLE_LIMIT
from fob_daemon.device.registry import PairedDeviceEntry
from fob_daemon.device.same_place import explained
from fob_daemon.device.slot import Slot
from fob_daemon.link.keeper import LineKeeper, State
from fob_daemon.link.manager import LinkManager
from fob_protocol.pkcs11.flags import TokenFlag

# After pairing: how long the first session and the first list of objects may take before the person hears "paired".
SETTLE_TIME: Final = 10.0
# And after how long without a word; on quick lines it takes a tenth of that.
QUIET_TIME: Final = 2.0

READING: Final = "Reading what is on the phone ..."
UNKNOWN: Final = "what is on it is not known yet"


@dataclass(slots=True)
class Device:
    """Started when the daemon starts or when it is paired; stopped when either ends."""

    entry: PairedDeviceEntry
    link: LinkManager
    slot: Slot
    back_office: BackOffice
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
        # Behind the link, which could wake it.
        await self.back_office.close()

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call `listener` whenever the state of a line changes, and when the token is known at last."""
        self.link.on_change(listener)
        if not self.slot.has_token:
            self._tell_token(listener)

    def _tell_token(self, listener: Callable[[], None]) -> None:
        def noted() -> None:
            if self.slot.has_token:
                forget()
                listener()

        forget = self.slot.watch_presence(noted)

    async def settled(self, say: Callable[[str], None]) -> None:
        """Wait a moment for the first session and the first list of objects; longer while they are on their way."""
        reading = asyncio.get_running_loop().call_later(QUIET_TIME, say, READING)
        settling = asyncio.create_task(self._settle())
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SETTLE_LIMIT):
                    while True:
                        done, _ = await asyncio.wait((settling,), timeout=SETTLE_TIME)
                        if done or self.link.state not in (State.CONNECTING, State.READY):
                            return
        finally:
            reading.cancel()
            settling.cancel()

    async def _settle(self) -> None:
        """Until the token is listed, also when the link breaks meanwhile; or cannot be, though the phone is here."""
        is_settled = False
        while not is_settled:
            await self.link.ready()
            await self.slot.idle()
            is_settled = self.slot.has_token or self.link.state is State.READY

    def report(self, devices: Collection["Device"] = ()) -> DeviceReport:
        """The device for `fob status`; `devices`: all of them, one of which may answer in its place."""
        traffic, cache = self.link.traffic(), self.slot.cache
        lines = tuple(self._line_report(line, devices) for line in self.link.lines)
        state, why, remedy = self._state(lines[self.link.lines.index(self.link.line)])
        return DeviceReport(
            name=self.entry.name,
            serial=self.entry.serial,
            label=cache.token.label if cache.token else "",
            slot=self.entry.slot,
            url=self.link.line.url.text,
            lines=lines,
            state=state,
            why=why,
            next=remedy,
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

    def _state(self, line: LineReport) -> tuple[DeviceState, str, str]:
        """With why, and what helps, as the line that speaks for it has them. Ready: programs can use the device."""
        if self.link.state is not State.READY:
            return DeviceState(self.link.state.value), line.why, line.next
        if not self.slot.has_token:
            return DeviceState.CONNECTING, UNKNOWN, ""
        return DeviceState.READY, "", ""

    def _line_report(self, line: LineKeeper, devices: Collection["Device"]) -> LineReport:
        return LineReport(line.url.text, LineState(line.state.value), *explained(self, line, devices))
