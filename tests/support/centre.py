"""A data centre of the tests: a manufacturing key, processes with passes, and commands to ask."""

import asyncio
import random
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fob_office.centre.bus.commands import Command, Reply
from fob_office.centre.bus.directory import Directory, Entry, write_entries
from fob_office.centre.bus.passes import Kind, Party, Pass, Trust
from fob_protocol.noise.handshake import IK, HandshakeState
from fob_protocol.noise.keys import KeyPair, Random
from fob_protocol.noise.state import CipherState

NOW: Final = 1_800_000_000
YEAR: Final = 366 * 24 * 3600


class Said(Reply, frozen=True):
    """What an Echo is answered."""

    text: bytes


class Echo(Command[Said], frozen=True):
    """Say this again."""

    text: bytes


class Other(Command[Said], frozen=True):
    """Nobody in these tests answers it."""

    text: bytes


@dataclass
class Process:
    """One process: what it shows, and what stands in its pass."""

    me: Party
    shown: Pass


class Centre:
    """`clock` is what all processes read; keys are the same in every run."""

    def __init__(self, folder: Path, seed: int = 7) -> None:
        self.folder = folder
        self.now = NOW
        self.random = random.Random(seed).randbytes
        self.key = Ed25519PrivateKey.from_private_bytes(self.random(32))
        self._numbers = 0
        self._entries: dict[str, Entry] = {}
        self._processes: dict[str, Process] = {}

    @property
    def manufacturing(self) -> bytes:
        """The public key of the manufacturing box."""
        return self.key.public_key().public_bytes_raw()

    def process(
        self,
        kind: Kind,
        name: str,
        *,
        key: Ed25519PrivateKey | None = None,
        days: int = 366,
        signing: bytes | None = None,
    ) -> Process:
        """A process with a pass of this data centre, or one that another `key` signed; `signing`: what it signs by."""
        static = KeyPair.generate(self.random)
        return self.again(static, kind, name, key=key, days=days, signing=signing)

    def again(
        self,
        static: KeyPair,
        kind: Kind,
        name: str,
        *,
        key: Ed25519PrivateKey | None = None,
        days: int = 366,
        signing: bytes | None = None,
    ) -> Process:
        """A new pass for a key that is there."""
        self._numbers += 1
        sealing = KeyPair.generate(self.random).public
        shown = Pass(kind, name, static.public, sealing, signing, self._numbers, self.now + days * 24 * 3600)
        trust = Trust(self.manufacturing, lambda: self.now)
        signed = shown.signed(key or self.key)
        process = self._processes[name] = Process(Party(static, lambda: signed, trust, self.random), shown)
        return process

    def process_of(self, name: str) -> Process:
        """The last one of this name."""
        return self._processes[name]

    def enter(self, process: Process, address: str) -> None:
        """Into the directory."""
        shown = process.shown
        self._entries[shown.name] = Entry(shown.name, shown.kind, address, process.me.shown())
        write_entries(self.folder, self._entries.values())

    def directory(self) -> Directory:
        """As a process reads it."""
        return Directory(self.folder, self.manufacturing)


class Wire:
    """Stands between two processes, and keeps what goes by; `flip` changes one bit of what goes to the server."""

    def __init__(self, folder: Path, server: str) -> None:
        self.address = f"unix:{folder}/wire"
        self.to_server: list[bytes] = []
        self.to_client: list[bytes] = []
        self.flip: int | None = None
        # Octets that go on at a time.
        self.pieces = 1 << 20
        self._path = server.removeprefix("unix:")
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._listener = await asyncio.start_unix_server(self._connected, self.address.removeprefix("unix:"))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        server, to_server = await asyncio.open_unix_connection(self._path)
        for pump in (self._pump(client, to_server, self.to_server), self._pump(server, to_client, self.to_client)):
            self._tasks.add(asyncio.create_task(pump))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, kept: list[bytes]) -> None:
        try:
            with suppress(ConnectionError):
                while octets := await reader.read(self.pieces):
                    kept.append(octets)
                    writer.write(self._flipped(octets) if kept is self.to_server else octets)
        finally:
            writer.close()

    def _flipped(self, octets: bytes) -> bytes:
        place, self.flip = self.flip, None
        if place is None:
            return octets
        changed = bytearray(octets)
        changed[place // 8 % len(octets)] ^= 1 << place % 8
        return bytes(changed)


class Raw:
    """Somebody who speaks to a process by hand: octets, or Noise messages and frames of his own making."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._out, self._in = CipherState(), CipherState()

    @classmethod
    async def to(cls, address: str) -> "Raw":
        """Connected."""
        return cls(*await asyncio.open_unix_connection(address.removeprefix("unix:")))

    def write(self, octets: bytes) -> None:
        """As they are."""
        self._writer.write(octets)

    def write_frame(self, frame: bytes) -> None:
        """In the next Noise message."""
        message = self._out.encrypt(b"", frame)
        self.write(len(message).to_bytes(4) + message)

    async def read_message(self) -> bytes:
        """The next one."""
        return await self._reader.readexactly(int.from_bytes(await self._reader.readexactly(4)))

    async def read_frame(self) -> bytes:
        """Opened."""
        return self._in.decrypt(b"", await self.read_message())

    async def frames_until_the_end(self) -> int:
        """How many still come."""
        count = 0
        with suppress(asyncio.IncompleteReadError):
            while await self.read_frame():
                count += 1
        return count

    async def shake(
        self, static: KeyPair, shown: bytes, server: bytes, random: Random, prologue: bytes = b"fob/1 bus"
    ) -> None:
        """The initiator's side of the handshake."""
        state = HandshakeState(
            IK, initiator=True, prologue=prologue, static=static, random=random, remote_static=server
        )
        message = state.write(shown)
        self.write(len(message).to_bytes(4) + message)
        state.read(await self.read_message())
        outgoing, incoming = state.split()
        self._out.set_key(outgoing)
        self._in.set_key(incoming)

    async def is_cut_off(self) -> bool:
        """Nothing more comes."""
        with suppress(ConnectionError):
            return await self._reader.read(1) == b""
        return True

    def close(self) -> None:
        """Hang up."""
        self._writer.close()
