"""A Bluetooth controller that sends what it should not, before it is of use or in the middle of it."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from fob_device.radio.radio import Radio
from fob_device.radio.server import serve_hosts

# A Command Complete that ends before its opcode, as a packet that is whole: by USB and HCI sockets each one is.
UNREADABLE: Final = bytes.fromhex("04 0e 01 01")

GARBAGE: Final = {
    "random octets": random.Random(1).randbytes(4096),
    "an event, and then random octets": b"\x04\x0e\x04\x01\x03\x0c\x00" + random.Random(2).randbytes(4096),
    "zeros": bytes(64),
    "another protocol's greeting": b"SSH-2.0-OpenSSH_9.2\r\n",
    "an echo": b"\x01\x03\x0c\x00",
    "packets that end too early": UNREADABLE * 16,
    "a reset's answer, and no other that fits": b"\x04\x0e\x04\x01\x03\x0c\x00" + b"\x04\x0f\x04\x00\x01\x02\x10" * 2,
}

# Octets that a socket and the loop hold before anybody sees them.
IN_BUFFERS: Final = 2_000_000


class BabblingController:
    """A socket for hosts with that of the `air` behind it.

    `garbage`: what a host gets at once and as each answer, while it is set.
    """

    def __init__(self, air: Radio, behind: Path) -> None:
        self.air = air
        self.garbage = b""
        # Again and again, until the host hangs up.
        self.is_endless = False
        self.octets_sent = 0
        self.hosts = 0
        self._behind = behind
        self._hosts: set[asyncio.StreamWriter] = set()

    def babble(self, garbage: bytes) -> None:
        """To every host, at once and from now on."""
        self.garbage = garbage
        for host in self._hosts:
            host.write(garbage)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One host, until it hangs up."""
        self.hosts += 1
        self._hosts.add(writer)
        try:
            with contextlib.suppress(OSError):
                await (self._babble(reader, writer) if self.garbage else self._pass_on(reader, writer))
        finally:
            self._hosts.discard(writer)
            writer.close()

    async def _babble(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(self.garbage)
        while self.is_endless:
            self.octets_sent += len(self.garbage)
            writer.write(self.garbage)
            await writer.drain()
        while await reader.read(4096):
            writer.write(self.garbage)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_radio, to_radio = await asyncio.open_unix_connection(self._behind)
        answers = asyncio.create_task(_pump(from_radio, writer))
        try:
            await _pump(reader, to_radio)
        finally:
            answers.cancel()
            to_radio.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while octets := await reader.read(4096):
        writer.write(octets)
        await writer.drain()


@asynccontextmanager
async def babbling_controller(folder: Path) -> AsyncIterator[BabblingController]:
    """At `hci` in a folder, with an air of its own behind it."""
    air = Radio(interval=0.0075)
    async with await serve_hosts(air, str(folder / "air")):
        controller = BabblingController(air, folder / "air")
        server = await asyncio.start_unix_server(controller.serve, folder / "hci")
        try:
            yield controller
        finally:
            server.close()
