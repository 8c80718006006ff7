"""The air between a daemon's radio and a phone's, with the handles of a Cable: worlds run over either."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bleak import BleakClient

from fob_daemon.link.ble.hci.bonds import Bonds
from fob_daemon.link.ble.hci.host import HciHost
from fob_daemon.link.ble.hci.stack import HciStack
from fob_daemon.link.ble.line import BleLine
from fob_daemon.link.ble.radio import Radio
from fob_daemon.link.transport import Line, LineUrl
from fob_device.line.pairing import Paired
from fob_device.line.phone_lines import LineHandler, PhoneLines
from fob_device.ports.ble.station import Station, static_address
from fob_device.radio.distance import RANGE
from fob_device.radio.radio import INTERVAL, RadioTransport
from fob_device.radio.radio import Radio as Air
from fob_protocol.link.gatt import MTU_OFFERED
from fob_protocol.session.pace import Pace
from support.noise import Noise, Tap, ValueNoise

PC, PHONE = "pc", "phone"

# Of a sum of intervals.
ROUNDING = 1e-6


class HeardLine:
    """The phone's end of a line, behind what falls on the values that are written to it."""

    def __init__(self, cable: "RadioCable", make: Callable[[PhoneLines], LineHandler], lines: PhoneLines) -> None:
        self._cable = cable
        self._make = make
        self._line = make(lines)

    def data_received(self, data: bytes) -> None:
        """A value arrived."""
        self._line.data_received(self._cable.arriving_at_device(data))

    def hang_up(self) -> None:
        """The connection is over."""
        self._line.hang_up()

    def restart(self, lines: PhoneLines) -> None:
        """Another start of the phone's program has the line."""
        self._line.hang_up()
        self._line = self._make(lines)


@dataclass(frozen=True, slots=True)
class HeardLines(PhoneLines):
    """Lines of a phone, each of which is the cable's."""

    lines: PhoneLines
    cable: "RadioCable"

    @property
    def is_cut(self) -> bool:
        """As the phone's."""
        return self.lines.is_cut

    def __call__(
        self,
        write: Callable[[bytes], None],
        paired: Paired = lambda pc_key: None,
        close: Callable[[], None] = lambda: None,
        pace: Callable[[], Pace] = Pace,
    ) -> LineHandler:
        """A line in command state."""
        line = HeardLine(self.cable, lambda lines: lines(write, paired, close, pace), self.lines)
        self.cable.device_line = line
        return line


class UntellingStack(HciStack):
    """Keeps the connection's interval to itself, as BlueZ does."""

    def interval(self, client: BleakClient) -> float | None:
        """Nothing."""
        return None


class RadioCable:
    """The daemon's radio with its bonds in `folder`, a phone, and what is between them (a Medium).

    Faults and taps are at GATT's values, where they come out of the two Bluetooth stacks. `tells`: whether the daemon's
    stack tells it the connection interval. `asks`: whether the phone asks for other ones; else there is one `interval`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        interval: float = INTERVAL,
        loss: float = 0.0,
        mtu: int = MTU_OFFERED,
        tells: bool = True,
        asks: bool = False,
    ) -> None:
        self.air = Air(interval=interval, loss=loss)
        self.noise: Noise = ValueNoise()
        self.taps: list[Tap] = []
        self.bonds = folder / "bluetooth.json"
        self.url = LineUrl.parse("ble:00:00:00:00:00:00")
        self.lines_opened = 0
        self.device_line: HeardLine | None = None
        self._line: BleLine | None = None
        self._on_data: Callable[[bytes], None] | None = None
        self._interval = interval
        self._mtu = mtu
        self._asks = asks
        self._make_stack = HciStack if tells else UntellingStack
        self.radio = self.new_radio()
        self._station: Station | None = None
        self._transport: RadioTransport | None = None
        self._serving: asyncio.Task[None] | None = None

    def new_radio(self) -> Radio:
        """The daemon's, as after a start."""
        self._pc_host = HciHost(self._attach_pc, Bonds(self.bonds))
        return Radio(self._make_stack(self._pc_host))

    def switch_on(self, lines: PhoneLines) -> None:
        """The phone's radio is on from now on."""
        self.url = LineUrl.parse(f"ble:{static_address(lines.phone.identity.public)}")
        self._transport = self.air.attach(PHONE)
        self._station = Station(self._transport, HeardLines(lines.phone, lines, self), self._mtu, asks=self._asks)
        self._serving = asyncio.get_running_loop().create_task(self._station.serve(lambda: None))

    def switch_off(self) -> None:
        """The phone lost power."""
        serving, self._serving = self._serving, None
        transport, self._transport = self._transport, None
        if serving is not None and transport is not None:
            self.air.detach(transport.controller)
            serving.cancel()

    def restart(self, lines: PhoneLines) -> None:
        """The phone's program restarts while its controller holds the connection, without a word."""
        assert self._station is not None
        assert self.device_line is not None
        self._station._lines = HeardLines(lines.phone, lines, self)
        self.device_line.restart(lines)

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
        return await self._open(url, on_data, bond=False)

    async def open_to_pair(self, url: LineUrl, on_data: Callable[[bytes], None]) -> Line:
        """The LineOpener for pairing."""
        return await self._open(url, on_data, bond=True)

    def keep(self) -> None:
        """Pairing is done."""
        self.radio.keep(self.url.path)

    async def is_bonded(self) -> bool:
        """Whether this computer has a bond with the phone."""
        return await self.radio._stack.is_bonded(self.url.path)

    def arriving_at_device(self, value: bytes) -> bytes:
        """What is left of a value that the PC wrote."""
        for tap in self.taps:
            tap.down(value)
        return self.noise(value)

    def say_to_device(self, octets: bytes) -> None:
        """Somebody else writes on the line: another program of the PC."""
        assert self._line is not None
        self._line.write(octets)

    def say_to_pc(self, octets: bytes) -> None:
        """Somebody else writes on the line, at the PC's end of it."""
        if self._line is not None and self._on_data is not None and not self._line.lost.is_set():
            self._on_data(octets)

    def trips(self, count: int) -> tuple[float, float]:
        """The least and the most seconds: each goes and comes at a connection event, the first waits for one."""
        most = 2 * count * self._interval
        return most - self._interval - ROUNDING, most + ROUNDING

    async def close(self) -> None:
        """The daemon ends."""
        await self.radio.close()

    async def _open(self, url: LineUrl, on_data: Callable[[bytes], None], *, bond: bool) -> Line:
        def arriving_at_pc(value: bytes) -> None:
            for tap in self.taps:
                tap.up(value)
            heard = self.noise(value)
            if heard:
                on_data(heard)

        self._line = await self.radio.open(url.path, arriving_at_pc, bond=bond)
        self._on_data = on_data
        self.lines_opened += not bond
        return self._line

    async def _attach_pc(self) -> RadioTransport:
        return self.air.attach(PC)
