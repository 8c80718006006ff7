"""Meter boxes of the tests: real crypto, stores and links in memory, and what others bring them."""

import asyncio
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from fob_office.centre.boxes.meter.box import MeterBox
from fob_office.centre.boxes.meter.points import CrashPoint
from fob_office.centre.boxes.rows import Row
from fob_office.centre.boxes.separation import Purpose
from fob_office.centre.boxes.vault import SoftwareVault
from fob_office.centre.boxes.views import Slot, View
from fob_office.centre.bus.answering import Table
from fob_office.centre.bus.commands import (
    Command,
    CommandReader,
    Reply,
    ReplyT,
    encode_command,
    encode_reply,
    read_reply,
    split_answer,
)
from fob_office.centre.bus.errors import AwayError, BusRefusedError
from fob_office.centre.bus.passes import Kind, Pass
from fob_office.centre.commands.meter import Act, TakeView
from fob_office.centre.limits import SLOTS
from fob_office.centre.words import Word
from fob_office.surroundings import Surroundings
from fob_protocol.cose import cbor, encrypt0, mac0
from fob_protocol.cose.labels import Label
from fob_protocol.metering.epochs import epoch_of
from fob_protocol.metering.kinds import Deed, Freshness
from fob_protocol.metering.records import Limits, MeterRecord
from fob_protocol.metering.requests import Piece
from fob_protocol.metering.vouchers import FundRecord, KeyOrder, MeterOrder, Permission
from fob_protocol.office.hashing import digest
from fob_protocol.office.message import Message, read

NOW: Final = 1_800_000_000
ACCOUNT: Final = b"account of tests"
LIMITS: Final = Limits(piece=10_000, daily=100_000, credit=5_000, spent=0, day=0)


class KilledError(Exception):
    """A box was stopped at a named point."""


