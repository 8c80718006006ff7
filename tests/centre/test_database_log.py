"""The log in the database: whoever keeps a checkpoint of it finds what was changed; a server asks boxes for them."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fob_office.centre.boxes.kinds import FACTORIES
from fob_office.centre.bus.answering import Table
from fob_office.centre.bus.commands import Command, Reply
from fob_office.centre.bus.errors import AwayError, BusRefusedError
from fob_office.centre.bus.passes import Kind
from fob_office.centre.commands.database import (
    FetchLog,
    FetchLogHead,
    FetchLogState,
    FetchOrders,
    FetchWarnings,
    NoteOrder,
    OrdersPage,
    Warn,
)
from fob_office.centre.commands.transaction import CheckpointSigned, SignCheckpoint
from fob_office.centre.database.checkpoints import Checkpointer
from fob_office.centre.database.exporting import export_log
from fob_office.centre.database.limits import CHECKPOINT_ENTRIES, PAGE_ROWS
from fob_protocol.metering.log.checkpoint import Checkpoint, origin_of, read_checkpoint
from fob_protocol.metering.log.export import ExportHead
from fob_protocol.metering.log.hashes import EMPTY_ROOT, HASH_SIZE
from fob_protocol.metering.log.proofs import TreeHead, verify_consistency
from fob_protocol.metering.log.tree import Frontier
from fob_protocol.office.errors import OfficeError
from support.centre import NOW
from support.centre_boxes import Boxes
from support.centre_database import BOX, MeterBase, frank, meter_base, peer, sign_up
from support.log_entries import read_entry
from support.meter_log import Witness

OPERATOR = peer(Kind.OPERATOR)
ORIGIN = "centre"


@dataclass
class Box:
    """A transaction box as far as checkpoints go: it signs only what goes on from what it signed."""

    name: str = "transaction-1"
    key: Ed25519PrivateKey = field(default_factory=lambda: Ed25519PrivateKey.from_private_bytes(bytes(32)))
    newest: Checkpoint | None = None
    is_away: bool = False
    asked: list[int] = field(default_factory=list)

    async def ask(self, command: Command[Reply], timeout: float) -> Reply:  # noqa: ASYNC109 - a Link's
        assert isinstance(command, SignCheckpoint)
        self.asked.append(command.size)
        if self.is_away:
            raise AwayError(self.name, "it is off", was_sent=False)
        before = TreeHead(0, EMPTY_ROOT) if self.newest is None else self.newest.head
        if command.earlier != before.size:
            signed = None if self.newest is None else self.newest.signed(self.key)
            raise BusRefusedError("other-size", "", signed)
        verify_consistency(before, TreeHead(command.size, command.root), command.proof)
        self.newest = Checkpoint(ORIGIN, command.size, command.root, NOW)
        return CheckpointSigned(self.newest.signed(self.key))


class Doubtful(Box):
    """It finds that the log is another one."""

    async def ask(self, command: Command[Reply], timeout: float) -> Reply:  # noqa: ASYNC109 - a Link's
        self.asked.append(0)
        raise BusRefusedError("tampering", "another log")


@pytest.fixture
def base(meters_url: str) -> Iterator[MeterBase]:
    with meter_base(meters_url) as made:
        yield made


def checkpointer(base: MeterBase, *boxes: Box) -> Checkpointer:
    return Checkpointer(base.keeper, lambda: boxes, lambda: NOW)  # type: ignore[arg-type, return-value]  # a Link's ask


async def franked(base: MeterBase, first: int, last: int) -> None:
    """Two entries for each."""
    if first == 1:
        await base.store(sign_up("FM-1", "Anna"))
    for counter in range(max(first, 2), last + 1):
        await base.store(frank("FM-1", counter))


async def newest(base: MeterBase, box: Box, size: int = 0) -> tuple[Checkpoint, tuple[bytes, ...]]:
    """As a device is told it."""
    state = await base.server.fetch_log_state(OPERATOR, FetchLogState(size))
    assert state.checkpoint is not None
    public = box.key.public_key().public_bytes_raw()
    return read_checkpoint([public], ORIGIN, state.checkpoint), state.proof


async def replayed(base: MeterBase) -> Frontier:
    """Of an export, as whoever verifies it counts."""
    frontier = Frontier()
    while page := (await base.server.fetch_log(OPERATOR, FetchLog(frontier.size))).entries:
        for octets in page:
            frontier, _ = frontier.append(read_entry(octets).hash())
    return frontier


async def test_a_checkpoint_is_of_all_entries_and_goes_on_from_every_one_before(base: MeterBase) -> None:
    box = Box()
    heads: list[TreeHead] = []
    making = checkpointer(base, box)
    for last in (1, 2, 5, 6, 13):
        await franked(base, 1 if last == 1 else heads[-1].size // 2, last)
        assert await making.make()
        checkpoint, _ = await newest(base, box)
        assert checkpoint.head == TreeHead((await replayed(base)).size, (await replayed(base)).root)
        heads.append(checkpoint.head)
    assert [head.size for head in heads] == [3, 5, 11, 13, 27]
    for head in heads:
        checkpoint, proof = await newest(base, box, head.size)
        verify_consistency(head, checkpoint.head, proof)
    assert box.asked == [3, 5, 11, 13, 27]


async def test_without_anything_new_no_box_is_asked(base: MeterBase) -> None:
    box = Box()
    assert await checkpointer(base, box).make()
    await franked(base, 1, 2)
    for _ in range(2):
        assert await checkpointer(base, box).make()
    assert box.asked == [5]


async def test_the_log_as_it_stood_at_any_size_is_told(base: MeterBase) -> None:
    frontiers = [Frontier()]
    await franked(base, 1, 9)
    for octets in (await base.server.fetch_log(OPERATOR, FetchLog(0))).entries:
        frontiers.append(frontiers[-1].append(read_entry(octets).hash())[0])
    for size, frontier in enumerate(frontiers):
        head = await base.server.fetch_log_head(OPERATOR, FetchLogHead(size))
        assert Frontier(head.size, head.hashes) == frontier
    assert await base.server.fetch_log_head(OPERATOR, FetchLogHead()) == head
    with pytest.raises(BusRefusedError, match="no-such-size"):
        await base.server.fetch_log_head(OPERATOR, FetchLogHead(len(frontiers)))


@pytest.mark.parametrize("span", [1, 7, 1_000])
async def test_each_order_in_the_log_is_found_by_its_number(
    base: MeterBase, monkeypatch: pytest.MonkeyPatch, span: int
) -> None:
    """Among notes that are none, and more of them than one answer holds."""
    monkeypatch.setattr("fob_office.centre.database.log.NOTES_SPAN", span)
    due = []
    await franked(base, 1, 2)
    for number in range(100):
        size = (await base.server.fetch_log_head(OPERATOR, FetchLogHead())).size
        due.append((size, b"\xd1" + number.to_bytes(511)))
        await base.server.note_order(OPERATOR, NoteOrder(due[-1][1], size))
        await base.server.warn(OPERATOR, Warn("tampering", "", "", NOW))
    size = (await base.server.fetch_log_head(OPERATOR, FetchLogHead())).size
    found: list[tuple[int, bytes]] = []
    index = 0
    while index < size:
        page = await base.server.fetch_orders(OPERATOR, FetchOrders(index))
        assert index < page.end <= index + span
        found += page.orders
        index = page.end
    assert (found, index) == (due, size)
    assert await base.server.fetch_orders(OPERATOR, FetchOrders(size + 5)) == OrdersPage((), size + 5)


async def test_a_size_that_no_checkpoint_has_is_refused(base: MeterBase) -> None:
    assert (await base.server.fetch_log_state(OPERATOR, FetchLogState(0))).checkpoint is None
    with pytest.raises(BusRefusedError, match="no-such-size"):
        await base.server.fetch_log_state(OPERATOR, FetchLogState(1))


async def test_a_box_that_is_away_holds_up_nothing(base: MeterBase) -> None:
    away, other = Box(is_away=True), Box("transaction-2")
    await franked(base, 1, 2)
    assert not await checkpointer(base, away).make()
    assert await checkpointer(base, away, other).make()
    # Back again, it has signed less than the other one.
    away.is_away = False
    await franked(base, 3, 4)
    assert await checkpointer(base, away, other).make()
    assert (await newest(base, away))[0].size == 9


async def test_a_box_that_signed_less_than_another_is_shown_how_its_own_goes_on(base: MeterBase) -> None:
    first, second = Box(), Box("transaction-2")
    await franked(base, 1, 2)
    assert await checkpointer(base, first).make()
    await franked(base, 3, 4)
    assert await checkpointer(base, second).make()
    assert second.asked == [9, 9]
    await franked(base, 5, 6)
    assert await checkpointer(base, first).make()
    assert first.asked == [5, 13, 13]


@pytest.mark.clause("M23")
async def test_a_log_that_was_cut_gets_no_checkpoint_and_a_warning(base: MeterBase) -> None:
    box = Box()
    await franked(base, 1, 1)
    kept = base.run("SELECT size, hashes FROM log_heads")[0]
    await franked(base, 2, 4)
    assert await checkpointer(base, box).make()
    base.run("DELETE FROM entries WHERE number >= 3")
    base.run("DELETE FROM checkpoints")
    base.run("UPDATE log_heads SET size = :size, hashes = :hashes", size=kept[0], hashes=kept[1])
    making = checkpointer(base, box)
    for _ in range(2):
        assert not await making.make()
    ((_, word, _, why, _),) = (await base.server.fetch_warnings(OPERATOR, FetchWarnings(0))).warnings
    assert (word, "shorter than the 9" in why) == ("tampering", True)


async def test_another_server_may_have_a_newer_checkpoint(base: MeterBase) -> None:
    box = Box()
    await franked(base, 1, 2)

    class Slow(Box):
        async def ask(self, command: Command[Reply], timeout: float) -> Reply:  # noqa: ASYNC109 - a Link's
            await franked(base, 3, 4)
            assert await checkpointer(base, box).make()
            return await box.ask(command, timeout)

    assert await checkpointer(base, Slow()).make()
    assert (await newest(base, box))[0].size == 9
    assert (await base.server.fetch_warnings(OPERATOR, FetchWarnings(0))).warnings == ()


class Contested(Box):
    """Before each question another server has had it sign a bit more: `heads`, one after another."""

    heads: list[TreeHead]

    async def ask(self, command: Command[Reply], timeout: float) -> Reply:  # noqa: ASYNC109 - a Link's
        if self.heads:
            head = self.heads.pop(0)
            self.newest = Checkpoint(ORIGIN, head.size, head.root, NOW)
        return await super().ask(command, timeout)


@pytest.mark.parametrize(("sizes", "is_signed"), [((3, 5, 7), True), ((1, 3, 5, 7), False)])
async def test_servers_that_ask_the_same_box_at_once_warn_nobody(
    base: MeterBase, sizes: tuple[int, ...], *, is_signed: bool
) -> None:
    await franked(base, 1, 4)
    heads, frontier = {}, Frontier()
    for octets in (await base.server.fetch_log(OPERATOR, FetchLog(0))).entries:
        frontier, _ = frontier.append(read_entry(octets).hash())
        heads[frontier.size] = TreeHead(frontier.size, frontier.root)
    box = Contested()
    box.heads = [heads[size] for size in sizes]
    making = checkpointer(base, box)
    # Not now; in a while.
    assert await making.make() is is_signed
    assert await making.make()
    assert (await newest(base, box))[0].size == 9
    assert (await base.server.fetch_warnings(OPERATOR, FetchWarnings(0))).warnings == ()


async def test_a_box_that_finds_another_log_is_a_warning_once(base: MeterBase) -> None:
    doubtful, other = Doubtful(), Box("transaction-2")
    making = checkpointer(base, doubtful, other)
    await franked(base, 1, 2)
    assert await making.make()
    await franked(base, 3, 3)
    assert await making.make()
    ((_, word, _, why, _),) = (await base.server.fetch_warnings(OPERATOR, FetchWarnings(0))).warnings
    assert (word, why) == ("tampering", "transaction-1 signs no checkpoint: another log")


async def test_an_export_of_many_pages_is_the_whole_log(base: MeterBase) -> None:
    await franked(base, 1, PAGE_ROWS)
    assert (await replayed(base)).size == 2 * PAGE_ROWS + 1 > CHECKPOINT_ENTRIES


async def test_an_exported_log_agrees_with_its_checkpoint_until_it_is_edited(base: MeterBase, tmp_path: Path) -> None:
    box, witness = Box(), Witness(tmp_path)
    await franked(base, 1, 3)
    assert await checkpointer(base, box).make()
    kept = (await base.server.fetch_log_state(OPERATOR, FetchLogState(0))).checkpoint
    assert kept is not None
    assert witness.asks(await exported(base, box), kept).outcomes == ["agrees"]
    base.run("UPDATE entries SET kind = 9 WHERE number = 4")
    assert witness.asks(await exported(base, box), kept).outcomes != ["agrees"]


async def exported(base: MeterBase, box: Box) -> bytes:
    """By an operator; records of these tests are signed by the same key for all."""
    file = BytesIO()
    head = ExportHead(ORIGIN, [box.key.public_key().public_bytes_raw(), BOX.public_key().public_bytes_raw()])
    assert await export_log(partial(base.server.fetch_log, OPERATOR), head, file.write) == 7
    return file.getvalue()


@pytest.mark.clause("M23")
@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE entries SET content = (SELECT content FROM entries WHERE number = 1) WHERE number = 4",
        "UPDATE entries SET kind = 9 WHERE number = 4",
        "UPDATE entries SET content = '' WHERE number = 4",
        "UPDATE entries SET hashes = '' WHERE number = 3",
        "UPDATE entries SET hashes = (SELECT hashes FROM entries WHERE number = 1) WHERE number = 3",
        "DELETE FROM entries WHERE number = 3",
        "DELETE FROM entries WHERE number > 5",
        "DELETE FROM entries",
        "UPDATE entries SET number = 1000 WHERE number = 3",
    ],
)
async def test_every_edit_of_the_log_is_found_by_who_keeps_a_checkpoint(base: MeterBase, edit: str) -> None:
    box = Box()
    await franked(base, 1, 2)
    assert await checkpointer(base, box).make()
    earlier, _ = await newest(base, box)
    await franked(base, 3, 6)
    assert await checkpointer(base, box).make()
    later, _ = await newest(base, box)
    base.run(edit.replace("''", "x''") if "sqlite" in base.url else edit)

    async def is_as_it_was() -> bool:
        try:
            _, proof = await newest(base, box, earlier.size)
            verify_consistency(earlier.head, later.head, proof)
            frontier = await replayed(base)
        except (BusRefusedError, OfficeError):
            return False
        return TreeHead(frontier.size, frontier.root) == later.head

    assert not await is_as_it_was()
    # The server goes on.
    assert (await base.fetch("FM-1")).meter is not None


@pytest.mark.parametrize(
    "edit",
    [
        "DELETE FROM log_heads",
        "UPDATE log_heads SET size = -1",
        "UPDATE log_heads SET size = 3",
        "UPDATE log_heads SET hashes = x'00'",
        "UPDATE log_heads SET size = 1, hashes = (SELECT hashes FROM entries WHERE number = 0)",
    ],
)
async def test_without_the_logs_head_nothing_is_stored(base: MeterBase, edit: str) -> None:
    await franked(base, 1, 2)
    base.run(edit if "sqlite" in base.url else edit.replace("x'00'", "'\\x00'"))
    with pytest.raises(BusRefusedError, match="damaged"):
        await base.store(frank("FM-1", 3))
    assert (base.count("entries"), base.run("SELECT counter FROM meters")) == (5, [(2,)])


async def test_a_server_asks_by_itself_once_there_is_something(base: MeterBase) -> None:
    box = Box()
    making = checkpointer(base, box)
    await franked(base, 1, 2)
    # As many as make it not wait.
    making.grow(CHECKPOINT_ENTRIES)
    task = asyncio.create_task(making.run())
    while (await base.server.fetch_log_state(OPERATOR, FetchLogState(0))).checkpoint is None:
        pass
    task.cancel()
    assert box.asked == [5]


@dataclass
class RealBox:
    """A transaction box in its folder, without a bus between."""

    name: str
    table: Table

    async def ask(self, command: Command[Reply], timeout: float) -> Reply:  # noqa: ASYNC109 - a Link's
        return await self.table[type(command)].handler(peer(Kind.DATABASE), command)


@pytest.mark.clause("M23")
async def test_a_transaction_box_signs_no_log_but_the_one_that_goes_on(base: MeterBase, tmp_path: Path) -> None:
    boxes = Boxes(tmp_path)
    boxes.make(Kind.TRANSACTION, "transaction-1")
    opened = boxes.open("transaction-1")
    key = opened.links.directory.pass_of("transaction-1").signing
    assert key is not None
    async with FACTORIES[Kind.TRANSACTION](opened) as table:
        making = Checkpointer(base.keeper, lambda: [RealBox("transaction-1", table)], lambda: NOW)  # type: ignore[list-item]  # a Link's ask
        for last in (1, 4):
            await franked(base, last - 2, last) if last > 1 else await franked(base, 1, 1)
            assert await making.make()
        state = await base.server.fetch_log_state(OPERATOR, FetchLogState(3))
        assert state.checkpoint is not None
        checkpoint = read_checkpoint([key], origin_of(boxes.manufacturing_key), state.checkpoint)
        assert checkpoint.head == TreeHead(9, (await replayed(base)).root)
        # Staff put another hash where that of the first eight leaves was, and go on.
        base.run("UPDATE entries SET hashes = :hashes WHERE number = 7", hashes=bytes(4 * HASH_SIZE))
        base.run("DELETE FROM checkpoints")
        await franked(base, 5, 5)
        assert not await making.make()
    ((_, word, _, why, _),) = (await base.server.fetch_warnings(OPERATOR, FetchWarnings(0))).warnings
    assert (word, "another one" in why) == ("tampering", True)
