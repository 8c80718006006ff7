"""The manufacturing box: who is a process of the data centre, and which masters it is given."""

from pathlib import Path

import pytest

from fob_office.centre.boxes.identity import admit
from fob_office.centre.boxes.manufacturing import Admit, manufacturing_box
from fob_office.centre.bus.answering import serve
from fob_office.centre.bus.passes import Kind
from support.centre_boxes import Boxes


@pytest.fixture
def boxes(tmp_path: Path) -> Boxes:
    return Boxes(tmp_path)


async def test_an_operator_lets_a_box_be_admitted(boxes: Boxes) -> None:
    folder, public = boxes.new(Kind.METER, "meter-1")
    operator, top = boxes.open("operator-1"), boxes.open("manufacturing")
    async with manufacturing_box(top) as table, await serve(boxes.address("manufacturing"), top.me, table):
        link = operator.links.to("manufacturing")
        given = await link.ask(Admit(Kind.METER, "meter-1", public.static, public.sealing, public.signing))
        link.close()
    shown = admit(folder, boxes.manufacturing_key, given.shown, given.masters)
    assert (shown.kind, shown.name, shown.static) == (Kind.METER, "meter-1", public.static)
