"""Pages of a slot, from its owner to a second (M34)."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from fob_office.centre.boxes.meter.standing import STANDINGS
from fob_office.centre.bus.commands import Command
from fob_office.centre.bus.passes import Kind
from fob_office.centre.commands.meter import Handed, HandOver, HeldView
from support.centre_meters import Meters

# Of all slots the one that is looked at.
SLOT = 7


@pytest.fixture
async def world() -> Meters:
    world = Meters(slots=frozenset({SLOT}))
    world.start("meter-1", "meter-2", "meter-3")
    await world.change_view("meter-1", "meter-2")
    return world


def row(number: int) -> tuple[str, bytes, bytes]:
    """A standing of some size; whoever takes it reads its view and counter."""
    return STANDINGS, bytes([SLOT]) + f"M-{number:05}".encode(), msgspec.msgpack.encode((1, 5, bytes(600)))


async def is_complete(world: Meters, box: str) -> bool:
    return SLOT in (await world.ask(box, HeldView(), Kind.OPERATOR)).complete


@pytest.mark.clause("M34")
@pytest.mark.parametrize("numbers", [(2, 1), (1, 1), (1, 3, 2)])
async def test_pages_that_do_not_go_up_complete_no_second(world: Meters, numbers: Sequence[int]) -> None:
    ask = type(world).ask
    asked: list[HandOver] = []

    async def wrong(world: Meters, name: str, command: Command[Any], *how: Any) -> Any:
        reply = await ask(world, name, command, *how)
        if not isinstance(command, HandOver) or len(asked) > 3:
            return reply
        asked.append(command)
        return Handed(tuple(row(number) for number in numbers))

    world.ask = wrong.__get__(world)  # type: ignore[method-assign]
    await world.change_view("meter-1", "meter-3", fetch=False)
    with capture_logs() as lines:
        assert not await world.running["meter-3"].box.fetching.fetch_all()
    assert [line["why"] for line in lines] == [
        "meter-1: malformed: rows of a slot did not come in the order of their keys, each once"
    ]
    assert len(asked) == 1
    assert not await is_complete(world, "meter-3")


@pytest.mark.clause("M34")
@pytest.mark.parametrize("count", [500, 2_000])
async def test_a_page_costs_the_second_its_own_rows(world: Meters, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever else it has of the slot: it answers nobody meanwhile."""
    known = {(table, key): octets for table, key, octets in map(row, range(count))}
    world.disks["meter-1"].update(known)
    world.disks["meter-3"].update(known)
    shelf, pages = world.running["meter-3"].shelf, 0
    read = 0
    after = shelf.after

    def counted(table: str, key: bytes, most: int) -> Any:
        nonlocal read
        found = after(table, key, most)
        read += len(found)
        return found

    def looked(_: str, command: Command[Any]) -> None:
        nonlocal pages
        pages += isinstance(command, HandOver)

    monkeypatch.setattr(shelf, "after", counted)
    world.before = looked
    await world.change_view("meter-1", "meter-3")
    assert await is_complete(world, "meter-3")
    assert pages > count // 70
    # Each once, and one more of each page, which shows that it is at its end.
    assert read <= count + pages
    assert {place: octets for place, octets in world.disks["meter-3"].items() if place[0] == STANDINGS} == known
