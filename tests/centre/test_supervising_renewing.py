"""Passes that end soon are renewed before anything starts, and while it runs; nobody is admitted who was not."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from fob_office.centre.boxes.errors import TamperedError
from fob_office.centre.boxes.identity import ADMISSION, IDENTITY
from fob_office.centre.boxes.manufacturing import ManufacturingBox
from fob_office.centre.bus.answering import Table, row, serve
from fob_office.centre.bus.directory import FILE, read_entries, write_entries
from fob_office.centre.bus.errors import AwayError
from fob_office.centre.bus.passes import Kind, Pass, read_pass
from fob_office.centre.limits import PASS_TIME
from fob_office.centre.operating.restarting import changing_alone
from fob_office.centre.supervising.passes import PassWatch
from fob_office.centre.supervising.renewing import RENEW_TIME, ends_first, renew_passes
from support.centre_boxes import Boxes
from support.small_box import Sign, Signed


@pytest.fixture
def boxes(tmp_path: Path) -> Boxes:
    made = Boxes(tmp_path)
    made.make(Kind.METER, "meter-1")
    made.make(Kind.METER, "meter-2")
    return made


def ends(boxes: Boxes) -> dict[str, int]:
    entries = read_entries(boxes.folder / FILE)
    return {entry.name: read_pass(boxes.manufacturing_key, entry.shown).not_after for entry in entries}


async def is_answered(boxes: Boxes) -> bool:
    """Whether an operator is let in by a meter box, and lets it in."""
    box = boxes.open("meter-1")

    async def sign(_: Pass, __: Sign) -> Signed:
        return Signed(b"")

    async with await serve(boxes.address("meter-1"), box.me, {Sign: row([Kind.OPERATOR], sign)}):
        links = boxes.open("operator-1").links
        try:
            await links.to("meter-1").ask(Sign("A-1"))
        except AwayError:
            return False
        finally:
            links.close()
    return True


async def test_passes_are_renewed_in_time_and_only_then(boxes: Boxes) -> None:
    first = boxes.now + PASS_TIME
    assert set(ends(boxes).values()) == {first}
    boxes.now += PASS_TIME - RENEW_TIME - 1
    renew_passes(boxes.folder, boxes.surroundings)
    assert set(ends(boxes).values()) == {first}
    boxes.now += 1
    renew_passes(boxes.folder, boxes.surroundings)
    assert ends(boxes) == dict.fromkeys(("operator-1", "manufacturing", "meter-1", "meter-2"), boxes.now + PASS_TIME)
    assert ends_first(boxes.manufacturing_key, read_entries(boxes.folder / FILE)) == boxes.now + PASS_TIME
    boxes.now = first + 1
    assert await is_answered(boxes)


async def test_without_that_nobody_speaks_with_anybody_after_a_year(boxes: Boxes) -> None:
    boxes.now += PASS_TIME + 1
    assert not await is_answered(boxes)
    renew_passes(boxes.folder, boxes.surroundings)
    assert await is_answered(boxes)


def test_a_box_that_was_tampered_with_gets_none(boxes: Boxes) -> None:
    before = ends(boxes)
    (boxes.folder / "meter-2" / ADMISSION).write_bytes(b"changed")
    boxes.now += PASS_TIME
    renew_passes(boxes.folder, boxes.surroundings)
    after = ends(boxes)
    assert after["meter-2"] == before["meter-2"]
    assert after["meter-1"] > before["meter-1"]


def test_without_a_manufacturing_box_the_passes_stay_as_they_are(boxes: Boxes) -> None:
    before = ends(boxes)
    (boxes.folder / "manufacturing" / IDENTITY).write_bytes(b"changed")
    boxes.now += PASS_TIME
    for _ in range(2):
        renew_passes(boxes.folder, boxes.surroundings)
        assert ends(boxes) == before


class Running:
    """What runs for years: the manufacturing box, a meter box, and an operator whose link to it stays open."""

    def __init__(self, boxes: Boxes) -> None:
        self.boxes = boxes
        self.asked: list[str] = []
        self.links = boxes.open("operator-1").links
        self.watch = PassWatch(boxes.folder, boxes.open("operator-1").links, boxes.surroundings.clock)
        self.manufacturing = ManufacturingBox(boxes.open("manufacturing").folder, boxes.surroundings)

    async def answers(self) -> bool:
        """Whether the meter box is asked and answers."""
        try:
            await self.links.to("meter-1").ask(Sign("A-1"))
        except AwayError:
            return False
        return True

    async def sign(self, peer: Pass, _: Sign) -> Signed:
        self.asked.append(peer.name)
        return Signed(b"")


@pytest.fixture
async def running(boxes: Boxes) -> AsyncIterator[Running]:
    made = Running(boxes)
    table: Table = {Sign: row([Kind.OPERATOR], made.sign)}
    async with AsyncExitStack() as stack:
        for name, its in (("manufacturing", made.manufacturing.table), ("meter-1", table)):
            await stack.enter_async_context(await serve(boxes.address(name), boxes.open(name).me, its))
        stack.callback(made.links.close)
        stack.callback(made.watch._links.close)
        yield made


async def test_what_runs_for_years_renews_its_passes_and_misses_no_question(boxes: Boxes, running: Running) -> None:
    before = ends(boxes)
    await running.watch.look()
    assert ends(boxes) == before
    for number in range(6):
        boxes.now += PASS_TIME - RENEW_TIME
        await running.watch.look()
        # All of them, also of whom nobody runs here.
        assert set(ends(boxes).values()) == {boxes.now + PASS_TIME}
        assert await running.answers()
        assert len(running.asked) == number + 1


async def test_without_a_look_what_runs_ends_with_its_passes(boxes: Boxes, running: Running) -> None:
    assert await running.answers()
    boxes.now += PASS_TIME + 1
    assert not await running.answers()


async def test_a_pass_is_renewed_once_and_an_older_one_is_taken_no_more(boxes: Boxes, running: Running) -> None:
    old = read_entries(boxes.folder / FILE)
    boxes.now += PASS_TIME - RENEW_TIME
    await running.watch.look()
    new = read_entries(boxes.folder / FILE)
    assert await running.answers()
    await running.watch.look()
    assert read_entries(boxes.folder / FILE) == new
    # Staff put the older directory back: who is asked has seen the newer passes.
    write_entries(boxes.folder, old)
    assert not await running.answers()


async def test_nobody_is_renewed_while_an_operator_adds_or_removes(boxes: Boxes, running: Running) -> None:
    boxes.now += PASS_TIME - RENEW_TIME
    before = ends(boxes)
    with changing_alone(boxes.folder):
        await running.watch.look()
    assert ends(boxes) == before
    await running.watch.look()
    assert min(ends(boxes).values()) == boxes.now + PASS_TIME


async def test_what_is_refused_to_one_keeps_the_others_from_nothing(boxes: Boxes, running: Running) -> None:
    """A manufacturing box that was put back, and gave the name to other keys since."""
    boxes.now += PASS_TIME - RENEW_TIME
    public = running.manufacturing._admitted["meter-2"]
    running.manufacturing._admitted["meter-2"] = replace(public, static=bytes(32))
    before = ends(boxes)["meter-2"]
    with capture_logs() as said:
        for _ in range(2):
            await running.watch.look()
    after = ends(boxes)
    assert after.pop("meter-2") == before
    assert set(after.values()) == {boxes.now + PASS_TIME}
    assert [(one["name"], one["log_level"]) for one in said if "not renewed" in one["event"]] == [("meter-2", "error")]


async def test_a_manufacturing_box_that_is_away_is_told_once_and_asked_again(boxes: Boxes) -> None:
    running = Running(boxes)
    boxes.now += PASS_TIME - RENEW_TIME
    before = ends(boxes)
    with capture_logs() as said:
        for _ in range(2):
            await running.watch.look()
    assert ends(boxes) == before
    assert ["it does not run" in one["why"] for one in said] == [True]
    async with await serve(boxes.address("manufacturing"), boxes.open("manufacturing").me, running.manufacturing.table):
        await running.watch.look()
    assert min(ends(boxes).values()) == boxes.now + PASS_TIME
    running.watch._links.close()


async def test_what_was_tampered_with_is_not_renewed_while_all_runs(boxes: Boxes, running: Running) -> None:
    (boxes.folder / "meter-2" / ADMISSION).write_bytes(b"changed")
    with pytest.raises(TamperedError):
        boxes.open("meter-2")
    boxes.now += PASS_TIME - RENEW_TIME
    before = ends(boxes)["meter-2"]
    await running.watch.look()
    assert (ends(boxes)["meter-2"], ends(boxes)["meter-1"]) == (before, boxes.now + PASS_TIME)


def test_the_pass_of_a_process_on_another_machine_is_renewed_too(boxes: Boxes) -> None:
    (boxes.folder / "meter-2").rename(boxes.folder.parent / "elsewhere")
    boxes.now += PASS_TIME
    renew_passes(boxes.folder, boxes.surroundings)
    assert set(ends(boxes).values()) == {boxes.now + PASS_TIME}
