"""A Bluetooth controller on the virtual radio: bumble's emulation, and what it leaves out.

Left out there: signal strength, scan responses, HCI Reset, cancelling a connection, a disconnection that the other
side acknowledges, flow control, the connection's real times and their change, the times between advertisements.
"""

import asyncio
import dataclasses
import math
import random
from typing import Final, Protocol

from bumble import hci, ll
from bumble.controller import Connection, Controller, LegacyAdvertiser
from bumble.link import LocalLink

from fob_device.radio.counters import Counters
from fob_device.radio.ends import End
from fob_protocol.link.gatt import INTERVAL_UNIT
from fob_protocol.link.times import INTERVALS, SUPERVISION_UNIT, Times

# Octets of one link-layer packet (Core 5.4, vol. 6, part B, 4.5.10), and how many of them a controller holds.
PACKET_SIZE: Final = 251
PACKET_TIME: Final = 2120
BUFFERS: Final = 8

# Seconds: one unit of the advertising interval, the shortest interval, and the random delay after each
# advertisement that keeps two advertisers apart (same, 4.4.2.2).
ADVERTISING_UNIT: Final = 0.000625
SHORTEST_ADVERTISING: Final = 0.02
ADVERTISING_DELAY: Final = 0.01

# Features whose commands bumble emulates too little: a kernel that saw them would wait for ever.
FEATURES_LEFT_OUT: Final = (
    hci.LeFeatureMask.LL_PRIVACY
    | hci.LeFeatureMask.LE_EXTENDED_ADVERTISING
    | hci.LeFeatureMask.LE_PERIODIC_ADVERTISING
    | hci.LeFeatureMask.CONNECTION_PARAMETERS_REQUEST_PROCEDURE
)

ACTIVE_SCAN: Final = 1
NO_HANDLE: Final = 0


def supervision_units(asked: int, interval: float) -> int:
    """A supervision timeout that outlasts more than two intervals, as the standard wants it (same, 4.5.2)."""
    return max(asked, math.floor(2 * interval / SUPERVISION_UNIT) + 1)


class Air(Protocol):
    """What a controller needs of the radio."""

    interval: float
    hold: bool

    def vanish(self, controller: "RadioController") -> None:
        """Forget a controller's connections without a word to the other side."""


class Advertiser(LegacyAdvertiser):
    """Advertises at the times of the standard."""

    def __init__(self, controller: Controller, random: random.Random) -> None:
        super().__init__(controller)
        self._random = random

    def _on_timer_fired(self) -> None:
        self.send_advertising_data()
        interval = max(self.advertising_interval_min * ADVERTISING_UNIT, SHORTEST_ADVERTISING)
        self.timer_handle = asyncio.get_running_loop().call_later(
            interval + self._random.uniform(0, ADVERTISING_DELAY), self._on_timer_fired
        )