class MemoryShelf:
    """A Shelf over a disk that outlives it. All that wait share a commit; what waits when the box dies is lost."""

    def __init__(self, disk: dict[tuple[str, bytes], bytes], ticks: Callable[[], int]) -> None:
        self.disk = disk
        self.is_dead = False
        # Turns of the loop that a commit takes.
        self._ticks = ticks
        self._waiting: list[tuple[tuple[Row, ...], asyncio.Future[None]]] = []
        self._task: asyncio.Task[None] | None = None

    async def put_all(self, rows: Iterable[Row]) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((tuple(rows), done))
        if self._task is None:
            self._task = asyncio.create_task(self._commit())
        await done

    async def _commit(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting, []
            for _ in range(self._ticks()):
                await asyncio.sleep(0)
            for rows, done in group:
                if self.is_dead:
                    done.set_exception(KilledError("its disk is gone"))
                else:
                    self.disk.update({(row.table, row.key): row.octets for row in rows})
                    done.set_result(None)
        self._task = None

    def get(self, table: str, key: bytes) -> bytes | None:
        return self.disk.get((table, key))

    def after(self, table: str, key: bytes, most: int) -> Sequence[Row]:
        found = sorted(place for place in self.disk if place[0] == table and place[1] > key)
        return [Row(*place, self.disk[place]) for place in found[:most]]


@dataclass
class Running:
    """One run of a box's process."""

    box: MeterBox
    shelf: MemoryShelf
    table: Table
    reader: CommandReader


@dataclass
class _Peers:
    """Peers, for one run of a box."""

    world: "Meters"
    name: str

    async def ask(self, name: str, command: Command[ReplyT]) -> ReplyT:
        run = self.world.running.get(self.name)
        reply = await self.world.ask(name, command, Kind.METER, self.name)
        if run is None or self.world.running.get(self.name) is not run:
            raise KilledError("nobody hears the answer")
        return reply


@dataclass
class Meters:
    """A data centre's meter boxes. `kill_at`: names of boxes with the point at which they are killed, once."""

    seed: int = 7
    now: int = NOW
    kill_at: dict[str, CrashPoint] = field(default_factory=dict)
    disks: dict[str, dict[tuple[str, bytes], bytes]] = field(default_factory=dict)
    running: dict[str, Running] = field(default_factory=dict)
    # Called before a command is delivered: to look on, or to lose it.
    before: Callable[[str, Command[Any]], None] = lambda name, command: None
    views: int = 0
    # Only these slots have a second: less to fetch, where all meters are in a few.
    slots: frozenset[int] = frozenset(range(SLOTS))

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.key = Ed25519PrivateKey.from_private_bytes(self.random.randbytes(32))
        self.vault = SoftwareVault({purpose: self.random.randbytes(32) for purpose in Purpose})
        self.token_keys: dict[str, bytes] = {}

    def start(self, *names: str) -> None:
        """Boxes, or boxes again after they were killed."""
        for name in names:
            ticks = partial(random.Random(name).randrange, 1, 5)
            shelf = MemoryShelf(self.disks.setdefault(name, {}), ticks)

            def reached(point: CrashPoint, name: str = name) -> None:
                if self.kill_at.get(name) == point:
                    del self.kill_at[name]
                    self.kill(name)
                    raise KilledError(point)

            surroundings = Surroundings(lambda: self.now, self.random.randbytes)
            manufacturing = self.key.public_key().public_bytes_raw()
            box = MeterBox(name, manufacturing, self.vault, shelf, _Peers(self, name), surroundings, reached)
            table = box.table
            self.running[name] = Running(box, shelf, table, CommandReader(table))

    def kill(self, name: str) -> None:
        """As with kill -9."""
        run = self.running.pop(name, None)
        if run is not None:
            run.shelf.is_dead = True

    def view(self, owner: str, second: str | None) -> bytes:
        """The next view: one owner and one second of all slots."""
        self.views += 1
        slots = (Slot(owner, second if slot in self.slots else None) for slot in range(SLOTS))
        return View(self.views, tuple(slots)).signed(self.key)

    async def change_view(self, owner: str, second: str | None, *, fetch: bool = True) -> bytes:
        """A new view, taken by all that run; the second fetches what it lacks."""
        signed = self.view(owner, second)
        for name in tuple(self.running):
            await self.ask(name, TakeView(signed), Kind.OPERATOR)
        if fetch and second in self.running:
            assert await self.running[second].box.fetching.fetch_all()
        return signed

    async def ask(
        self, name: str, command: Command[ReplyT], kind: Kind = Kind.FUNCTION, asker: str = "function-1"
    ) -> ReplyT:
        """Over a link in memory, with what is said on the bus. Raises AwayError, BusRefusedError."""
        self.before(name, command)
        run = self.running.get(name)
        if run is None:
            raise AwayError(name, "it does not run", was_sent=False)
        _, asked = run.reader.read(encode_command(1, command))
        if isinstance(asked, BusRefusedError):
            raise asked
        row = run.table[type(asked)]
        if kind not in row.kinds:
            raise BusRefusedError(Word.NOT_YOURS, f"not for {kind.word}")
        try:
            reply: Reply = await row.handler(_pass(kind, asker), asked)
        except KilledError as killed:
            raise AwayError(name, str(killed), was_sent=True) from None
        _, body = split_answer(encode_reply(1, reply))
        assert isinstance(body, msgspec.Raw)
        return read_reply(command, body)

    def signed(self, message: Message, label: Label, purpose: Purpose, *context: cbor.Value) -> bytes:
        """With the code of whoever makes such things."""
        return mac0.authenticate(self.vault.derive(purpose, *context), label, [], message.octets())

    def record(self, record: MeterRecord) -> bytes:
        """As a meter box signs it."""
        return self.signed(record, Label.METER_RECORD, Purpose.RECORD, record.serial, record.epoch)

    def meter_order(
        self, serial: str, act: Act, kind: Freshness = Freshness.COUNTER, limits: Limits = LIMITS, fee: int = 0
    ) -> bytes:
        """Of the steel box."""
        key = self.token_keys.setdefault(serial, self.random.randbytes(32))
        kek = self.vault.derive(Purpose.TOKEN, serial, 1)
        wrapped = encrypt0.seal(kek, self.random.randbytes(12), Label.INDICIUM_KEY, [serial, 1], key)
        order = MeterOrder(serial, ACCOUNT, "eur-cent", kind, limits, 1, wrapped, act.request_digest, self.now, fee)
        return self.signed(order, Label.METER_ORDER, Purpose.ORDER, "meter")

    def key_order(self, serial: str, counter: int, deed: Deed, limits: Limits | None = None) -> bytes:
        """Of the steel box."""
        order = KeyOrder(deed, serial, counter, limits, self.now)
        return self.signed(order, Label.KEY_ORDER, Purpose.ORDER, "key")

    def permission(self, serial: str, act: Act, deed: Deed, amount: int, pieces: bytes | None = None) -> bytes:
        """Of an authentication box; `pieces` as in the permission, not yet H of them."""
        shown = digest(pieces) if pieces is not None else None
        return self.sign_permission(Permission(ACCOUNT, act.request_digest, deed, serial, amount, shown, self.now))

    def sign_permission(self, permission: Permission) -> bytes:
        """Of an authentication box."""
        return self.signed(permission, Label.PERMISSION, Purpose.PERMISSION, permission.account)

    def fund(
        self,
        serial: str,
        act: Act,
        number: int,
        amount: int,
        *,
        is_paid: bool = True,
        is_settlement: bool = False,
        epoch: int | None = None,
        fee: int = 0,
    ) -> bytes:
        """Of a transaction box."""
        receipt = digest(b"receipt") if is_paid else None
        in_epoch = epoch_of(self.now) if epoch is None else epoch
        fund = FundRecord(
            act.request_digest, serial, number, amount, receipt, is_settlement, self.now, in_epoch, ACCOUNT, fee
        )
        return self.signed(fund, Label.FUND_RECORD, Purpose.FUND, serial, in_epoch)

    def act(self) -> Act:
        """A new request."""
        return Act(self.random.randbytes(32), self.random.randbytes(16), None)

    def state(self) -> dict[str, dict[tuple[str, bytes], bytes]]:
        """All that stands on the disks, to compare."""
        return {name: dict(disk) for name, disk in self.disks.items()}


def pieces_of(*amounts: int) -> bytes:
    """As function servers give them, for these amounts."""
    pieces = [Piece(amount, "20095", digest(b"%d" % amount)[:16], "10115", "letter") for amount in amounts]
    return cbor.encode(msgspec.to_builtins(pieces, builtin_types=(bytes,)))


def opened(signed: bytes) -> MeterRecord:
    """What a record says."""
    return read(MeterRecord, mac0.unchecked_payload(signed))


def altered(world: Meters, signed: bytes, **changes: Any) -> bytes:
    """A record with other content, signed rightly."""
    return world.record(replace(opened(signed), **changes))


def _pass(kind: Kind, name: str) -> Pass:
    return Pass(kind, name, bytes(32), bytes(32), None, 1, NOW * 2)
