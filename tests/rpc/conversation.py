"""The client's side of the p11-kit RPC protocol, apart from the server's code: builders of bodies, and a socket."""

import asyncio
import contextlib
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fob_daemon.rpc.calls import CALLS

MAGIC = b"PRIVATE-GNOME-KEYRING-PKCS11-PROTOCOL-V-1"
NULL = b"\xff\xff\xff\xff"
# Seconds after which a test fails instead of hanging.
PATIENCE = 10

IDS = {call.name: call.id for call in CALLS.values()}


def u32(value: int) -> bytes:
    return struct.pack(">I", value)


def u(value: int) -> bytes:
    return struct.pack(">Q", value)


def raw(data: bytes) -> bytes:
    return u32(len(data)) + data


def ay(data: bytes | None) -> bytes:
    return b"\x01" + (NULL if data is None else raw(data))


def fy(room: int) -> bytes:
    return u32(room)


def attribute(kind: int, value: bytes, length: int) -> bytes:
    """One attribute of `aA`, its value encoded already, with its length in C."""
    return u32(kind) + b"\x01" + u32(length) + value


def template(*attributes: bytes) -> bytes:
    return u32(len(attributes)) + b"".join(attributes)


def ulong_attribute(kind: int, value: int) -> bytes:
    return attribute(kind, u(value), 8)


def bytes_attribute(kind: int, value: bytes) -> bytes:
    return attribute(kind, raw(value), len(value))


def buffers(rooms: Mapping[int, int]) -> bytes:
    return u32(len(rooms)) + b"".join(u32(kind) + u32(room) for kind, room in rooms.items())


def request(name: str, *arguments: bytes) -> bytes:
    call = CALLS[IDS[name]]
    return u32(call.id) + raw(call.request.encode()) + b"".join(arguments)


def reply(name: str, values: bytes = b"") -> bytes:
    call = CALLS[IDS[name]]
    return u32(call.id) + raw(call.reply.encode()) + values


def error(ckr: int) -> bytes:
    return u32(0) + raw(b"u") + u(ckr)


INITIALIZE = request("C_Initialize", ay(MAGIC), b"\x00", ay(b"\x00"))


@dataclass
class RawClient:
    """A connection to the provider socket that can say anything."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    next_code: int = 0x10

    @classmethod
    async def connect(cls, path: Path) -> "RawClient":
        return cls(*await asyncio.open_unix_connection(path))

    @classmethod
    async def initialized(cls, path: Path, version: int = 0) -> "RawClient":
        """A client that has shaken hands."""
        client = await cls.connect(path)
        client.writer.write(bytes((version,)))
        assert await client.read(1) == bytes((min(version, 2),))
        assert await client.call(INITIALIZE) == reply("C_Initialize")
        return client

    def send(self, body: bytes) -> int:
        """One frame; returns its code."""
        code, self.next_code = self.next_code, self.next_code + 1
        self.writer.write(u32(code) + u32(0) + u32(len(body)) + body)
        return code

    async def receive(self) -> tuple[int, bytes]:
        """Code and body of the next reply."""
        code, options, length = struct.unpack(">III", await self.read(12))
        assert options == 0
        return code, await self.read(length)

    async def read(self, length: int) -> bytes:
        """Exactly so many bytes."""
        async with asyncio.timeout(PATIENCE):
            return await self.reader.readexactly(length)

    async def call(self, body: bytes) -> bytes:
        code = self.send(body)
        answered, answer = await self.receive()
        assert answered == code
        return answer

    async def open_session(self, slot: int) -> int:
        answer = await self.call(request("C_OpenSession", u(slot), u(6)))
        (handle,) = struct.unpack(">Q", answer.removeprefix(reply("C_OpenSession")))
        return int(handle)

    async def is_closed(self) -> bool:
        """The server hung up (after whatever it said before)."""
        with contextlib.suppress(ConnectionResetError):
            async with asyncio.timeout(PATIENCE):
                while await self.reader.read(65536):
                    pass
        return True

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            await self.writer.wait_closed()
