"""A whole data centre in one process: every kind with its real folder, keys and stores, on the real bus."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from fob_office.centre.boxes.authentication.box import authentication_box
from fob_office.centre.boxes.authentication.passwords import Cost
from fob_office.centre.boxes.box import Factory
from fob_office.centre.boxes.kinds import FACTORIES
from fob_office.centre.boxes.meter.box import meter_box
from fob_office.centre.boxes.meter.points import CrashPoint
from fob_office.centre.boxes.steel.owners import Owner, OwnersKey, seal_owners_key
from fob_office.centre.boxes.views import Slot
from fob_office.centre.bus.answering import Server, serve
from fob_office.centre.bus.asking import Links
from fob_office.centre.bus.commands import Command, ReplyT
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.bus.passes import Kind, read_pass
from fob_office.centre.commands.database import FetchLogState, FetchWarnings
from fob_office.centre.commands.meter import HeldView, TakeView
from fob_office.centre.commands.steel import GiveKey, SetNewMeters
from fob_office.centre.database.exporting import export_log
from fob_office.centre.database.process import FILE
from fob_office.centre.function.peers import LinkedPeers
from fob_office.centre.function.server import FunctionServer
from fob_office.centre.function.settings import Admitted, Told, read_settings, write_settings
from fob_office.centre.limits import SLOTS
from fob_office.centre.supervising.passes import PassWatch
from fob_office.centre.view_file import ViewFile, write_view
from fob_office.centre.words import Word
from fob_protocol.cose import sign1
from fob_protocol.metering.kinds import Freshness
from fob_protocol.metering.log.checkpoint import Checkpoint, origin_of
from fob_protocol.metering.log.export import ExportHead
from fob_protocol.metering.records import Limits
from fob_protocol.office.certificate import Certificate, Usage
from fob_protocol.office.message import read
from support.centre_boxes import NOW, Boxes
from support.centre_database import make_meters

LIMITS: Final = Limits(piece=10_000, daily=100_000, credit=5_000, spent=0, day=0)
VALUE_KIND: Final = "eur-cent"
ENERGY: Final = "kwh-milli"
# Which software franks what.
PROGRAMS: Final = {VALUE_KIND: "postage-rates", ENERGY: "energy-rates"}
# A guess is cheap in tests.
CHEAP: Final = Cost(iterations=1, memory_kib=64, lanes=1)
VALIDATION: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
# What takes a moment in life takes a moment less here.
SHORT_PAUSES: Final = {
    "fob_office.centre.function.peers.PAUSE": 0.01,
    "fob_office.centre.bus.asking.FIRST_LINK_PAUSE": 0.005,
    "fob_office.centre.bus.asking.LONGEST_LINK_PAUSE": 0.01,
    "fob_office.centre.boxes.meter.handing.LONGEST_LINK_PAUSE": 0.01,
    "fob_office.centre.payment.process.OPEN_TIME": 0,
}
# Times 10 ms.
_PATIENCE: Final = 1000
_SIZE: Final = "SELECT size FROM log_heads"
_OTHERS: Final = ("steel-1", "authentication-1", "transaction-1", "payment-1", "database-1")


class CutError(Exception):
    """The function server dies here."""


class KilledError(Exception):
    """A box dies here."""


@dataclass
class Cut:
    """Dies at the n-th command to others (from 0): before it is delivered, or before its answer is heard."""

    at: int
    is_delivered: bool
    asked: int = 0


@dataclass
class WatchedPeers:
    """Peers of a function server: counts what it asks, and cuts where a test says so."""

    peers: LinkedPeers
    cut: Cut | None = None
    asked: list[str] = field(default_factory=list)
    # The answer to this command is lost, once; the server goes on.
    loses: str = ""
    # Called before each command (how many there were, False), and after its answer (True).
    meets: Callable[[int, bool], Awaitable[None]] | None = None

    async def any(self, kind: Kind, command: Command[ReplyT]) -> ReplyT:
        """As Peers says."""
        return await self._watched(command, partial(self.peers.any, kind, command))

    async def opener(self, kind: Kind, sealed: bytes, command: Command[ReplyT]) -> ReplyT:
        """As Peers says."""
        return await self._watched(command, partial(self.peers.opener, kind, sealed, command))

    async def owner(self, serial: str, command: Command[ReplyT]) -> ReplyT:
        """As Peers says."""
        return await self._watched(command, partial(self.peers.owner, serial, command))

    async def _watched(self, command: Command[ReplyT], ask: Callable[[], Any]) -> ReplyT:
        cut = self.cut
        is_here = cut is not None and cut.asked == cut.at
        if cut is not None:
            cut.asked += 1
        if cut is not None and is_here and not cut.is_delivered:
            raise CutError(type(command).__name__)
        at = len(self.asked)
        self.asked.append(type(command).__name__)
        if self.meets is not None:
            await self.meets(at, False)
        reply: ReplyT = await ask()
        if self.meets is not None:
            await self.meets(at, True)
        if type(command).__name__ == self.loses:
            self.loses = ""
            raise BusRefusedError(Word.UNAVAILABLE, "the answer was lost")
        if cut is not None and (is_here or cut.asked > cut.at + 1):
            raise CutError(type(command).__name__)
        return reply


class DataCentre:
    """Boxes by their names, and function servers, of which each `serve` makes a new one that remembers nothing."""

    def __init__(self, folder: Path, seed: int = 11, freshness: Freshness = Freshness.COUNTER, meters: int = 2) -> None:
        self.boxes = Boxes(folder, seed)
        self.freshness = freshness
        # What signing up costs.
        self.fee = 0
        # The least that is loaded at once.
        self.deposit = 0
        # Where a box dies next; it is restarted unless it stands in `stays_dead`.
        self.kill_at: dict[str, CrashPoint] = {}
        self.stays_dead: set[str] = set()
        self.meters = tuple(f"meter-{number}" for number in range(1, meters + 1))
        self._running: dict[str, AsyncExitStack] = {}
        self._servers: dict[str, Server] = {}
        self._dying: set[asyncio.Task[None]] = set()
        self._views = 0
        self._slots: tuple[Slot, ...] = ()
        for name in (*_OTHERS, *self.meters):
            self.boxes.make(_kind(name), name)
        self.issuer = Ed25519PrivateKey.from_private_bytes(self.boxes.surroundings.random(32))
        self.certificate = self._found_function_server()
        make_meters(self.folder / "database-1" / FILE)

    @property
    def folder(self) -> Path:
        """Of the data centre."""
        return self.boxes.folder

    @property
    def database_url(self) -> str:
        """SQLite, as where nothing is said."""
        return f"sqlite:///{self.folder / 'database-1' / FILE}"

    @property
    def now(self) -> int:
        """What every clock says."""
        return self.boxes.now

    async def begin(self) -> None:
        """All boxes run, the steel box has its keys, and meter-1 owns all meters, with meter-2 as second.

        Of more than two meter boxes each owns as many, with the next one as second.
        """
        for name in (*_OTHERS, *self.meters):
            await self.start(name)
        for value_kind in PROGRAMS:
            await self._give_keys(value_kind)
        owners = self.meters if len(self.meters) > 2 else self.meters[:1]
        await self.take_view(tuple(self._slot(owners[number % len(owners)]) for number in range(SLOTS)))
        for name in self.meters:
            await self.is_seconded(name)

    def is_running(self, name: str) -> bool:
        """A box."""
        return name in self._running

    async def start(self, name: str) -> None:
        """A box, or a box again."""
        stack = AsyncExitStack()
        box = self.boxes.open(name)
        table = await stack.enter_async_context(self._factory(name)(box))
        stack.callback(box.links.close)
        server = await stack.enter_async_context(await serve(self.boxes.address(name), box.me, table))
        self._running[name], self._servers[name] = stack, server

    async def stop(self, name: str) -> None:
        """What it has begun is ended; what is on its disk stays."""
        stack = self._running.pop(name, None)
        if stack is not None:
            await stack.aclose()

    def kill(self, name: str) -> None:
        """Without a last word; it is restarted over its store, unless it `stays_dead`."""
        for conversation in tuple(self._servers[name]._conversations):
            conversation.channel.end("killed")
        dying = asyncio.get_running_loop().create_task(self._restart(name))
        self._dying.add(dying)
        dying.add_done_callback(self._dying.discard)

    async def settled(self) -> None:
        """What was killed is dead, or runs again."""
        while self._dying:
            await asyncio.gather(*self._dying)

    async def close(self) -> None:
        """All of them."""
        await self.settled()
        for name in tuple(self._running):
            await self.stop(name)
        self._operator_links().close()

    async def view(self, owner: str, second: str | None) -> None:
        """The next view, to all meter boxes and in the file."""
        await self.take_view((Slot(owner, second),) * SLOTS)

    async def take_view(self, slots: tuple[Slot, ...]) -> None:
        """The next one."""
        signed = self.boxes.manufacturing.next_view(slots, self._views)
        self._views += 1
        self._slots = slots
        write_view(self.folder, signed)
        for name in self.meters:
            if name in self._running:
                await self.ask(name, TakeView(signed))

    async def is_seconded(self, second: str) -> None:
        """When this box holds all that the owners of its slots know."""
        due = sum(slot.second == second for slot in self._slots)
        for _ in range(_PATIENCE):
            if len((await self.ask(second, HeldView())).complete) == due:
                return
            await asyncio.sleep(0.01)
        raise TimeoutError(second)

    async def checkpoint(self) -> bytes:
        """The newest, once it is of the whole log."""
        for _ in range(_PATIENCE):
            signed = (await self.ask("database-1", FetchLogState(0))).checkpoint
            if signed is not None and read(Checkpoint, sign1.unverified_payload(signed)).size == self.rows(_SIZE)[0][0]:
                return signed
            await asyncio.sleep(0.01)
        raise TimeoutError("no checkpoint")

    async def exported(self) -> bytes:
        """The log, as an operator exports it."""
        directory = self.boxes.open("operator-1").links.directory
        keys = [directory.pass_of(entry.name).signing or b"" for entry in directory.of_kind(Kind.TRANSACTION)]
        head = ExportHead(origin_of(self.boxes.manufacturing_key), tuple(keys))
        parts: list[bytes] = []
        await export_log(partial(self.ask, "database-1"), head, parts.append)
        return b"".join(parts)

    async def warnings(self) -> list[tuple[str, str]]:
        """Word and serial of each."""
        found = (await self.ask("database-1", FetchWarnings(0))).warnings
        return [(word, serial) for _, word, serial, _, _ in found]

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """What somebody with the password of the meters' database does or sees."""
        with closing(sqlite3.connect(self.folder / "database-1" / FILE)) as connection, connection:
            return connection.execute(statement, values).fetchall()

    async def renew_passes(self) -> None:
        """As the supervisor does, with the manufacturing box, which nobody asks for anything else here."""
        links = self._operator_links()
        me = self.boxes.open("manufacturing").me
        async with await serve(self.boxes.address("manufacturing"), me, self.boxes.manufacturing.table):
            await PassWatch(self.folder, links, lambda: self.now, lambda _: None).look()
        links.close()
        self.boxes.read_again()

    async def fail_over(self, dead: str, other: str) -> None:
        """A dead box has no meters from now on; started again it becomes the second, complete when this returns."""
        await self.view(other, None)
        await self.start(dead)
        await self.view(other, dead)
        await self.is_seconded(dead)

    async def ask(self, name: str, command: Command[ReplyT]) -> ReplyT:
        """As an operator."""
        links = self._operator_links()
        try:
            return await links.to(name).ask(command)
        finally:
            links.close()

    @asynccontextmanager
    async def function_server(self, cut: Cut | None = None) -> AsyncIterator[tuple[FunctionServer, WatchedPeers]]:
        """A new one; it remembers nothing of others."""
        box = self.boxes.open("function-1")
        views = ViewFile(self.folder, box.manufacturing)
        peers = WatchedPeers(LinkedPeers(box.links, views), cut)
        settings = replace(read_settings(box.folder), fee=self.fee, deposit=self.deposit)
        server = FunctionServer(settings, peers, box.links, self.boxes.surroundings)
        try:
            yield server, peers
        finally:
            await server.close()
            box.links.close()

    def _factory(self, name: str) -> Factory:
        match _kind(name):
            case Kind.METER:
                return partial(meter_box, reached=partial(self._reached, name))
            case Kind.AUTHENTICATION:
                return partial(authentication_box, cost=CHEAP)
        return FACTORIES[_kind(name)]

    def _reached(self, name: str, point: CrashPoint) -> None:
        if self.kill_at.get(name) == point:
            del self.kill_at[name]
            self.kill(name)
            raise KilledError(point)

    async def _restart(self, name: str) -> None:
        await self.stop(name)
        if name in self.stays_dead:
            self.stays_dead.discard(name)
        else:
            await self.start(name)

    def _slot(self, owner: str) -> Slot:
        at = self.meters.index(owner) + 1
        return Slot(owner, self.meters[at % len(self.meters)])

    def _found_function_server(self) -> Certificate:
        signing = Ed25519PrivateKey.from_private_bytes(self.boxes.surroundings.random(32))
        sealing = X25519PrivateKey.from_private_bytes(self.boxes.surroundings.random(32))
        certificate = Certificate(
            server="metering",
            title="Metering",
            usages=(Usage.METERING,),
            signing_key=signing.public_key().public_bytes_raw(),
            sealing_key=sealing.public_key().public_bytes_raw(),
            epoch=1,
            not_before=0,
            not_after=NOW * 2,
        )
        validation = VALIDATION.public_key().public_bytes_raw()
        told = Told(
            certificate.signed(self.issuer),
            signing.private_bytes_raw(),
            sealing.private_bytes_raw(),
            tuple(Admitted(kind, validation, 86_400, {program: (1, 0, 0)}) for kind, program in PROGRAMS.items()),
            deposit=0,
        )
        write_settings(self.boxes.make(Kind.FUNCTION, "function-1"), told)
        return certificate

    async def _give_keys(self, value_kind: str) -> None:
        links = self._operator_links()
        sealing = links.directory.pass_of("steel-1").sealing
        links.close()
        for owner in Owner:
            key = OwnersKey(owner, value_kind, 1, self.boxes.surroundings.random(32))
            await self.ask("steel-1", GiveKey(owner, value_kind, 1, seal_owners_key(sealing, key)))
        await self.ask("steel-1", SetNewMeters(value_kind, self.freshness, LIMITS.octets()))

    def _operator_links(self) -> Links:
        return self.boxes.open("operator-1").links


@asynccontextmanager
async def data_centre(folder: Path, **how: Any) -> AsyncIterator[DataCentre]:
    """One that runs."""
    centre = DataCentre(folder, **how)
    try:
        await centre.begin()
        yield centre
    finally:
        await centre.close()


def sealing_key_of(centre: DataCentre, name: str) -> bytes:
    """By which others seal to a process."""
    directory = centre.boxes.open("operator-1").links.directory
    return read_pass(centre.boxes.manufacturing_key, directory.named(name).shown).sealing


def _kind(name: str) -> Kind:
    return Kind[name.partition("-")[0].upper()]
