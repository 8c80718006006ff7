"""A mailer's day, with every process of a data centre real (M17 to M20, M24, M28 to M30)."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fob_protocol.metering.indicium import Indicium
from fob_protocol.office.message import read
from support.data_centre import DataCentre, data_centre
from support.mailers import Mailer


@pytest.fixture
async def centre(tmp_path: Path) -> AsyncIterator[DataCentre]:
    async with data_centre(tmp_path) as made:
        yield made


@pytest.mark.clause("M17", "M30")
async def test_a_mailer_signs_up_loads_and_franks_a_batch(centre: DataCentre) -> None:
    async with centre.function_server() as (server, peers):
        anna = Mailer(centre, server)
        await anna.sign_up()
        loaded = await anna.load(1_000)
        assert (loaded.registers.ascending, loaded.registers.descending) == (0, 1_000)
        peers.asked.clear()
        franked = await anna.frank(85, 100, 160)
        assert peers.asked == ["Fetch", "Permit", "Frank", "Attest", "Store"]
    indicia = [read(Indicium, made.indicium) for made in franked.indicia]
    assert [(one.amount, one.piece, one.ascending) for one in indicia] == [(85, 0, 85), (100, 1, 185), (160, 2, 345)]
    assert (franked.registers.ascending, franked.registers.descending, franked.registers.pieces) == (345, 655, 3)
