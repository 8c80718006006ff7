"""A data centre of the tests: a manufacturing key, processes with passes, and commands to ask."""

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fob_office.centre.bus.commands import Command, Reply
from fob_office.centre.bus.directory import Directory, Entry, write_entries
from fob_office.centre.bus.passes import Kind, Party, Pass, Trust
from fob_protocol.noise.keys import KeyPair

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

    @property
    def manufacturing(self) -> bytes:
        """The public key of the manufacturing box."""
        return self.key.public_key().public_bytes_raw()

    def process(self, kind: Kind, name: str, *, key: Ed25519PrivateKey | None = None, days: int = 366) -> Process:
        """A process with a pass of this data centre, or one that another `key` signed."""
        static = KeyPair.generate(self.random)
        return self.again(static, kind, name, key=key, days=days)

    def again(
        self, static: KeyPair, kind: Kind, name: str, *, key: Ed25519PrivateKey | None = None, days: int = 366
    ) -> Process:
        """A new pass for a key that is there."""
        self._numbers += 1
        sealing = KeyPair.generate(self.random).public
        shown = Pass(kind, name, static.public, sealing, None, self._numbers, self.now + days * 24 * 3600)
        trust = Trust(self.manufacturing, lambda: self.now)
        return Process(Party(static, shown.signed(key or self.key), trust, self.random), shown)

    def enter(self, process: Process, address: str) -> None:
        """Into the directory."""
        shown = process.shown
        self._entries[shown.name] = Entry(shown.name, shown.kind, address, process.me.shown)
        write_entries(self.folder, self._entries.values())

    def directory(self) -> Directory:
        """As a process reads it."""
        return Directory(self.folder, self.manufacturing)
