"""Passes are renewed while a data centre runs for years; what is in the way of one is in the way of no other."""

import asyncio
import errno
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from fob_office.centre.boxes.errors import TamperedError
from fob_office.centre.boxes.folder import open_folder
from fob_office.centre.boxes.identity import ADMISSION, Public
from fob_office.centre.boxes.manufacturing import BOOK, ManufacturingBox
from fob_office.centre.boxes.process import open_box
from fob_office.centre.bus.answering import Table, row, serve
from fob_office.centre.bus.directory import FILE, read_entries, write_entries
from fob_office.centre.bus.errors import AwayError
from fob_office.centre.bus.passes import Kind, Pass, read_pass
from fob_office.centre.commands.manufacturing import Admit, Admitted
from fob_office.centre.limits import PASS_TIME
from fob_office.centre.operating.restarting import changing_alone
from fob_office.centre.places import CentreSettings
from fob_office.centre.supervising.passes import PassWatch
from fob_office.centre.supervising.renewing import RENEW_TIME
from fob_office.centre.supervising.supervisor import Supervisor
from fob_office.settings import LogSettings
from fob_office.surroundings import Surroundings
from support.centre_boxes import Boxes
from support.small_box import Sign, Signed

NAMES = ("operator-1", "manufacturing", "meter-1", "meter-2")
# Seconds after which passes are due.
TIME = PASS_TIME - RENEW_TIME


class Running:
    """What runs for years: the manufacturing box, two meter boxes, and an operator whose links to them stay open."""

    def __init__(self, boxes: Boxes) -> None:
        self.boxes = boxes
        self.asked: list[str] = []
        self.forgotten: list[str] = []
        self.links = boxes.open("operator-1").links
        self.watch = PassWatch(boxes.folder, boxes.open("operator-1").links, lambda: boxes.now, self.forgotten.append)
        self._running: dict[str, AsyncExitStack] = {}

    async def start(self, name: str, machine: Path | None = None, behind: int = 0) -> None:
        """A process, on this machine or on another one, where the clock is `behind`."""
        centre = machine or self.boxes.folder
        surroundings = Surroundings(lambda: self.boxes.now - behind, self.boxes.surroundings.random)
        folder = open_folder(centre / name, name, surroundings.random)
        box = open_box(folder, centre, surroundings)
        table: Table = {Sign: row([Kind.OPERATOR], self.sign)}
        if name == "manufacturing":
            table = ManufacturingBox(folder, surroundings).table
        self._running[name] = stack = AsyncExitStack()
        stack.callback(box.links.close)
        await stack.enter_async_context(await serve(self.boxes.address(name), box.me, table))

    async def move(self, name: str, machine: Path) -> None:
        """To another machine, with a copy of the directory."""
        await self.stop(name)
        (self.boxes.folder / name).rename(machine / name)
        self.copy_directory(machine)
        await self.start(name, machine)

    def copy_directory(self, machine: Path) -> None:
        (machine / FILE).write_bytes((self.boxes.folder / FILE).read_bytes())

    async def stop(self, name: str) -> None:
        await self._running.pop(name).aclose()

    async def close(self) -> None:
        for name in tuple(self._running):
            await self.stop(name)
        for links in (self.links, self.watch._links):
            links.close()

    async def answers(self, name: str = "meter-1") -> bool:
        """Whether this box is asked and answers."""
        try:
            await self.links.to(name).ask(Sign("A-1"))
        except AwayError:
            return False
        return True

    async def sign(self, peer: Pass, _: Sign) -> Signed:
        self.asked.append(peer.name)
        return Signed(b"")

    def ends(self) -> dict[str, int]:
        """In seconds from now."""
        return {name: shown.not_after - self.boxes.now for name, shown in self.passes().items()}

    def passes(self) -> dict[str, Pass]:
        entries = read_entries(self.boxes.folder / FILE)
        return {entry.name: read_pass(self.boxes.manufacturing_key, entry.shown) for entry in entries}

    async def put_back(self, book: bytes) -> None:
        """As if the folder of the manufacturing box were an older one."""
        await self.stop("manufacturing")
        self.boxes.open("manufacturing").folder.write(BOOK, book)
        await self.start("manufacturing")


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    boxes = Boxes(tmp_path / "c")
    for name in ("meter-1", "meter-2"):
        boxes.make(Kind.METER, name)
    made = Running(boxes)
    for name in ("manufacturing", "meter-1", "meter-2"):
        await made.start(name)
    yield made
    await made.close()


