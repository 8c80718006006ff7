"""Every kind of line by one opener; the radio's libraries are loaded when a device by radio is first asked for."""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from fob_daemon.link.packages import install_command, missing_packages, words_for
from fob_daemon.link.transport import BLE, Line, LineUnavailableError, LineUrl, open_line

if TYPE_CHECKING:
    from fob_daemon.link.ble.radio import Radio
    from fob_daemon.link.ble.stack import Nearby

MakeRadio = Callable[[], "Radio"]


class Lines:
    """Opens the lines of all devices. `make_radio` raises LineUnavailableError where its packages are missing."""

    def __init__(self, make_radio: MakeRadio) -> None:
        self._make_radio = make_radio
        self._radio: Radio | None = None
        self._making = asyncio.Lock()

    async def open(self, url: LineUrl, on_data: Callable[[bytes], None]) -> Line:
        """A LineOpener. Raises LineUnavailableError, BondLostError."""
        if url.scheme == BLE:
            return await (await self._made_radio()).open(url.path, on_data)
        return await open_line(url, on_data)

    async def open_to_pair(self, url: LineUrl, on_data: Callable[[bytes], None]) -> Line:
        """A LineOpener for pairing: a device by radio is bonded with anew. Raises LineUnavailableError.

        That bond is given up with the line, unless `keep` came before.
        """
        if url.scheme == BLE:
            return await (await self._made_radio()).open(url.path, on_data, bond=True)
        return await open_line(url, on_data)

    def keep(self, url: LineUrl) -> None:
        """Pairing is done on the line that `open_to_pair` opened: the bond stays. Raises LineUnavailableError."""
        if url.scheme == BLE and self._radio is not None:
            self._radio.keep(url.path)

    async def stakes_bond(self, url: LineUrl) -> bool:
        """Whether `open_to_pair` costs a bond at once, whatever comes of it. Raises LineUnavailableError."""
        return url.scheme == BLE and await (await self._made_radio()).stakes_bond(url.path)

    async def is_still_bonded(self, url: LineUrl) -> bool:
        """Whether there is a bond when the last line has ended. Raises LineUnavailableError."""
        return url.scheme == BLE and await (await self._made_radio()).is_still_bonded(url.path)

    async def forget(self, url: LineUrl) -> None:
        """The device was unpaired: delete the bond with it. Raises LineUnavailableError."""
        if url.scheme == BLE:
            await (await self._made_radio()).forget(url.path)

    async def scan(self, seconds: float) -> "list[Nearby]":
        """The devices that are near by radio, the strongest signal first. Raises LineUnavailableError."""
        return await (await self._made_radio()).scan(seconds)

    async def close(self) -> None:
        """The daemon ends. Raises LineUnavailableError."""
        if self._radio is not None:
            await self._radio.close()

    async def _made_radio(self) -> "Radio":
        """The daemon's radio. Raises LineUnavailableError."""
        async with self._making:
            if self._radio is None:
                # Loading its libraries takes from a third of a second to seconds; programs go on being served.
                self._radio = await asyncio.to_thread(self._make_radio)
            return self._radio


def radio_maker(hci: str | None, state: Path) -> MakeRadio:
    """The radio of a configuration: BlueZ's, or with `hci` the controller that bumble's transport names."""

    def make() -> "Radio":
        from fob_daemon.link.ble.radio import Radio

        if hci is None:
            from fob_daemon.link.ble.bluez.stack import BlueZStack
            from fob_daemon.link.ble.bluez.unsettled import UNSETTLED_FILE, UnsettledBonds

            return Radio(BlueZStack(UnsettledBonds(state / UNSETTLED_FILE)))
        from fob_daemon.link.ble.hci.stack import HciStack

        return Radio(HciStack.at(hci, state))

    return partial(_with_packages, make, own_controller=hci is not None)


def _with_packages(make: MakeRadio, *, own_controller: bool) -> "Radio":
    """Raises LineUnavailableError, with the one command that installs all that is missing."""
    try:
        return make()
    except ImportError as error:
        missing = missing_packages(own_controller=own_controller) or [str(error.name)]
        why = f"Bluetooth cannot be used: {words_for(missing)}"
        raise LineUnavailableError(why, install_command(own_controller=own_controller)) from None
