"""An order that a transaction box goes on from another log stands there for ever: given where due, once."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from fob_office.centre.bus.commands import Command
from fob_office.centre.bus.errors import AwayError
from fob_office.centre.bus.passes import Kind
from fob_office.centre.commands.database import FetchLogHead, FetchOrders, NoteOrder
from fob_office.centre.commands.function import Recover
from fob_office.centre.commands.steel import OrderLog
from fob_office.centre.commands.transaction import GoOn, HeldCheckpoint
from fob_office.centre.function.server import FunctionServer
from fob_office.centre.operating.recovering import recover_log
from fob_office.errors import OperatorError
from fob_protocol.cose import mac0, sign1
from fob_protocol.metering.log.checkpoint import Checkpoint
from fob_protocol.metering.log.tree import Frontier
from fob_protocol.metering.vouchers import LogOrder
from fob_protocol.office.message import read
from support.data_centre import DataCentre
from support.mailers import Mailer
from support.meter_log import Witness
from support.octets import flipped
from support.put_back import ANY, Asker, copied, put_back

# Begun before others: programs, or a whole data centre.
pytestmark = pytest.mark.slow

BOX = "transaction-1"


class Met(Asker):
    """Before the first command of this kind something else is done."""

    def __init__(
        self,
        centre: DataCentre,
        server: FunctionServer,
        command: type[Command[Any]],
        meanwhile: Callable[[], Awaitable[object]],
    ) -> None:
        super().__init__(centre, server)
        self._command = command
        self._meanwhile = meanwhile
        self._is_met = False

    async def any(self, kind: Kind, command: Command[Any]) -> Any:
        await self._meet(command)
        return await super().any(kind, command)

    async def one(self, name: str, command: Command[Any]) -> Any:
        await self._meet(command)
        return await super().one(name, command)

    async def _meet(self, command: Command[Any]) -> None:
        if isinstance(command, self._command) and not self._is_met:
            self._is_met = True
            await self._meanwhile()


async def _lived(centre: DataCentre, server: FunctionServer, *, is_signed: bool = True) -> Mailer:
    anna = Mailer(centre, server)
    await anna.sign_up()
    await anna.load(3_000)
    if is_signed:
        await centre.checkpoint()
    return anna


async def _lost(centre: DataCentre, server: FunctionServer, folder: Path) -> tuple[Mailer, Checkpoint]:
    """The database was put back, and the box signed more; the newest of that."""
    anna = await _lived(centre, server)
    await copied(centre, folder, "database-1")
    for _ in range(3):
        await anna.frank(85)
    newest = await centre.checkpoint()
    await put_back(centre, folder, "database-1")
    await server.recover(ANY, Recover(anna.serial))
    return anna, read(Checkpoint, sign1.unverified_payload(newest))


async def _size(centre: DataCentre) -> int:
    return int((await centre.ask("database-1", FetchLogHead())).size)


async def _held(centre: DataCentre) -> Checkpoint:
    signed = (await centre.ask(BOX, HeldCheckpoint())).checkpoint
    assert signed is not None
    return read(Checkpoint, sign1.unverified_payload(signed))


async def _orders(centre: DataCentre) -> list[LogOrder]:
    page = await centre.ask("database-1", FetchOrders(0))
    assert page.end == await _size(centre)
    found = [(number, read(LogOrder, mac0.unchecked_payload(signed))) for number, signed in page.orders]
    assert [number for number, _ in found] == [order.size for _, order in found]
    return [order for _, order in found]


async def _nothing_is_done(centre: DataCentre, asker: Asker, why: str) -> None:
    before = await _size(centre)
    with pytest.raises(OperatorError) as refused:
        await recover_log(asker, BOX)
    assert refused.value.lines.splitlines() == [
        f"error: {BOX} does not go on",
        f"why:   {why}",
        "try:   fob-office centre warnings    (they name the boxes that wait)",
    ]
    assert await _size(centre) == before


def _in_order(held: Checkpoint) -> str:
    return f"it signed {held.size} entries, and the log begins with just these: nothing is to be recovered"


@pytest.mark.clause("M4", "M6")
async def test_a_box_in_good_order_gets_no_order(centre: DataCentre) -> None:
    async with centre.function_server() as (server, _):
        asker = Asker(centre, server)
        anna = await _lived(centre, server, is_signed=False)
        await _nothing_is_done(centre, asker, "it has signed no log yet: nothing is to be recovered")
        await centre.checkpoint()
        await _nothing_is_done(centre, asker, _in_order(await _held(centre)))
        # Nor one that is behind.
        await anna.frank(85)
        assert (await _held(centre)).size < await _size(centre)
        await _nothing_is_done(centre, asker, _in_order(await _held(centre)))
        assert await _orders(centre) == []


@pytest.mark.clause("M4", "M6")
async def test_a_box_goes_on_by_one_order_and_is_in_good_order_then(centre: DataCentre, tmp_path: Path) -> None:
    async with centre.function_server() as (server, _):
        asker = Asker(centre, server)
        anna, newest = await _lost(centre, server, tmp_path / "safe")
        assert await recover_log(asker, BOX) == newest
        assert (await _held(centre)).size == await _size(centre)
        await _nothing_is_done(centre, asker, _in_order(await _held(centre)))
        await anna.frank(85)
        await centre.checkpoint()
        await _nothing_is_done(centre, asker, _in_order(await _held(centre)))
        assert [order.before for order in await _orders(centre)] == [newest.size]


@pytest.mark.clause("M4", "M6")
async def test_a_log_that_grew_past_what_the_box_signed_is_another_one_all_the_same(
    centre: DataCentre, tmp_path: Path
) -> None:
    async with centre.function_server() as (server, _):
        anna, newest = await _lost(centre, server, tmp_path / "safe")
        while await _size(centre) <= newest.size + 2:
            await anna.frank(85)
        assert await recover_log(Asker(centre, server), BOX) == newest
        assert (await _held(centre)).size == await _size(centre)


@pytest.mark.clause("M4", "M33")
@pytest.mark.parametrize("franks", [0, 3])
async def test_an_order_that_stands_there_is_carried_out_and_no_other_is_given(
    centre: DataCentre, tmp_path: Path, franks: int
) -> None:
    """Who gave it was cut off before the box heard of it."""

    async def dies() -> None:
        raise AwayError(BOX, "cut off", was_sent=False)

    async with centre.function_server() as (server, _):
        anna, newest = await _lost(centre, server, tmp_path / "safe")
        with pytest.raises(AwayError):
            await recover_log(Met(centre, server, GoOn, dies), BOX)
        (order,) = await _orders(centre)
        for _ in range(franks):
            await anna.frank(85)
        size = await _size(centre)
        assert await recover_log(Asker(centre, server), BOX) == newest
        assert ((await _held(centre)).size, await _size(centre)) == (order.size + 1, size)
        await anna.frank(85)
        signed = read(Checkpoint, sign1.unverified_payload(await centre.checkpoint()))
        assert signed.size > size
        assert await _orders(centre) == [order]


@pytest.mark.clause("M4", "M23")
async def test_a_note_that_no_steel_box_made_is_passed_over(centre: DataCentre, tmp_path: Path) -> None:
    """Staff write what looks like the order: it locks nobody out."""
    async with centre.function_server() as (server, _):
        anna, newest = await _lost(centre, server, tmp_path / "safe")
        operator = Asker(centre, server)
        for _ in range(2):
            head = await operator.any(Kind.DATABASE, FetchLogHead())
            root = Frontier(head.size, head.hashes).root
            asked = OrderLog(BOX, newest.size, newest.root, head.size, root)
            order = (await operator.any(Kind.STEEL, asked)).order
            await operator.any(Kind.DATABASE, NoteOrder(flipped(order), head.size))
        assert await recover_log(operator, BOX) == newest
        assert len(await _orders(centre)) == 3
        await anna.frank(85)
        assert read(Checkpoint, sign1.unverified_payload(await centre.checkpoint())).size > head.size


@pytest.mark.clause("M4", "M33")
@pytest.mark.parametrize("command", [FetchLogHead, FetchOrders, NoteOrder, GoOn])
async def test_of_two_operators_at_once_one_gives_the_order(
    centre: DataCentre, tmp_path: Path, command: type[Command[Any]]
) -> None:
    async with centre.function_server() as (server, _):
        _, newest = await _lost(centre, server, tmp_path / "safe")
        other = Asker(centre, server)
        meets = Met(centre, server, command, lambda: recover_log(other, BOX))
        assert await recover_log(meets, BOX) == newest
        assert [order.before for order in await _orders(centre)] == [newest.size]
        assert (await _held(centre)).size == await _size(centre)


@pytest.mark.clause("M4", "M33")
async def test_two_that_ask_side_by_side_leave_one_order(centre: DataCentre, tmp_path: Path) -> None:
    async with centre.function_server() as (server, _):
        _, newest = await _lost(centre, server, tmp_path / "safe")
        asked = (recover_log(Asker(centre, server), BOX) for _ in range(4))
        told = await asyncio.gather(*asked, return_exceptions=True)
        assert newest in told
        assert all(one == newest or isinstance(one, OperatorError) for one in told)
        assert len(await _orders(centre)) == 1


@pytest.mark.clause("M4", "M33")
async def test_a_log_that_grows_meanwhile_has_one_order_which_the_box_obeys(centre: DataCentre, tmp_path: Path) -> None:
    async with centre.function_server() as (server, _):
        anna, newest = await _lost(centre, server, tmp_path / "safe")
        meets = Met(centre, server, NoteOrder, lambda: anna.frank(85))
        assert await recover_log(meets, BOX) == newest
        (order,) = await _orders(centre)
        assert ((await _held(centre)).size, order.size) == (await _size(centre), await _size(centre) - 1)
        newest_of_all = await centre.checkpoint()
        assert Witness(tmp_path).asks(await centre.exported(), newest_of_all).outcomes == ["agrees"]
