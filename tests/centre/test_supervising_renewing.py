"""Passes that end soon are renewed before anything starts; nobody is admitted with it who was not."""

from pathlib import Path

import pytest

from fob_office.centre.boxes.identity import ADMISSION, IDENTITY, Public
from fob_office.centre.boxes.manufacturing import ManufacturingBox
from fob_office.centre.bus.answering import row, serve
from fob_office.centre.bus.directory import FILE, read_entries, write_entries
from fob_office.centre.bus.errors import AwayError, BusRefusedError
from fob_office.centre.bus.passes import Kind, Pass, read_pass
from fob_office.centre.commands.manufacturing import Admitted
from fob_office.centre.limits import PASS_TIME
from fob_office.centre.supervising.renewing import RENEW_TIME, ends_first, renew_passes
from support.centre_boxes import Boxes
from support.small_box import Sign, Signed


@pytest.fixture
def boxes(tmp_path: Path) -> Boxes:
    made = Boxes(tmp_path)
    made.make(Kind.METER, "meter-1")
    made.make(Kind.METER, "meter-2")
    return made


def passes(boxes: Boxes) -> dict[str, Pass]:
    entries = read_entries(boxes.folder / FILE)
    return {entry.name: read_pass(boxes.manufacturing_key, entry.shown) for entry in entries}


def ends(boxes: Boxes) -> dict[str, int]:
    return {name: shown.not_after for name, shown in passes(boxes).items()}


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
    assert ends_first(boxes.folder, boxes.manufacturing_key) == boxes.now + PASS_TIME
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


def test_the_pass_of_a_process_on_another_machine_is_renewed_before_its_end(boxes: Boxes) -> None:
    (boxes.folder / "meter-2").rename(boxes.folder / "moved")
    end = ends(boxes)["meter-2"]
    boxes.now = end
    renew_passes(boxes.folder, boxes.surroundings)
    assert set(ends(boxes).values()) == {boxes.now + PASS_TIME}
    # One that is over is not: whoever has its keys is let in by nothing that stands in a file.
    boxes.now += PASS_TIME + 1
    renew_passes(boxes.folder, boxes.surroundings)
    after = ends(boxes)
    assert (after.pop("meter-2"), set(after.values())) == (end + PASS_TIME, {boxes.now + PASS_TIME})


def test_one_that_is_refused_keeps_nothing_from_starting(boxes: Boxes, monkeypatch: pytest.MonkeyPatch) -> None:
    (boxes.folder / "meter-2").rename(boxes.folder / "moved")
    admit = ManufacturingBox.admit

    def refuses(self: ManufacturingBox, public: Public) -> Admitted:
        if public.name == "meter-2":
            raise BusRefusedError("name-in-use", "it has other keys")
        return admit(self, public)

    monkeypatch.setattr(ManufacturingBox, "admit", refuses)
    before = ends(boxes)["meter-2"]
    boxes.now += PASS_TIME
    renew_passes(boxes.folder, boxes.surroundings)
    after = ends(boxes)
    assert (after.pop("meter-2"), set(after.values())) == (before, {boxes.now + PASS_TIME})


def test_when_passes_end_is_told_of_those_that_are_shown(boxes: Boxes) -> None:
    boxes.now += PASS_TIME - RENEW_TIME
    (boxes.folder / "meter-2" / ADMISSION).write_bytes(b"changed")
    renew_passes(boxes.folder, boxes.surroundings)
    assert ends_first(boxes.folder, boxes.manufacturing_key) == boxes.now + PASS_TIME
    write_entries(boxes.folder, [])
    assert ends_first(boxes.folder, boxes.manufacturing_key) is None


def test_a_directory_that_was_put_back_is_made_newer_than_any_that_there_was(boxes: Boxes) -> None:
    """Devices and other machines have seen the passes that it forgot."""
    old = read_entries(boxes.folder / FILE)
    boxes.now += PASS_TIME - RENEW_TIME
    renew_passes(boxes.folder, boxes.surroundings)
    newer = passes(boxes)
    renew_passes(boxes.folder, boxes.surroundings)
    assert passes(boxes) == newer
    write_entries(boxes.folder, old)
    boxes.now -= PASS_TIME - RENEW_TIME
    renew_passes(boxes.folder, boxes.surroundings)
    assert all(shown.number > newer[name].number for name, shown in passes(boxes).items())
