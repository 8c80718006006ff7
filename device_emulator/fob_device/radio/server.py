"""The radio as a program: a connection to its Unix socket is the HCI (H4) of a host, with a controller of its own."""

import asyncio
from typing import Final

from bumble.core import InvalidPacketError
from bumble.transport.common import PacketParser

from fob_device.radio.radio import Radio, RadioTransport

# A demo has two hosts, a test a handful.
HOSTS_LIMIT: Final = 32

# What waits for a host that does not read: a thousand full packets. Then it has died.
UNREAD_LIMIT: Final = 262_144


class HostSocket(asyncio.Protocol):
    """One host: octets of its socket in and out of its controller."""

    def __init__(self, radio: Radio) -> None:
        self._radio = radio
        self._socket: asyncio.Transport | None = None
        self._hci: RadioTransport | None = None
        self._parser = PacketParser()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A host connected."""
        if not isinstance(transport, asyncio.Transport):
            return
        if len(self._radio.devices) >= HOSTS_LIMIT:
            transport.abort()
            return
        self._socket = transport
        self._hci = self._radio.attach("host")
        self._hci.source.set_packet_sink(self)
        self._parser.set_packet_sink(self._hci.sink)

    def data_received(self, data: bytes) -> None:
        """The host sent octets; one that sends no HCI is cut off."""
        try:
            self._parser.feed_data(data)
        except InvalidPacketError:
            self._abort()

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
        if self._hci is not None:
            self._radio.detach(self._hci.controller)

    def _abort(self) -> None:
        if self._socket is not None:
            self._socket.abort()


async def serve_hosts(radio: Radio, path: str) -> asyncio.Server:
    """Listen for hosts at a Unix socket's path; a socket that an earlier run left behind gives way. Raises OSError."""
    return await asyncio.get_running_loop().create_unix_server(lambda: HostSocket(radio), path)
