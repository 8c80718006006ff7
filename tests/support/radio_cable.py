"""The air between a daemon's radio and a phone's, with the handles of a Cable: worlds run over either."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from fob_daemon.link.ble.hci.bonds import Bonds
from fob_daemon.link.ble.hci.host import HciHost
from fob_daemon.link.ble.hci.stack import HciStack
from fob_daemon.link.ble.radio import Radio
from fob_daemon.link.transport import Line, LineUrl
from fob_device.line.phone_lines import PhoneLines
from fob_device.ports.ble.station import Station, static_address
from fob_device.radio.distance import RANGE
from fob_device.radio.radio import INTERVAL, RadioTransport
from fob_device.radio.radio import Radio as Air
from fob_protocol.link.gatt import MTU_OFFERED

PC, PHONE = "pc", "phone"


class RadioCable:
    """The daemon's radio with its bonds in `folder`, a phone, and what is between them."""

    def __init__(self, folder: Path, *, interval: float = INTERVAL, loss: float = 0.0, mtu: int = MTU_OFFERED) -> None:
        self.air = Air(interval=interval, loss=loss)
        self.bonds = folder / "bluetooth.json"
        self.radio = self.new_radio()
        self.url = LineUrl.parse("ble:00:00:00:00:00:00")
        self.lines_opened = 0
        self._mtu = mtu
        self._station: Station | None = None
        self._transport: RadioTransport | None = None
        self._serving: asyncio.Task[None] | None = None

    def new_radio(self) -> Radio:
        """The daemon's, as after a start."""
        self._pc_host = HciHost(self._attach_pc, Bonds(self.bonds))
        return Radio(HciStack(self._pc_host))

    def switch_on(self, lines: PhoneLines) -> None:
        """The phone's radio is on from now on."""
        self.url = LineUrl.parse(f"ble:{static_address(lines.phone.identity.public)}")
        self._transport = self.air.attach(PHONE)
        self._station = Station(self._transport, lines)
        self._station._device.gatt_server.max_mtu = self._mtu
        self._serving = asyncio.get_running_loop().create_task(self._station.serve(lambda: None))

    def switch_off(self) -> None:
        """The phone lost power."""
        serving, self._serving = self._serving, None
        transport, self._transport = self._transport, None
        if serving is not None and transport is not None:
            self.air.detach(transport.controller)
            serving.cancel()

    def unplug(self) -> None:
        """Carry the phone away."""
        self.air.set_distance(PHONE, 2 * RANGE)

    def plug_in(self) -> None:
        """Carry it back."""
        self.air.set_distance(PHONE, 0.0)

    def unplug_controller(self) -> None:
        """The daemon's Bluetooth dongle is pulled out; a new one is there when it is asked for again."""
        controller = self.air.find(PC)
        self.air.detach(controller)
        device = self._pc_host._device
        assert device is not None
        device.host.emit("flush")
        controller.terminated.set_result(None)

    def hang_up(self) -> None:
        """The phone ends the connection."""
        assert self._station is not None
        for link in list(self._station._links.values()):
            link.close()

    async def open(self, url: LineUrl, on_data: Callable[[bytes], None]) -> Line:
        """The LineOpener of this radio."""
        line = await self.radio.open(url.path, on_data)
        self.lines_opened += 1
        return line

    async def open_to_pair(self, url: LineUrl, on_data: Callable[[bytes], None]) -> Line:
        """The LineOpener for pairing."""
        return await self.radio.open(url.path, on_data, bond=True)

    def keep(self) -> None:
        """Pairing is done."""
        self.radio.keep(self.url.path)

    async def _attach_pc(self) -> RadioTransport:
        return self.air.attach(PC)
