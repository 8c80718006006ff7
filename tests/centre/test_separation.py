"""Each box does its own job and has not the key for any other (docs/meter-protocol.md, section 2)."""

from pathlib import Path

import pytest

from fob_office.centre.boxes.errors import NotHeldError
from fob_office.centre.boxes.separation import HELD, NAMES, Purpose, held_by
from fob_office.centre.bus.passes import Kind
from support.centre_boxes import Boxes

# As the specification has it: a mark for each box that has anything to do with a master.
TABLE = """
token       | steel meter                             |
record      |       meter                             |
user        | steel       authentication              |
user record |             authentication              |
order       | steel meter authentication              |
fund        |       meter                transaction  |
permission  |       meter authentication transaction  |
"""
ROWS = {Purpose(line.split("|")[0].strip()): set(line.split("|")[1].split()) for line in TABLE.strip().splitlines()}


def test_the_table_is_that_of_the_specification() -> None:
    assert set(ROWS) == set(Purpose) == set(NAMES)
    assert {purpose: {kind.word for kind in Kind if purpose in held_by(kind)} for purpose in Purpose} == ROWS
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
