"""The radio as a program: a connection to its Unix socket is the HCI (H4) of a host, with a controller of its own."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final, cast

from bumble.core import InvalidPacketError
from bumble.transport.common import PacketParser

from fob_device.radio.radio import Radio, RadioTransport

# A demo has two hosts, a test a handful.
HOSTS_LIMIT: Final = 32

# What waits for a host that does not read: a thousand full packets. Then it has died.
UNREAD_LIMIT: Final = 262_144

# Above CRITICAL: the stack writes a traceback for each packet that it cannot read.
SILENT: Final = 100

NO_HCI: Final = "a host was cut off: what it sends is no HCI"


class HostPackets:
    """Takes a host's packets, each in a turn of the loop of its own, until one is none."""

    def __init__(self, take: Callable[[bytes], None], refuse: Callable[[], None]) -> None:
        self._take = take
        self._refuse = refuse
        self._is_over = False

    def on_packet(self, packet: bytes) -> None:
        """A packet that has its length."""
        asyncio.get_running_loop().call_soon(self._deliver, packet)

    def end(self) -> None:
        """The host is gone, or cut off: what it sent and nobody took is nothing."""
        self._is_over = True

    def _deliver(self, packet: bytes) -> None:
        if self._is_over:
            return
        try:
            self._take(packet)
        except Exception:  # the stack raises whatever its reading of a stranger's octets ends in
            self._refuse()


class HostSocket(asyncio.Protocol):
    """One host: octets of its socket in and out of its controller."""

    def __init__(self, radio: Radio, say: Callable[[str], None]) -> None:
        self._radio = radio
        self._say = say
        self._packets: HostPackets | None = None
        self._socket: asyncio.Transport | None = None
        self._hci: RadioTransport | None = None
        self._parser = PacketParser()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A host connected."""
        # No isinstance: another loop's transports have the methods of asyncio's and not their classes.
        host = cast(asyncio.Transport, transport)
        if len(self._radio.devices) >= HOSTS_LIMIT:
            host.abort()
            return
        self._socket = host
        self._hci = self._radio.attach("host")
        self._hci.source.set_packet_sink(self)
        self._packets = HostPackets(self._hci.controller.on_packet, self._refuse)
        self._parser.set_packet_sink(self._packets)

    def data_received(self, data: bytes) -> None:
        """The host sent octets; one that sends no HCI is cut off."""
        try:
            self._parser.feed_data(data)
        except InvalidPacketError:
            self._refuse()

    def on_packet(self, packet: bytes) -> None:
        """The controller has a packet for the host."""
        if self._socket is None:
            return
        if self._socket.get_write_buffer_size() > UNREAD_LIMIT:
            self._abort()
        else:
            self._socket.write(packet)

    def connection_lost(self, exc: Exception | None) -> None:
        """The host is gone, and its controller with it."""
        self._socket = None
        if self._packets is not None:
            self._packets.end()
        if self._hci is not None:
            self._radio.detach(self._hci.controller)

    def _refuse(self) -> None:
        """The host sends no HCI: one line, however much more there is of it."""
        if self._socket is not None and not self._socket.is_closing():
            self._say(NO_HCI)
        if self._packets is not None:
            self._packets.end()
        self._abort()

    def _abort(self) -> None:
        if self._socket is not None:
            self._socket.abort()


async def serve_hosts(radio: Radio, path: str, say: Callable[[str], None] = lambda line: None) -> asyncio.Server:
    """Listen for hosts at a Unix socket's path; a socket that an earlier run left behind gives way. Raises OSError.

    `say` is told in a line of a host that was cut off.
    """
    logging.getLogger("bumble").setLevel(SILENT)
    return await asyncio.get_running_loop().create_unix_server(lambda: HostSocket(radio, say), path)
