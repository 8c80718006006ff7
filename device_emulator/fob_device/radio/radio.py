"""The virtual radio: controllers that hear one another."""

import asyncio
import random
from functools import partial
from typing import Final

from bumble import hci, ll
from bumble.controller import Controller
from bumble.core import PhysicalTransport
from bumble.link import LocalLink
from bumble.transport.common import AsyncPipeSink, Transport

from fob_device.radio.connection import AirConnection
from fob_device.radio.controller import RadioController, supervision_units
from fob_device.radio.counters import Counters
from fob_device.radio.distance import RANGE, TABLE, signal_strength
from fob_device.radio.ends import End
from fob_protocol.link.gatt import INTERVAL_UNIT, LONGEST_INTERVAL, SHORTEST_INTERVAL
from fob_protocol.link.times import SUPERVISION_UNIT

# Seconds from connection event to connection event: what phones commonly choose.
INTERVAL: Final = 0.03

# A connection whose first packets are lost is given up after so many intervals (same, 4.5.2).
INTERVALS_TO_ESTABLISH: Final = 6

# Devices whose distance or loss is remembered.
SETTINGS_LIMIT: Final = 256

# Public addresses are locally administered and numbered in the order of the hosts.
PUBLIC_PREFIX: Final = bytes.fromhex("02f0b5")


class RadioTransport(Transport):
    """HCI for one host; closing it takes the controller off the air, as a power cut would."""

    def __init__(self, radio: "Radio", controller: RadioController) -> None:
        super().__init__(controller, AsyncPipeSink(controller))
        self.controller = controller
        self._radio = radio

    async def close(self) -> None:
        """Switch the controller off."""
        self._radio.detach(self.controller)


