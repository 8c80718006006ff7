"""The manufacturing box: who is a process of the data centre, and which masters it is given."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from fob_office.centre.boxes.errors import TamperedError
from fob_office.centre.boxes.identity import Public, admit
from fob_office.centre.boxes.manufacturing import BOOK, manufacturing_box
from fob_office.centre.boxes.process import open_box
from fob_office.centre.boxes.separation import Purpose
from fob_office.centre.boxes.views import read_view, slot_of
from fob_office.centre.bus.answering import Server, serve
from fob_office.centre.bus.asking import Link
from fob_office.centre.bus.commands import name_of
from fob_office.centre.bus.errors import AwayError, BusRefusedError
from fob_office.centre.bus.passes import Kind, read_pass
from fob_office.centre.commands.manufacturing import Admit, Admitted, NextView, Viewed
from fob_office.centre.limits import PASS_TIME, SLOTS
from fob_office.errors import OperatorError
from fob_protocol.office.errors import OfficeError
from support.centre import Wire
from support.centre_boxes import NOW, Boxes
from support.octets import flipped

ALONE = (("meter-1", None),) * SLOTS
BOTH = (("meter-1", "meter-2"), ("meter-2", "meter-1")) * (SLOTS // 2)


@pytest.fixture
def boxes(tmp_path: Path) -> Boxes:
    return Boxes(tmp_path)


@pytest.fixture
async def top(boxes: Boxes) -> AsyncIterator[Server]:
    """The manufacturing box, which answers."""
    box = boxes.open("manufacturing")
    async with manufacturing_box(box) as table, await serve(boxes.address(box.name), box.me, table) as server:
        yield server


@pytest.fixture
async def link(boxes: Boxes, top: Server) -> AsyncIterator[Link]:
    """The operator's."""
    to = boxes.open("operator-1").links.to("manufacturing")
    yield to
    to.close()


@asynccontextmanager
async def restarted(boxes: Boxes) -> AsyncIterator[Link]:
    """The manufacturing box, started again, and the operator's link to it."""
    box = boxes.open("manufacturing")
    async with manufacturing_box(box) as table, await serve(boxes.address(box.name), box.me, table):
        link = boxes.open("operator-1").links.to("manufacturing")
        yield link
        link.close()


def asks(public: Public) -> Admit:
    return Admit(public.kind, public.name, public.static, public.sealing, public.signing)


async def test_an_operator_lets_a_box_be_admitted(boxes: Boxes, link: Link) -> None:
    folder, public = boxes.new(Kind.METER, "meter-1")
    given = await link.ask(asks(public))
    shown = admit(folder, boxes.manufacturing_key, given.shown, given.masters)
    assert (shown.kind, shown.name, shown.static, shown.sealing) == (
        Kind.METER,
        "meter-1",
        public.static,
        public.sealing,
    )
    assert (shown.number, shown.not_after) == (3, NOW + PASS_TIME)
    box = boxes.open("meter-1")
    assert len(box.vault.derive(Purpose.TOKEN, "A-1", 1)) == 32


async def test_whoever_is_admitted_again_gets_a_newer_pass_and_the_same_masters(boxes: Boxes, link: Link) -> None:
    folder, public = boxes.new(Kind.METER, "meter-1")
    keys = []
    for number in (3, 4):
        given = await link.ask(asks(public))
        assert admit(folder, boxes.manufacturing_key, given.shown, given.masters).number == number
        keys.append(boxes.open("meter-1").vault.derive(Purpose.RECORD, "A-1", 24312))
    assert keys[0] == keys[1]


@pytest.mark.parametrize("field", ["kind", "static", "sealing"])
async def test_a_name_is_for_one_process(boxes: Boxes, link: Link, field: str) -> None:
    _, public = boxes.new(Kind.METER, "meter-1")
    await link.ask(asks(public))
    other = Kind.STEEL if field == "kind" else boxes.surroundings.random(32)
    with pytest.raises(BusRefusedError, match="name-in-use"):
        await link.ask(asks(msgspec.structs.replace(public, **{field: other})))


async def test_there_is_one_manufacturing_box(boxes: Boxes, link: Link) -> None:
    _, public = boxes.new(Kind.MANUFACTURING, "second")
    with pytest.raises(BusRefusedError, match="only-one"):
        await link.ask(asks(public))


