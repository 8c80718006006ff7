"""Whether the phone has power."""

import asyncio
from dataclasses import dataclass

from fob_device.listeners import Listener
from fob_device.workbench.limits import FULL


@dataclass(frozen=True, slots=True)
class Battery:
    """`percent`: 0 to 100. It neither empties nor fills by itself."""

    percent: int = FULL
    is_charging: bool = False


class Power:
    """The phone is off while its battery is empty, and for a while when the power is cut."""

    def __init__(self, changed: Listener) -> None:
        self._changed = changed
        self._battery = Battery()
        self._is_cut = False
        self._timer: asyncio.TimerHandle | None = None
        self._on = asyncio.Event()
        self._off = asyncio.Event()
        self._on.set()

    @property
    def is_on(self) -> bool:
        """Whether the phone has power now."""
        return not self._is_cut and self._battery.percent > 0

    @property
    def battery(self) -> Battery:
        """How full, and whether a charger is plugged in."""
        return self._battery

    @battery.setter
    def battery(self, battery: Battery) -> None:
        self._battery = battery
        self._note()

    def cut(self, seconds: float) -> None:
        """Off at once, and for so long. Another cut begins the time anew."""
        if self._timer is not None:
            self._timer.cancel()
        self._is_cut = True
        self._timer = asyncio.get_running_loop().call_later(seconds, self._restore)
        self._note()

    async def until_on(self) -> None:
        """Wait until the phone has power."""
        await self._on.wait()

    async def until_off(self) -> None:
        """Wait until it has none, if only for a moment."""
        await self._off.wait()

    def _restore(self) -> None:
        self._is_cut, self._timer = False, None
        self._note()

    def _note(self) -> None:
        came, went = (self._on, self._off) if self.is_on else (self._off, self._on)
        went.clear()
        came.set()
        self._changed()