async def test_what_runs_for_years_renews_its_passes_and_misses_no_question(running: Running) -> None:
    before = running.passes()
    await running.watch.look()
    assert running.passes() == before
    running.boxes.now += TIME - 1
    await running.watch.look()
    assert running.passes() == before
    running.boxes.now += 1
    for number in range(6):
        await running.watch.look()
        assert running.ends() == dict.fromkeys(NAMES, PASS_TIME)
        assert await running.answers()
        assert len(running.asked) == number + 1
        running.boxes.now += TIME
    assert running.watch.due == ()


async def test_without_a_look_what_runs_ends_with_its_passes(running: Running) -> None:
    assert await running.answers()
    running.boxes.now += PASS_TIME + 1
    assert not await running.answers()
    # Then the manufacturing box lets nobody in either, and none is given to what is over.
    await running.watch.look()
    assert not await running.answers()
    assert set(running.ends().values()) == {-1}


async def test_a_pass_is_renewed_once(running: Running) -> None:
    running.boxes.now += TIME
    await running.watch.look()
    once = running.passes()
    await running.watch.look()
    assert running.passes() == once


async def test_a_directory_that_was_put_back_is_made_newer_again(running: Running) -> None:
    """Whoever saw the newer passes, as devices do, takes no older ones."""
    old = read_entries(running.boxes.folder / FILE)
    running.boxes.now += TIME
    await running.watch.look()
    await running.watch.look()
    assert await running.answers()
    newer = running.passes()
    write_entries(running.boxes.folder, old)
    # By their time they are good for long.
    running.boxes.now -= TIME
    # Who runs has seen its newer pass.
    assert await running.answers()
    await running.watch.look()
    assert await running.answers()
    another = Running(running.boxes)
    assert await another.answers()
    await another.close()
    assert all(shown.number > newer[name].number for name, shown in running.passes().items())


async def test_a_manufacturing_box_that_was_put_back_is_shown_what_it_gave(running: Running) -> None:
    folder = running.boxes.open("manufacturing").folder
    book = folder.read(BOOK)
    running.boxes.now += TIME
    await running.watch.look()
    newer = running.passes()
    await running.put_back(book)
    running.boxes.now += TIME
    await running.watch.look()
    assert running.ends() == dict.fromkeys(NAMES, PASS_TIME)
    assert all(shown.number > newer[name].number for name, shown in running.passes().items())
    assert list(filter(None, running.forgotten)) == ["of the passes that it gave out it knew 4 and not 8"]


