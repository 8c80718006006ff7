"""bumble's host, which gives a controller up that sends no HCI; bumble drops what it cannot read, and waits on.

For whoever has bumble (the extra `radio`): the phone, and a daemon with a controller of its own.
"""

import struct
from collections.abc import Callable
from typing import Any, Final, Protocol

from bumble import hci
from bumble.core import BaseBumbleError, InvalidPacketError
from bumble.host import Host
from bumble.transport.common import PacketParser, ParserSource, TransportSink, TransportSource

NO_HCI: Final = "what the Bluetooth controller sends is no HCI"
HUNG_UP: Final = "the Bluetooth controller hung up"

# What a controller sends (Core 5.4, vol. 4, part A, 2): commands are a host's, and come back from an echo.
FROM_CONTROLLER: Final = frozenset(
    {hci.HCI_ACL_DATA_PACKET, hci.HCI_SYNCHRONOUS_DATA_PACKET, hci.HCI_EVENT_PACKET, hci.HCI_ISO_DATA_PACKET}
)

# Whole packets in a row that bumble cannot read: one that a newer controller words in another way does no harm.
UNREADABLE_LIMIT: Final = 8

# Where the status stands behind a Command Complete's number of packets and opcode (part E, 7.7.14).
STATUS_AT: Final = 3
# Octets of data that every controller takes at once (same, 4.1.1).
DATA_LEAST: Final = 27

# What bumble's code ends in that trusts an answer.
NONSENSE: Final = (
    *(ArithmeticError, AssertionError, AttributeError, LookupError),
    *(RuntimeError, TypeError, ValueError, struct.error),
)


class ControllerLostError(BaseBumbleError):
    """The controller hung up, or sends no HCI; the text says which."""


class HciEnds(Protocol):
    """Of a way to a controller."""

    @property
    def source(self) -> TransportSource:
        """Packets from the controller."""

    @property
    def sink(self) -> TransportSink:
        """Packets to it."""


class SteadyParser(PacketParser):
    """Packets out of octets. Once out of step it stays so: nothing tells where the next one begins (part A, 4)."""

    def __init__(self, refuse: Callable[[], None]) -> None:
        super().__init__()
        self._refuse = refuse
        self._is_in_step = True

    def feed_data(self, data: bytes) -> None:
        """Octets from the controller."""
        if not self._is_in_step:
            return
        try:
            super().feed_data(data)
        except InvalidPacketError:
            self._is_in_step = False
            self._refuse()


class StrictHost(Host):
    """A host on a transport, whose `source.terminated` it completes too when what comes is no HCI.

    `lost` says then why, for a person. Whoever made the transport closes it.
    """

    def __init__(self, transport: HciEnds) -> None:
        self.lost = ""
        self._source = transport.source
        self._unreadable = 0
        if isinstance(transport.source, ParserSource):
            transport.source.parser = SteadyParser(self._refuse)
        super().__init__(transport.source, transport.sink)

    async def reset(self, *arguments: Any, **keywords: Any) -> None:
        """Get to know the controller. Raises ControllerLostError for one that tells nonsense, BaseBumbleError."""
        try:
            await super().reset(*arguments, **keywords)
        except BaseBumbleError:
            raise
        except NONSENSE as error:
            raise ControllerLostError(NO_HCI) from error
        queue = self.le_acl_packet_queue
        if queue is None or queue.max_packet_size < DATA_LEAST or queue.max_in_flight < 1:
            raise ControllerLostError(NO_HCI)

    def on_packet(self, packet: bytes) -> None:
        """A packet that has its length."""
        if self.lost:
            return
        if packet[0] not in FROM_CONTROLLER:
            self._refuse()
        elif _is_readable(packet):
            self._unreadable = 0
            super().on_packet(packet)
        else:
            self._unreadable += 1
            if self._unreadable >= UNREADABLE_LIMIT:
                self._refuse()

    def on_transport_lost(self) -> None:
        """There is no controller any more: every connection is over, and whoever waits for an answer hears it."""
        self.lost = self.lost or HUNG_UP
        if self.pending_response is not None and not self.pending_response.done():
            self.pending_response.set_exception(ControllerLostError(self.lost))
        self.emit("flush")

    def send_hci_packet(self, packet: hci.HCI_Packet) -> None:
        """Raises ControllerLostError for a command that nobody would answer."""
        if not self.lost:
            super().send_hci_packet(packet)
        elif isinstance(packet, hci.HCI_Command):
            raise ControllerLostError(self.lost)

    def on_command_processed(self, event: "hci.HCI_Command_Complete_Event[Any] | hci.HCI_Command_Status_Event") -> None:
        """bumble takes whatever is answered for the answer that is due."""
        command = self.pending_command
        if command is not None and self.pending_response is not None:
            if self.pending_response.done() or event.command_opcode != command.op_code:
                return
            if not _is_answer(event, command):
                self._refuse()
                return
        super().on_command_processed(event)

    def on_hci_le_connection_complete_event(self, event: Any) -> None:
        """A handle is one connection's until that has ended."""
        if event.status == hci.HCI_SUCCESS and event.connection_handle in self.connections:
            self._refuse()
        else:
            super().on_hci_le_connection_complete_event(event)

    def _refuse(self) -> None:
        if self.lost:
            return
        self.lost = NO_HCI
        if not self._source.terminated.done():
            self._source.terminated.set_result(None)
        self.on_transport_lost()


def _is_readable(packet: bytes) -> bool:
    try:
        hci.HCI_Packet.from_bytes(packet)
    except (BaseBumbleError, *NONSENSE):
        return False
    return True


def _is_answer(event: hci.HCI_Event, command: hci.HCI_Command) -> bool:
    """Whether bumble can use it: each kind of command has an answer of its own, or is not known."""
    if isinstance(event, hci.HCI_Command_Status_Event):
        is_unknown = event.status == hci.HCI_ErrorCode.UNKNOWN_HCI_COMMAND_ERROR
        return is_unknown or isinstance(command, hci.HCI_AsyncCommand)
    return isinstance(command, hci.HCI_SyncCommand) or len(event.parameters) > STATUS_AT
