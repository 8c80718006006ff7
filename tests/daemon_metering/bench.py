"""A desk with its file, a link that can be cut at any step, and a device that counts what is paid."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from sqlite3 import Connection

from fob_daemon.device.remote_office import RemoteOffice
from fob_daemon.device.remote_token import RemoteToken
from fob_daemon.metering.desk import MeterDesk
from fob_daemon.metering.kept.file import StoreFile
from fob_daemon.metering.kept.store import MeterStore
from fob_daemon.metering.reading import transaction_of
from fob_daemon.metering.remote_meter import RemoteMeter
from fob_daemon.metering.views import Piece
from fob_protocol.at.answer import Answer
from fob_protocol.at.command import Command
from fob_protocol.caller import Caller
from fob_protocol.metering.indicium import Indicium, addressee_digest
from fob_protocol.office.message import read
from support.fake_device_office import FakeDeviceOffice
from support.fake_meter import FakeMeter

ZSH = Caller(("fob", "zsh"))


class KilledError(BaseException):
    """The daemon is not there any more."""


@dataclass
class Kill:
    """Kills at a step; each thing that is asked or written is two: before it, and when it is done."""

    at: int = 1 << 30
    steps: int = 0

    def step(self) -> None:
        self.steps += 1
        if self.steps == self.at:
            raise KilledError


@dataclass
class CutLink(FakeDeviceOffice):
    """A device's end at which the daemon can die."""

    kill: Kill = field(default_factory=Kill)

    async def request(self, command: Command, *, timeout: float) -> Answer:  # noqa: ASYNC109 - as Link has it
        self.kill.step()
        answer = await super().request(command, timeout=timeout)
        self.kill.step()
        return answer


class CutFile(StoreFile):
    """A disk at which the daemon can die."""

    def __init__(self, path: Path, kill: Kill) -> None:
        super().__init__(path)
        self.kill = kill

    @contextmanager
    def changing(self) -> Iterator[Connection]:
        self.kill.step()
        with super().changing() as database:
            yield database
        self.kill.step()


class Bench:
    """`start` makes a daemon, whose file is the one before it left."""

    def __init__(self, path: Path, seed: int = 7) -> None:
        self.path = path
        self.link = CutLink()
        self.meter = FakeMeter(self.link).rich()
        self.random = Random(seed)
        self.desk = self.start()

    def start(self, kill: Kill | None = None) -> MeterDesk:
        """A new daemon."""
        self.link.kill = kill or Kill()
        remote = RemoteMeter(RemoteToken(self.link))
        store = MeterStore(CutFile(self.path, self.link.kill))
        self.desk = MeterDesk(remote, RemoteOffice(self.link), store, self.random.randbytes, lambda: 1_795_000_000)
        return self.desk

    async def begin(self, count: int) -> int:
        """A batch of so many letters."""
        number = (await self.desk.begin_job("XRATE")).job
        # Whose batch it is was asked for once.
        self.link.asked[:] = [name for name in self.link.asked if name != "+FOBMETER"]
        await self.desk.add(number, letters(count))
        return number

    async def digests(self) -> list[bytes]:
        """Of whom the kept indicia are, oldest first."""
        counters = sorted(kept.counter for kept in await self.desk.kept(None))
        return [
            read(Indicium, one.indicium).addressee
            for counter in counters
            for one in transaction_of(await self.desk.record(counter)).indicia
        ]

    def asked(self, name: str) -> int:
        """How often a command crossed the link."""
        return self.link.asked.count(name)


def letters(count: int, grams: int = 20) -> list[Piece]:
    """To people of their own."""
    return [
        Piece("20095", address(number), "letter", grams=grams, zone="domestic", origin="10115")
        for number in range(count)
    ]


def address(number: int) -> str:
    return f"Erika {number}, Hauptstraße 5, 20095 Hamburg"


def due(count: int) -> list[bytes]:
    """The digests of so many letters."""
    return [addressee_digest(address(number)) for number in range(count)]
