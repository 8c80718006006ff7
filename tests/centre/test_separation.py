"""Each box does its own job and has not the key for any other (docs/meter-protocol.md, section 2)."""

from pathlib import Path

import pytest

from fob_office.centre.boxes.errors import NotHeldError
from fob_office.centre.boxes.identity import MASTERS, Masters
from fob_office.centre.boxes.separation import HELD, NAMES, Purpose, held_by
from fob_office.centre.bus.passes import Kind
from fob_office.errors import OperatorError
from fob_protocol.office.message import read
from support.centre_boxes import Boxes

SPECIFICATION = Path(__file__).parents[2] / "docs" / "meter-protocol.md"
HEAD = "| master | steel | meter | authentication | transaction | derives |"


def specified() -> dict[Purpose, tuple[set[str], str]]:
    """By master: the boxes that have anything to do with it, and the name that is derived with."""
    columns = [cell.strip() for cell in HEAD.split("|")[2:-2]]
    rows: dict[Purpose, tuple[set[str], str]] = {}
    for line in SPECIFICATION.read_text(encoding="utf-8").partition(HEAD)[2].splitlines()[2:]:
        name, *tasks, derives = (cell.strip() for cell in line.split("|")[1:-1])
        if name == "log":
            return rows
        kinds = {kind for kind, task in zip(columns, tasks, strict=True) if task}
        rows[Purpose(name)] = kinds, derives.split('"')[1]
    raise AssertionError("the table ends with the log's key")


def test_the_table_is_that_of_the_specification() -> None:
    held = {purpose: {kind.word for kind in Kind if purpose in held_by(kind)} for purpose in Purpose}
    assert {purpose: (held[purpose], NAMES[purpose]) for purpose in Purpose} == specified()
    assert set(HELD) == {Kind.STEEL, Kind.METER, Kind.AUTHENTICATION, Kind.TRANSACTION}


def test_every_derivation_has_a_name_of_its_own() -> None:
    assert len(set(NAMES.values())) == len(Purpose)


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind != Kind.MANUFACTURING])
def test_a_box_has_the_keys_of_its_kind_and_no_others(tmp_path: Path, kind: Kind) -> None:
    boxes = Boxes(tmp_path)
    boxes.make(kind, "box-1")
    vault = boxes.open("box-1").vault
    for purpose in Purpose:
        if purpose in held_by(kind):
            assert len(vault.derive(purpose, "A-1")) == 32
        else:
            with pytest.raises(NotHeldError, match=f"no {purpose} master"):
                vault.derive(purpose, "A-1")


def test_boxes_that_share_a_master_derive_the_same_keys(tmp_path: Path) -> None:
    boxes = Boxes(tmp_path)
    for kind in HELD:
        boxes.make(kind, kind.word)
        boxes.make(kind, f"{kind.word}-2")
    keys = {}
    for purpose in Purpose:
        names = [name for kind in HELD if purpose in held_by(kind) for name in (kind.word, f"{kind.word}-2")]
        (keys[purpose],) = {boxes.open(name).vault.derive(purpose, "A-1") for name in names}
    assert len(set(keys.values())) == len(Purpose)


def test_a_box_of_an_earlier_data_centre_says_what_it_lacks(tmp_path: Path) -> None:
    boxes = Boxes(tmp_path)
    folder = boxes.make(Kind.METER, "meter-1")
    held = read(Masters, folder.read(MASTERS)).masters
    folder.write(MASTERS, Masters(tuple(master for master in held if master.purpose != Purpose.CHANGE)).octets())
    with pytest.raises(OperatorError, match="has no change master: its data centre was made by an earlier version"):
        boxes.open("meter-1")
