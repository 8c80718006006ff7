"""A device franks, loads and gives back: rated by its own component, asked once, believed when it was checked."""

from dataclasses import replace
from pathlib import Path

import pytest

from fob_device.metering.rating import Weighed, value_kind_of
from fob_protocol.metering.indicium import Indicium, addressee_digest
from fob_protocol.metering.transaction import TransactionRecord, unverified_transaction
from fob_protocol.office.message import read
from fob_protocol.pkcs11.errors import CkrError
from support.meter_bench import ADDRESS, WISH, MeterBench, letter, on_meter_bench


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


@pytest.mark.clause("X5", "M32")
@pytest.mark.parametrize("kind", ["eur", "eur-milli", "usd-cent", "pages"])
def test_rates_in_another_unit_than_the_meter_counts_frank_nothing(tmp_path: Path, kind: str) -> None:
    async def story(bench: MeterBench) -> None:
        await bench.validated()
        bench.office.kind = kind
        await bench.join(replace(WISH, value_kind=kind))
        await bench.load(5000)
        bench.meter.taken(b"money on a meter")
        bench.plans.clear()
        said = len(bench.office.said)
        with pytest.raises(CkrError, match=f"the rates are not in {kind}$"):
            await bench.frank()
        # Nobody is asked, neither the person nor the data centre; a batch is told so piece by piece.
        assert (bench.plans, len(bench.office.said)) == ([], said)
        rates = await bench.meter.rates("XRATE", [Weighed(20, "letter", "domestic")])
        assert rates == [f"the rates are not in {kind}"]

    on_meter_bench(tmp_path, story, joined=False)


@pytest.mark.clause("M32")
@pytest.mark.parametrize(
    ("unit", "kind", "is_same"),
    [
        ("EUR", "eur-cent", True),
        ("EUR", "eur", False),
        ("EUR", "eur-milli", False),
        ("eur-milli", "eur-milli", True),
        ("kwh-milli", "kwh-milli", True),
        ("KWH", "kwh-milli", False),
        ("pages", "pages", True),
        ("pages", "pages-cent", False),
        ("eur", "eur-cent", False),
    ],
)
def test_rates_say_a_currency_for_its_cents_or_a_value_kind(unit: str, kind: str, is_same: bool) -> None:
    assert (value_kind_of(unit) == kind) is is_same