class Radio(LocalLink):
    """Controllers on one table.

    `interval`: seconds from connection event to event that every connection begins with, rounded to the standard's
    unit; with `hold` its controllers refuse every other one. `loss`: the probability that a packet is lost, from 0 to
    below 1. Runs on the event loop's clock alone; the same `seed` loses the same packets. A device is named by what it
    was attached as, or by one of its addresses ("C4:...").
    """

    def __init__(self, *, interval: float = INTERVAL, hold: bool = False, loss: float = 0.0, seed: int = 0) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # bumble leaves this one untyped
        if not SHORTEST_INTERVAL <= interval <= LONGEST_INTERVAL:
            raise ValueError(f"a connection interval has {SHORTEST_INTERVAL} to {LONGEST_INTERVAL} seconds")
        self.interval = round(interval / INTERVAL_UNIT) * INTERVAL_UNIT
        self.hold = hold
        self.counters = Counters()
        self._default_loss = _checked_loss(loss)
        self._loss: dict[str, float] = {}
        self._distance: dict[str, float] = {}
        self._random = random.Random(seed)  # noqa: S311 - repeatable on purpose
        self._attached: list[RadioController] = []
        self._hosts = 0
        # The central's end of each connection.
        self._connections: list[End] = []

    @property
    def devices(self) -> tuple[RadioController, ...]:
        """Every controller on the air, the oldest first."""
        return tuple(self._attached)

    def attach(self, name: str, public_address: str | None = None) -> RadioTransport:
        """A new controller, and the HCI transport of its host (`async with`, or `close()`)."""
        self._hosts += 1
        text = public_address or (PUBLIC_PREFIX + self._hosts.to_bytes(3)).hex(":")
        address = hci.Address(text, hci.Address.PUBLIC_DEVICE_ADDRESS)
        controller = RadioController(name, self, self, address, self._random.getrandbits(32))
        self._attached.append(controller)
        return RadioTransport(self, controller)

    def detach(self, controller: RadioController) -> None:
        """A controller vanishes; whoever is connected with it finds out by the supervision timeout."""
        if controller not in self._attached:
            return
        self._attached.remove(controller)
        self.remove_controller(controller)
        controller.switch_off()
        controller.set_packet_sink(None)
        self.vanish(controller)

    def set_distance(self, who: str, metres: float) -> None:
        """Move a device; past RANGE nothing hears it, and its connections die by their supervision timeout.

        Raises ValueError for a distance below 0, and for the SETTINGS_LIMIT-and-first device.
        """
        if not metres >= 0:
            raise ValueError("a distance is not negative")
        _remember(self._distance, who, metres)
        self._check_ranges()

    def set_loss(self, who: str, loss: float) -> None:
        """Lose packets from and to a device with this probability, if it is above the other device's.

        Raises ValueError for no probability below 1, and for the SETTINGS_LIMIT-and-first device.
        """
        _remember(self._loss, who, _checked_loss(loss))

    def find(self, who: str) -> RadioController:
        """A device on the air, the newest if several fit. Raises KeyError."""
        for controller in reversed(self._attached):
            if who.upper() in _names(controller):
                return controller
        raise KeyError(who)

    def counters_of(self, who: str) -> Counters:
        """What crossed from and to a device since it was attached. Raises KeyError."""
        return self.find(who).counters

    # What the controllers call.

    def vanish(self, controller: RadioController) -> None:
        """Forget a controller's connections without a word to the other side."""
        for end in controller.ends.values():
            end.is_there = False
        controller.ends.clear()
        self._check_ranges()

    def send_advertising_pdu(self, sender_controller: Controller, packet: ll.AdvertisingPdu) -> None:
        """An advertisement, or the request to connect that answers one."""
        if not isinstance(sender_controller, RadioController):
            return
        match packet:
            case ll.AdvInd():
                self._advertise(sender_controller, packet)
            case ll.ConnectInd():
                self._connect(sender_controller, packet)

    def send_ll_control_pdu(
        self, sender_address: hci.Address, receiver_address: hci.Address, packet: ll.ControlPdu
    ) -> None:
        """A packet from link layer to link layer."""
        for central in self._connections:
            for end in (central, central.other):
                addresses = end.connection.self_address, end.connection.peer_address
                if end.is_there and addresses == (sender_address, receiver_address):
                    end.send_control(packet)
                    return

    def send_acl_data(
        self,
        sender_controller: Controller,
        destination_address: hci.Address,
        transport: PhysicalTransport,
        data: bytes,
    ) -> None:
        """Never called: data goes by the ends, packet by packet."""
        raise NotImplementedError

    def _advertise(self, sender: RadioController, advertisement: ll.AdvInd) -> None:
        for receiver in self._attached:
            metres = self._metres(sender, receiver)
            if receiver is sender or metres > RANGE or self._random.random() < self._loss_between(sender, receiver):
                continue
            asyncio.get_running_loop().call_soon(
                receiver.hear, advertisement, sender.le_legacy_advertiser.scan_response_data, signal_strength(metres)
            )

    def _connect(self, central: RadioController, request: ll.ConnectInd) -> None:
        """A request that nobody hears is found out by the central alone."""
        own = central.le_connections[request.advertiser_address]
        peripheral = self._heard_by(central, request.advertiser_address)
        accepted = peripheral.accept(request) if peripheral is not None else None
        if peripheral is None or accepted is None:
            reason = hci.HCI_ErrorCode.CONNECTION_FAILED_TO_BE_ESTABLISHED_ERROR
            asyncio.get_running_loop().call_later(
                INTERVALS_TO_ESTABLISH * self.interval, central.drop_unheard, own, reason
            )
            return
        air = AirConnection(
            interval=self.interval,
            supervision=supervision_units(request.timeout, self.interval) * SUPERVISION_UNIT,
            loss=partial(self._loss_between, central, peripheral),
            random=self._random,
            counters=(self.counters, central.counters, peripheral.counters),
        )
        end = End.join((central, own), (peripheral, accepted), air)
        air.on_closed = partial(self._connections.remove, end)
        air.on_time_out = partial(end.lose, hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR)
        air.on_instant_passed = partial(end.lose, hci.HCI_ErrorCode.INSTANT_PASSED_ERROR)
        self._connections.append(end)

    def _heard_by(self, central: RadioController, address: hci.Address) -> RadioController | None:
        for controller in self._attached:
            if controller.advertises_as(address) and self._metres(central, controller) <= RANGE:
                is_lost = self._random.random() < self._loss_between(central, controller)
                return None if is_lost else controller
        return None

    def _check_ranges(self) -> None:
        for central in list(self._connections):
            peripheral = central.other
            is_near = self._metres(central.controller, peripheral.controller) <= RANGE
            central.air.set_in_range(is_near and central.is_there and peripheral.is_there)

    def _metres(self, one: RadioController, other: RadioController) -> float:
        """Each stands so far from the middle of the table, in opposite directions."""
        return sum(_setting(self._distance, controller, TABLE / 2) for controller in (one, other))

    def _loss_between(self, one: RadioController, other: RadioController) -> float:
        return max(_setting(self._loss, controller, self._default_loss) for controller in (one, other))


def _names(controller: RadioController) -> tuple[str, ...]:
    return controller.name.upper(), *controller.addresses


def _remember(settings: dict[str, float], who: str, value: float) -> None:
    if who.upper() not in settings and len(settings) >= SETTINGS_LIMIT:
        raise ValueError(f"{SETTINGS_LIMIT} devices were set already")
    settings[who.upper()] = value


def _setting(settings: dict[str, float], controller: RadioController, default: float) -> float:
    return next((settings[name] for name in _names(controller) if name in settings), default)


def _checked_loss(loss: float) -> float:
    if not 0 <= loss < 1:
        raise ValueError("a loss is a probability below 1; what hears nothing is out of range")
    return loss