async def test_a_newer_pass_has_a_higher_number_than_any_that_is_shown(boxes: Boxes, link: Link) -> None:
    _, public = boxes.new(Kind.METER, "meter-1")
    first = await link.ask(asks(public))
    again = msgspec.structs.replace(asks(public), newest=first.shown)
    second = await link.ask(again)
    numbers = [read_pass(boxes.manufacturing_key, given.shown).number for given in (first, second)]
    assert (numbers[1] - numbers[0], second.forgotten) == (1, "")
    # By another key than this box's it is shown nothing.
    with pytest.raises(BusRefusedError, match="tampering"):
        await link.ask(msgspec.structs.replace(again, newest=first.shown[:-1] + bytes([first.shown[-1] ^ 1])))


async def test_signing_keys_are_for_those_that_sign(boxes: Boxes, link: Link) -> None:
    _, log = boxes.new(Kind.TRANSACTION, "transaction-1")
    given = await link.ask(asks(log))
    assert read_pass(boxes.manufacturing_key, given.shown).signing == log.signing is not None
    _, steel = boxes.new(Kind.STEEL, "steel-1")
    for public in (
        msgspec.structs.replace(log, name="transaction-2", signing=None),
        msgspec.structs.replace(steel, signing=log.signing),
    ):
        with pytest.raises(BusRefusedError, match="a signing key is for other kinds"):
            await link.ask(asks(public))


async def test_a_key_of_low_order_gets_no_masters(boxes: Boxes, link: Link) -> None:
    _, public = boxes.new(Kind.METER, "meter-1")
    with pytest.raises(BusRefusedError, match="that is no X25519 key"):
        await link.ask(asks(msgspec.structs.replace(public, sealing=bytes(32))))


async def test_only_operators_are_answered(boxes: Boxes, top: Server) -> None:
    for kind in Kind:
        if kind not in (Kind.OPERATOR, Kind.MANUFACTURING):
            boxes.make(kind, kind.word)
            asker = boxes.open(kind.word).links.to("manufacturing")
            with pytest.raises(AwayError):
                await asker.ask(NextView(0, ALONE))
            asker.close()


async def test_views_are_numbered_and_no_number_is_used_twice(boxes: Boxes) -> None:
    boxes.make(Kind.METER, "meter-1")
    boxes.make(Kind.METER, "meter-2")
    # Another process of the same folder: what was given out was kept before.
    for number, slots in enumerate((ALONE, BOTH, ALONE), 1):
        async with restarted(boxes) as asked:
            signed = (await asked.ask(NextView(number - 1, slots))).view
        view = read_view(boxes.manufacturing_key, signed)
        assert view.number == number
        assert tuple((slot.owner, slot.second) for slot in view.slots) == slots
        assert view.of("A-1") == view.slots[slot_of("A-1")]


async def test_a_view_whose_answer_was_lost_is_given_again_and_leaves_no_gap(boxes: Boxes) -> None:
    boxes.make(Kind.METER, "meter-1")
    boxes.make(Kind.METER, "meter-2")
    async with restarted(boxes) as link:
        lost = (await link.ask(NextView(0, ALONE))).view
    async with restarted(boxes) as link:
        assert (await link.ask(NextView(0, BOTH))).view == lost
        assert read_view(boxes.manufacturing_key, (await link.ask(NextView(1, BOTH))).view).number == 2
        with pytest.raises(BusRefusedError, match="older-view: this box has made 2 views, and not 3"):
            await link.ask(NextView(3, ALONE))


@pytest.mark.clause("M34")
async def test_a_box_that_was_put_back_goes_on_from_what_it_signed(boxes: Boxes, tmp_path: Path) -> None:
    boxes.make(Kind.METER, "meter-1")
    shutil.copytree(boxes.folder / "manufacturing", tmp_path / "older")
    boxes.make(Kind.METER, "meter-2")
    shown = tuple(boxes.open(name).me.shown() for name in ("meter-1", "meter-2"))
    async with restarted(boxes) as link:
        await link.ask(NextView(0, ALONE))
        newest = (await link.ask(NextView(1, BOTH))).view
    other = Boxes(tmp_path / "other", seed=12)
    foreign = other.make(Kind.METER, "meter-2")
    shutil.rmtree(boxes.folder / "manufacturing")
    shutil.copytree(tmp_path / "older", boxes.folder / "manufacturing")

    async with restarted(boxes) as link:
        for asked, word in (
            (NextView(2, BOTH), "older-view"),
            (NextView(2, BOTH, flipped(newest), shown), "tampering"),
            (NextView(2, BOTH, newest, (open_box(foreign, other.folder, other.surroundings).me.shown(),)), "tampering"),
        ):
            with pytest.raises(BusRefusedError) as caught:
                await link.ask(asked)
            assert caught.value.word == word
        # Nothing that was refused is taken up: with no number there are two views.
        answered = await link.ask(NextView(2, BOTH[::-1], newest, shown))
        assert read_view(boxes.manufacturing_key, answered.view).number == 3
        assert answered.forgotten == (
            "of the views that it made it knew 0 and not 2; of the passes that it gave out it knew 3 and not 4; "
            "it did not know meter-2"
        )
        assert (await link.ask(NextView(2, ALONE, newest, shown))) == Viewed(answered.view)
    async with restarted(boxes) as link:
        assert (await link.ask(NextView(2, ALONE))).view == answered.view
        _, public = boxes.new(Kind.STEEL, "steel-1")
        given = await link.ask(asks(public))
        assert read_pass(boxes.manufacturing_key, given.shown).number == 5


