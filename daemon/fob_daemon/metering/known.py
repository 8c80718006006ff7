"""What is known here of a device's meter, and what the device says when it is asked."""

from contextlib import suppress

from fob_daemon.control.errors import ControlError
from fob_daemon.metering.kept.disk import Disk
from fob_daemon.metering.remote_meter import RemoteMeter
from fob_daemon.metering.views import MeterState
from fob_protocol.pkcs11.errors import CkrError


class KnownMeter:
    """Methods raise CkrError, ControlError."""

    def __init__(self, remote: RemoteMeter, disk: Disk) -> None:
        self._remote = remote
        self._disk = disk

    async def last(self) -> MeterState | None:
        """What the device told last; no round trip."""
        return await self._disk(lambda store: store.told.state())

    async def now(self) -> MeterState:
        """What the device keeps now."""
        state = await self._remote.state()
        # It can be asked for again: who only looks needs no room on the disk.
        with suppress(ControlError):
            if (state.stage != "none" or self._disk.has_any) and await self.last() != state:
                await self._disk(lambda store: store.told.keep_state(state))
        return state

    async def last_or_now(self) -> MeterState:
        """A round trip where it never told anything."""
        known = await self.last()
        return known if known is not None else await self.now()

    async def serial(self) -> str:
        """Of the device's meter now: another computer's person, or one at the screen, may have signed on since."""
        try:
            return (await self.now()).serial
        except CkrError:
            known = await self.last()
            if known is None:
                raise
            return known.serial

    async def value_kind(self, serial: str) -> str:
        """What a meter counts, the device's or one before it; empty where nobody has heard of it."""
        known = await self.last_or_now()
        if known.serial == serial:
            return known.value_kind
        return await self._disk(lambda store: store.jobs.value_kind(serial))