async def test_an_older_number_is_never_taken(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a box that does not heed what it is shown."""
    running.boxes.now += TIME
    before = running.passes()
    admit = ManufacturingBox.admit

    def forgets(self: ManufacturingBox, public: Public) -> Admitted:
        self._book = replace(self._book, passes=0)
        return admit(self, public)

    with monkeypatch.context() as patched, capture_logs() as said:
        patched.setattr(ManufacturingBox, "admit", forgets)
        await running.watch.look()
    assert running.passes() == before
    assert {one["name"]: one["why"] for one in said if one["event"] == "a pass is not renewed"} == {
        name: f"the manufacturing box gave it pass 1 after {before[name].number}: it was put back" for name in NAMES
    }
    assert await running.answers()


async def test_nobody_is_renewed_while_an_operator_adds_or_removes(running: Running) -> None:
    running.boxes.now += TIME
    before = running.passes()
    with changing_alone(running.boxes.folder), capture_logs() as said:
        await running.watch.look()
    assert running.passes() == before
    assert [one["log_level"] for one in said if one["event"] == "passes are renewed later"] == ["info"]
    await running.watch.look()
    assert running.ends() == dict.fromkeys(NAMES, PASS_TIME)


async def test_what_is_refused_to_one_keeps_the_others_from_nothing(running: Running) -> None:
    """As if it had given the name to other keys."""
    folder = running.boxes.open("manufacturing").folder
    box = ManufacturingBox(folder, running.boxes.surroundings)
    others = [replace(one, static=bytes(32)) if one.name == "meter-2" else one for one in box._book.admitted]
    right = folder.read(BOOK)
    await running.put_back(replace(box._book, admitted=tuple(others)).octets())
    running.boxes.now += TIME
    with capture_logs() as said:
        for _ in range(2):
            await running.watch.look()
    ends = running.ends()
    assert (ends.pop("meter-2"), set(ends.values())) == (RENEW_TIME, {PASS_TIME})
    refused = [(one["name"], one["log_level"]) for one in said if one["event"] == "a pass is not renewed"]
    assert refused == [("meter-2", "error")]
    await running.put_back(right)
    await running.watch.look()
    assert running.ends()["meter-2"] == PASS_TIME
    # And it is said again when it comes again.
    wrong = replace(box._book, passes=running.passes()["meter-2"].number, admitted=tuple(others))
    await running.put_back(wrong.octets())
    running.boxes.now += TIME
    with capture_logs() as said:
        await running.watch.look()
    assert [one["name"] for one in said if one["event"] == "a pass is not renewed"] == ["meter-2"]


async def test_a_manufacturing_box_that_is_away_is_told_once_and_asked_again(running: Running) -> None:
    await running.stop("manufacturing")
    running.boxes.now += TIME
    before = running.passes()
    for _ in range(2):
        with capture_logs() as said:
            for _ in range(2):
                await running.watch.look()
        assert running.passes() == before
        errors = [one["why"] for one in said if one["event"] == "a pass is not renewed"]
        assert [why.partition(" (")[0] for why in errors] == ["manufacturing: it does not run"]
        # Said again after all was well.
        await running.start("manufacturing")
        await running.watch.look()
        assert running.ends() == dict.fromkeys(NAMES, PASS_TIME)
        await running.stop("manufacturing")
        running.boxes.now += TIME
        before = running.passes()


async def test_what_was_given_is_kept_where_the_box_goes_away_in_the_midst(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    admit = ManufacturingBox._admit
    asked: list[str] = []

    async def dies(self: ManufacturingBox, peer: Pass, command: Admit) -> object:
        asked.append(command.name)
        if len(asked) == 3:
            running.watch._links.to("manufacturing").close()
        return await admit(self, peer, command)

    monkeypatch.setattr(ManufacturingBox, "_admit", dies)
    await running.stop("manufacturing")
    await running.start("manufacturing")
    running.boxes.now += TIME
    await running.watch.look()
    renewed = [name for name, left in running.ends().items() if left == PASS_TIME]
    assert renewed == asked[:2]
    await running.watch.look()
    assert running.ends() == dict.fromkeys(NAMES, PASS_TIME)
    # Whoever had one is given no second.
    assert asked == ["manufacturing", "operator-1", "meter-1", "meter-1", "meter-2"]


async def test_a_full_disk_is_told_and_no_success(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    running.boxes.now += TIME
    before = running.passes()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched, capture_logs() as said:
        patched.setattr("fob_office.centre.supervising.passes.write_entries", full)
        await running.watch.look()
    assert running.passes() == before
    assert [one["event"] for one in said if one["log_level"] == "error"] == ["a pass is not renewed"]
    assert "passes were renewed" not in [one["event"] for one in said]
    await running.watch.look()
    assert running.ends() == dict.fromkeys(NAMES, PASS_TIME)


@pytest.mark.parametrize("octets", [b"", b"[", b'[{"name":"\xff"}]', None])
async def test_a_directory_that_is_damaged_ends_nothing(running: Running, octets: bytes | None) -> None:
    path = running.boxes.folder / FILE
    whole = path.read_bytes()
    running.boxes.now += TIME
    path.unlink() if octets is None else path.write_bytes(octets)
    with capture_logs() as said:
        await running.watch.look()
    assert [one["event"] for one in said if one["log_level"] == "error"] == ["a pass is not renewed"]
    path.write_bytes(whole)
    await running.watch.look()
    assert running.ends() == dict.fromkeys(NAMES, PASS_TIME)


async def test_a_line_that_somebody_put_into_the_directory_lets_nobody_in_whose_pass_is_over(running: Running) -> None:
    *others, removed = read_entries(running.boxes.folder / FILE)
    write_entries(running.boxes.folder, others)
    for _ in range(3):
        running.boxes.now += TIME
        await running.watch.look()
    write_entries(running.boxes.folder, [*read_entries(running.boxes.folder / FILE), removed])
    await running.watch.look()
    ends = running.ends()
    assert ends.pop("meter-2") < 0
    assert set(ends.values()) == {PASS_TIME}
    assert not await running.answers("meter-2")


async def test_what_was_tampered_with_is_not_renewed(running: Running) -> None:
    (running.boxes.folder / "meter-2" / ADMISSION).write_bytes(b"changed")
    with pytest.raises(TamperedError):
        running.boxes.open("meter-2")
    running.boxes.now += TIME
    await running.watch.look()
    ends = running.ends()
    assert (ends.pop("meter-2"), set(ends.values())) == (RENEW_TIME, {PASS_TIME})


async def test_who_has_an_older_directory_on_another_machine_is_named(running: Running, tmp_path: Path) -> None:
    await running.move("meter-2", machine := tmp_path)
    first = (machine / FILE).read_bytes()
    running.boxes.now += TIME
    for _ in range(2):
        await running.watch.look()
    has_older = "the pass that meter-2 shows ends in 200 days, and the directory has a newer one: copy the directory"
    assert list(running.watch.due) == [f"{has_older} to its machine"]
    running.copy_directory(machine)
    await running.watch.look()
    assert list(running.watch.due) == []
    running.boxes.now += RENEW_TIME + 1
    assert await running.answers("meter-2")
    # An older copy, and a start with it: all have seen the newer pass.
    (machine / FILE).write_bytes(first)
    await running.stop("meter-2")
    await running.start("meter-2", machine)
    await running.watch.look()
    is_refused = "meter-2 is not let in (the pass of meter-2 has expired): copy the directory to its machine"
    assert list(running.watch.due) == [is_refused]
    # Whoever watches from now on says so too.
    another = Running(running.boxes)
    await another.watch.look()
    assert list(another.watch.due) == [is_refused]
    running.copy_directory(machine)
    for watch in (running.watch, another.watch):
        await watch.look()
        assert list(watch.due) == []
    await another.close()


async def test_a_process_that_is_away_needs_nobody_to_copy_anything(running: Running) -> None:
    await running.watch.look()
    await running.stop("meter-2")
    running.boxes.now += TIME
    for _ in range(3):
        await running.watch.look()
    assert running.ends() == dict.fromkeys(NAMES, PASS_TIME)
    assert list(running.watch.due) == []
    await running.start("meter-2")
    assert await running.answers("meter-2")


@pytest.mark.parametrize("days", [170, 400])
async def test_a_manufacturing_box_whose_clock_is_behind_renews_nothing(running: Running, days: int) -> None:
    await running.stop("manufacturing")
    await running.start("manufacturing", behind=days * 24 * 3600)
    running.boxes.now += TIME
    before = running.passes()
    with capture_logs() as said:
        for _ in range(2):
            await running.watch.look()
    assert running.passes() == before
    whys = [one["why"] for one in said if one["event"] == "a pass is not renewed"]
    assert set(whys) == {"the manufacturing box gave it one that ends soon: its clock is behind, or this one ahead"}
    assert len(whys) == len(NAMES)
    assert await running.answers()
    await running.stop("manufacturing")
    await running.start("manufacturing")
    await running.watch.look()
    assert running.ends() == dict.fromkeys(NAMES, PASS_TIME)


async def test_a_directory_of_years_before_is_made_newer_again(running: Running) -> None:
    """Its lines are over, and what runs is not."""
    old = read_entries(running.boxes.folder / FILE)
    for _ in range(3):
        running.boxes.now += TIME
        await running.watch.look()
    await running.watch.look()
    newer = running.passes()
    write_entries(running.boxes.folder, old)
    await running.watch.look()
    assert running.ends() == dict.fromkeys(NAMES, PASS_TIME)
    assert all(shown.number > newer[name].number for name, shown in running.passes().items())


@pytest.mark.parametrize("host", ["box..example", ".example", "x" * 64])
async def test_an_address_that_is_none_ends_nothing(running: Running, host: str) -> None:
    running.boxes.move("meter-2", f"tcp:{host}:7300")
    running.boxes.now += TIME
    await running.watch.look()
    assert running.ends() == dict.fromkeys(NAMES, PASS_TIME)
    with pytest.raises(AwayError, match="meter-2"):
        await running.links.to("meter-2").ask(Sign("A-1"))


async def test_operators_do_not_wait_while_the_manufacturing_box_is_away(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fob_office.centre.supervising.passes.changing_alone", lambda _: pytest.fail("it is locked"))
    await running.stop("manufacturing")
    running.boxes.now += TIME
    await running.watch.look()


async def test_a_supervisor_looks_at_passes(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    running.boxes.now += TIME
    monkeypatch.setattr("fob_office.centre.supervising.passes.PASSES_PAUSE", 0)
    # It starts nothing of its own here.
    monkeypatch.setattr(Supervisor, "_follow_directory", lambda _: None)
    settings = CentreSettings(database=None, value_kinds={}, deposit=0, fee=0, module=None)
    supervisor = Supervisor(running.boxes.folder, settings, running.boxes.surroundings, LogSettings(), "")
    task = asyncio.create_task(supervisor.run(lambda: None))
    async with asyncio.timeout(10):
        while set(running.ends().values()) != {PASS_TIME}:  # noqa: ASYNC110 - a file
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
