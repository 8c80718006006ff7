"""A device franks, loads and gives back: rated by its own component, asked once, believed when it was checked."""

from pathlib import Path

import pytest

from fob_protocol.metering.indicium import Indicium, addressee_digest
from fob_protocol.metering.transaction import TransactionRecord, unverified_transaction
from fob_protocol.office.message import read
from support.meter_bench import ADDRESS, MeterBench, letter, on_meter_bench


def indicia(record: TransactionRecord) -> list[Indicium]:
    return [read(Indicium, one.indicium) for one in record.indicia]


@pytest.mark.clause("M19", "X5", "X6")
def test_a_letter_is_rated_by_the_component_and_shown_as_validated(tmp_path: Path) -> None:
    async def story(bench: MeterBench) -> None:
        result = await bench.frank(letter(20), letter(21, "20457"))
        record = unverified_transaction(result.transaction)
        assert [(one.amount, one.destination) for one in indicia(record)] == [(95, "10115"), (110, "20457")]
        assert {one.addressee for one in indicia(record)} == {addressee_digest(ADDRESS)}
        assert record.integrity == bench.standings.integrity_value("postage-rates")
        assert [(plan.words, plan.amount) for plan in bench.plans] == [
            ("frank 2 letters, EUR 2.05, to 10115, 20457", 205)
        ]
        # One question, when nothing else happened to the meter.
        assert len(bench.office.said) == 1

    on_meter_bench(tmp_path, story)
