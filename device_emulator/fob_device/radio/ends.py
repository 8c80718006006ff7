"""The two ends of a connection: what a controller sends on one comes out of the other."""

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

from bumble import hci, ll
from bumble.controller import Connection

from fob_device.radio.connection import CONTROL, AirConnection, Lane, Packet, Update
from fob_protocol.link.times import Times

if TYPE_CHECKING:
    from fob_device.radio.controller import RadioController

# Events at which the peripheral can hear of other times before they count (Core 5.4, vol. 6, part B, 5.1.1).
EVENTS_TO_INSTANT: Final = 6


@dataclass(slots=True, eq=False)
class End:
    """A controller's end of a connection; `is_there` until the controller vanishes."""

    controller: "RadioController"
    connection: Connection
    air: AirConnection
    lane: Lane
    is_there: bool = True
    _others: "list[End]" = field(default_factory=list)

    @classmethod
    def join(
        cls,
        central: "tuple[RadioController, Connection]",
        peripheral: "tuple[RadioController, Connection]",
        air: AirConnection,
    ) -> "End":
        """Make both ends of a connection; the central's."""
        ends = cls(*central, air, air.to_peripheral), cls(*peripheral, air, air.to_central)
        for end, other in zip(ends, reversed(ends), strict=True):
            end._others.append(other)
            end.controller.ends[end.connection.handle] = end
        return ends[0]

    @property
    def other(self) -> "End":
        """The end that hears this one."""
        return self._others[0]

    def send_data(self, packet: hci.HCI_AclDataPacket) -> None:
        """Send one packet of the host; the host gets its buffer back when it has arrived."""
        self.air.send(self.lane, Packet(len(packet.data), partial(self.other._take_data, packet), self._give_back))

    def send_control(self, packet: ll.ControlPdu) -> None:
        """Send a packet to the other controller's link layer."""
        if isinstance(packet, ll.TerminateInd):
            self.hang_up(packet.error_code)
        else:
            self.air.send(self.lane, Packet(CONTROL, partial(self.other._take_control, packet)))

    def hang_up(self, reason: int) -> None:
        """End the connection; this side's host is told when the other side has heard of it."""
        self.air.send(self.lane, Packet(CONTROL, partial(self._end, reason)))

    def update(self, times: Times) -> None:
        """As the central: both take other times, from the first event on that the standard allows."""
        instant = self.air.next_event + EVENTS_TO_INSTANT
        self.air.update(Update(instant, times.seconds, times.supervision, partial(self._tell, times)))

    def lose(self, reason: int) -> None:
        """The connection broke, for one of the reasons of HCI."""
        for end in (self, self.other):
            end.controller.drop(end, reason)

    def _tell(self, times: Times) -> None:
        for end in (self, self.other):
            if end.is_there:
                end.controller.tell_times(end.connection, times)

    def _end(self, reason: int) -> None:
        self.air.close()
        self.other.controller.drop(self.other, reason)
        self.controller.drop(self, hci.HCI_ErrorCode.CONNECTION_TERMINATED_BY_LOCAL_HOST_ERROR)

    def _take_data(self, packet: hci.HCI_AclDataPacket) -> None:
        self.controller.give_data(self.connection, packet)

    def _take_control(self, packet: ll.ControlPdu) -> None:
        self.controller.on_ll_control_pdu(self.connection.peer_address, packet)

    def _give_back(self) -> None:
        self.controller.give_buffer_back(self.connection)