class RadioController(Controller):
    """One host's controller. `public_address` is its own; the host sets the random one."""

    le_features = Controller.le_features & ~FEATURES_LEFT_OUT
    le_acl_data_packet_length = PACKET_SIZE
    total_num_le_acl_data_packets = BUFFERS
    supported_max_tx_octets = supported_max_rx_octets = suggested_max_tx_octets = PACKET_SIZE
    supported_max_tx_time = supported_max_rx_time = suggested_max_tx_time = PACKET_TIME

    def __init__(self, name: str, air: Air, link: LocalLink, public_address: hci.Address, seed: int) -> None:
        super().__init__(name, link=link, public_address=public_address)
        self.counters = Counters()
        # By the handle that the host knows a connection by.
        self.ends: dict[int, End] = {}
        self._air = air
        self._supervision = 0
        self.le_legacy_advertiser = Advertiser(self, random.Random(seed))  # noqa: S311 - repeatable

    @property
    def addresses(self) -> tuple[str, ...]:
        """Its random and its public address, as people write them."""
        return self.random_address.to_string(False), self.public_address.to_string(False)

    def switch_off(self) -> None:
        """No advertising, no scanning, no connecting."""
        self.le_legacy_advertiser.stop()
        self.le_scan_enable = False
        self.pending_le_connection = None

    def advertises_as(self, address: hci.Address) -> bool:
        """True while a connection to this address would reach it."""
        return self.le_legacy_advertiser.enabled and self.le_legacy_advertiser.address == address

    def hear(self, advertisement: ll.AdvInd, scan_response: bytes, signal: int) -> None:
        """An advertisement arrived, `signal` dBm strong."""
        if self.le_scan_enable:
            self._report(hci.HCI_LE_Advertising_Report_Event.EventType.ADV_IND, advertisement, signal)
            if self.le_scan_type == ACTIVE_SCAN:
                answer = ll.AdvInd(advertisement.advertiser_address, scan_response)
                self._report(hci.HCI_LE_Advertising_Report_Event.EventType.SCAN_RSP, answer, signal)
        pending = self.pending_le_connection
        if pending is not None and pending.peer_address == advertisement.advertiser_address:
            self.create_le_connection(advertisement.advertiser_address)

    def accept(self, request: ll.ConnectInd) -> Connection | None:
        """A central connects; None if it is connected already."""
        if request.initiator_address in self.le_connections:
            return None
        self._supervision = request.timeout
        self.on_le_connect_ind(request)
        return self.le_connections.get(request.initiator_address)

    def drop(self, end: End, reason: int) -> None:
        """A connection is over, for one of the reasons of HCI; no harm if it was before."""
        if self.ends.get(end.connection.handle) is end:
            del self.ends[end.connection.handle]
        self.drop_unheard(end.connection, reason)

    def drop_unheard(self, connection: Connection, reason: int) -> None:
        """A connection never came to be, though the host was told that it did."""
        if self.le_connections.get(connection.peer_address) is connection:
            self.on_le_disconnected(connection, reason)

    def give_data(self, connection: Connection, packet: hci.HCI_AclDataPacket) -> None:
        """Hand a packet that arrived to the host."""
        first = packet.pb_flag != hci.HCI_ACL_PB_CONTINUATION
        flag = hci.HCI_ACL_PB_FIRST_FLUSHABLE if first else hci.HCI_ACL_PB_CONTINUATION
        self.send_hci_packet(dataclasses.replace(packet, connection_handle=connection.handle, pb_flag=flag))

    def give_buffer_back(self, connection: Connection) -> None:
        """Tell the host that a packet of its has arrived."""
        self.send_hci_packet(
            hci.HCI_Number_Of_Completed_Packets_Event(connection_handles=[connection.handle], num_completed_packets=[1])
        )

    def send_hci_packet(self, packet: hci.HCI_Packet) -> None:
        """Both hosts are told the interval that connections begin with, and a supervision timeout that fits."""
        if isinstance(packet, hci.HCI_LE_Connection_Complete_Event):
            packet.connection_interval = round(self._air.interval / INTERVAL_UNIT)
            asked = self._supervision if packet.role == hci.Role.PERIPHERAL else packet.supervision_timeout
            packet.supervision_timeout = supervision_units(asked, self._air.interval)
        super().send_hci_packet(packet)

    def on_hci_command_packet(self, command: hci.HCI_Command) -> None:
        """A command that is not emulated is answered all the same; a kernel would wait for that."""
        if hasattr(self, f"on_{command.name.lower()}"):
            super().on_hci_command_packet(command)
        else:
            self._send_hci_command_status(hci.HCI_ErrorCode.UNKNOWN_HCI_COMMAND_ERROR, command.op_code)

    def on_hci_acl_data_packet(self, packet: hci.HCI_AclDataPacket) -> None:
        """The host sends data."""
        end = self.ends.get(packet.connection_handle)
        if end is not None:
            end.send_data(packet)

    def on_hci_disconnect_command(self, command: hci.HCI_Disconnect_Command) -> None:
        """The host ends a connection; it is told when the other side knows or can no longer be reached."""
        end = self.ends.get(command.connection_handle)
        if end is None:
            self._send_hci_command_status(hci.HCI_ErrorCode.UNKNOWN_CONNECTION_IDENTIFIER_ERROR, command.op_code)
            return
        self._send_hci_command_status(hci.HCI_COMMAND_STATUS_PENDING, command.op_code)
        end.hang_up(command.reason)

    def on_hci_le_connection_update_command(self, command: hci.HCI_LE_Connection_Update_Command) -> None:
        """The host wants other times for a connection; it is told when they count."""
        # Of the intervals that it likes the longest: that costs the least.
        times = Times(command.connection_interval_max, command.max_latency, command.supervision_timeout)
        end = self.ends.get(command.connection_handle)
        if end is None:
            status = hci.HCI_ErrorCode.UNKNOWN_CONNECTION_IDENTIFIER_ERROR
        elif end.connection.role != hci.Role.CENTRAL or end.air.is_updating:
            status = hci.HCI_ErrorCode.COMMAND_DISALLOWED_ERROR
        elif not times.are_valid or command.connection_interval_min not in range(INTERVALS.start, times.interval + 1):
            status = hci.HCI_ErrorCode.INVALID_COMMAND_PARAMETERS_ERROR
        elif self._air.hold:
            status = hci.HCI_ErrorCode.UNSUPPORTED_FEATURE_OR_PARAMETER_VALUE_ERROR
        else:
            self._send_hci_command_status(hci.HCI_COMMAND_STATUS_PENDING, command.op_code)
            end.update(times)
            return
        self._send_hci_command_status(status, command.op_code)

    def tell_times(self, connection: Connection, times: Times) -> None:
        """Other times count for a connection from now on."""
        self.send_hci_packet(
            hci.HCI_LE_Connection_Update_Complete_Event(
                status=hci.HCI_ErrorCode.SUCCESS,
                connection_handle=connection.handle,
                connection_interval=times.interval,
                peripheral_latency=times.latency,
                supervision_timeout=times.timeout,
            )
        )

    def on_hci_reset_command(self, _command: hci.HCI_Reset_Command) -> hci.HCI_StatusReturnParameters:
        """The host begins anew."""
        self.switch_off()
        self._air.vanish(self)
        self.le_connections.clear()
        return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.SUCCESS)

    def on_hci_le_create_connection_command(self, command: hci.HCI_LE_Create_Connection_Command) -> None:
        """The host connects; a second connection to the same device is refused."""
        if command.peer_address in self.le_connections:
            self._send_hci_command_status(hci.HCI_ErrorCode.CONNECTION_ALREADY_EXISTS_ERROR, command.op_code)
            return
        super().on_hci_le_create_connection_command(command)

    def on_hci_le_create_connection_cancel_command(
        self, _command: hci.HCI_LE_Create_Connection_Cancel_Command
    ) -> hci.HCI_StatusReturnParameters:
        """The host gives up connecting."""
        pending, self.pending_le_connection = self.pending_le_connection, None
        if pending is None:
            return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.COMMAND_DISALLOWED_ERROR)
        asyncio.get_running_loop().call_soon(self._report_cancelled, pending.peer_address)
        return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.SUCCESS)

    def _report_cancelled(self, peer: hci.Address) -> None:
        self.send_hci_packet(
            hci.HCI_LE_Connection_Complete_Event(
                status=hci.HCI_ErrorCode.UNKNOWN_CONNECTION_IDENTIFIER_ERROR,
                connection_handle=NO_HANDLE,
                role=hci.Role.CENTRAL,
                peer_address_type=peer.address_type,
                peer_address=peer,
                connection_interval=0,
                peripheral_latency=0,
                supervision_timeout=0,
                central_clock_accuracy=0,
            )
        )

    def _report(
        self, kind: "hci.HCI_LE_Advertising_Report_Event.EventType", advertisement: ll.AdvInd, signal: int
    ) -> None:
        report = hci.HCI_LE_Advertising_Report_Event.Report(
            event_type=kind,
            address_type=advertisement.advertiser_address.address_type,
            address=advertisement.advertiser_address,
            data=advertisement.data,
            rssi=signal,
        )
        self.send_hci_packet(hci.HCI_LE_Advertising_Report_Event([report]))