async def test_views_that_are_not_signed(boxes: Boxes) -> None:
    boxes.make(Kind.METER, "meter-1")
    boxes.make(Kind.STEEL, "steel-1")
    async with restarted(boxes) as link:
        for slots, word in (
            ((("meter-9", None), *ALONE[1:]), "no-meter-box"),
            ((("steel-1", None), *ALONE[1:]), "no-meter-box"),
            ((("meter-1", "meter-1"), *ALONE[1:]), "malformed"),
            (ALONE[1:], "malformed"),
            ((*ALONE, *ALONE), "malformed"),
        ):
            with pytest.raises(BusRefusedError) as caught:
                await link.ask(NextView(0, slots))
            assert caught.value.word == word
        assert read_view(boxes.manufacturing_key, (await link.ask(NextView(0, ALONE))).view).number == 1


async def test_a_view_of_another_data_centre_is_none(boxes: Boxes, tmp_path: Path) -> None:
    boxes.make(Kind.METER, "meter-1")
    async with restarted(boxes) as link:
        signed = (await link.ask(NextView(0, ALONE))).view
    other = Boxes(tmp_path / "other", seed=12)
    with pytest.raises(OfficeError, match="wrong-signature"):
        read_view(other.manufacturing_key, signed)
    with pytest.raises(OfficeError):
        read_view(boxes.manufacturing_key, flipped(signed))


@pytest.mark.clause("M12")
async def test_masters_enter_a_meter_box_sealed_and_nothing_gives_them_out(boxes: Boxes, top: Server) -> None:
    """The two keys of a meter box: on no wire, in no file but sealed, in no answer's type, in no repr."""
    folder, public = boxes.new(Kind.METER, "meter-1")
    masters = {m.purpose: m.secret for m in boxes.manufacturing._book.masters.masters}
    assert set(masters) == set(Purpose)
    async with Wire(boxes.folder, top.address) as wire:
        boxes.move("manufacturing", wire.address)
        link = boxes.open("operator-1").links.to("manufacturing")
        given = await link.ask(asks(public))
        link.close()
        admit(folder, boxes.manufacturing_key, given.shown, given.masters)
        seen = [*wire.to_server, *wire.to_client, given.shown, given.masters, repr(boxes.open("meter-1")).encode()]
    seen += [path.read_bytes() for path in boxes.folder.rglob("*") if path.is_file()]
    for octets in seen:
        assert not any(master in octets for master in masters.values())
    # What the box answers with has no place for them: one pass, what is sealed to one process, and words.
    assert {name_of(command) for command in top._table} == {"Admit", "NextView"}
    assert (Admitted.__struct_fields__, Viewed.__struct_fields__) == (
        ("shown", "masters", "forgotten"),
        ("view", "forgotten"),
    )


async def test_what_was_sealed_to_one_box_opens_in_no_other(boxes: Boxes, link: Link) -> None:
    folder, public = boxes.new(Kind.METER, "meter-1")
    _, another = boxes.new(Kind.METER, "meter-2")
    mine, others = await link.ask(asks(public)), await link.ask(asks(another))
    for shown, masters in ((mine.shown, others.masters), (others.shown, mine.masters), (others.shown, others.masters)):
        with pytest.raises(OperatorError, match="meter-1 is not admitted"):
            admit(folder, boxes.manufacturing_key, shown, masters)
    with pytest.raises(OperatorError, match="meter-1 is not admitted"):
        admit(folder, boxes.surroundings.random(32), mine.shown, mine.masters)
    with pytest.raises(OperatorError, match="it has no admission yet"):
        boxes.open("meter-2")


async def test_a_manufacturing_box_whose_book_was_changed_is_none_any_more(boxes: Boxes) -> None:
    path = boxes.folder / "manufacturing" / BOOK
    path.write_bytes(path.read_bytes()[:-1])
    box = boxes.open("manufacturing")
    with pytest.raises(TamperedError):
        async with manufacturing_box(box):
            pass
