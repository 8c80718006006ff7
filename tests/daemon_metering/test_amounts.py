"""Amounts as people type them, by value kind (M32)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fob_protocol.metering.amounts import amount_of, amount_words
from fob_protocol.metering.limits import AMOUNT_LIMIT
from fob_protocol.office.patterns import NAME


@pytest.mark.clause("M32")
@pytest.mark.parametrize(
    ("kind", "typed", "amount"),
    [
        ("eur-cent", "2.85", 285),
        ("eur-cent", "EUR 2.85", 285),
        ("eur-cent", "2.85 EUR", 285),
        ("eur-cent", "20", 2000),
        ("eur-cent", "2.8", 280),
        ("eur-cent", "285 cent", 285),
        ("eur-cent", "285cent", 285),
        ("kwh-milli", "1.25", 1250),
        ("kwh-milli", "1.25 kWh", 1250),
        ("kwh-milli", "KWH 1.25", 1250),
        ("co2-milli", "1.5co2", 1500),
        ("2g-milli", "1.5 2g", 1500),
        ("pages", "12", 12),
        ("pages", "12 pages", 12),
    ],
)
def test_what_is_typed(kind: str, typed: str, amount: int) -> None:
    assert amount_of(kind, typed) == amount


@pytest.mark.parametrize(
    ("kind", "typed", "why"),
    [
        ("eur-cent", "2.855", "nothing less than EUR 0.01"),
        ("eur-cent", "0", "an amount is EUR 0.01 to"),
        ("eur-cent", "-1", "written as 2.85 or 285 cent"),
        ("eur-cent", "2,85", "written as 2.85"),
        ("eur-cent", "USD 2", "the meter counts eur-cent"),
        ("eur-cent", "2.85 cent", "the meter counts eur-cent"),
        ("pages", "1.5", "nothing less than 1 pages"),
        ("pages", "1 cent", "the meter counts pages"),
        ("pages", "9999999999999", "an amount is"),
    ],
)
def test_what_is_no_amount(kind: str, typed: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        amount_of(kind, typed)


@given(
    st.sampled_from(["eur-cent", "kwh-milli", "gas-micro", "2g-milli", "pages"]) | st.from_regex(NAME),
    st.integers(1, AMOUNT_LIMIT),
)
def test_what_is_shown_can_be_typed(kind: str, amount: int) -> None:
    assert amount_of(kind, amount_words(kind, amount)) == amount


@given(st.text(max_size=30))
def test_anything_else_is_refused_in_words(typed: str) -> None:
    try:
        amount = amount_of("eur-cent", typed)
    except ValueError as error:
        words = str(error)
        amount = 1 if "amount" in words or "nothing less" in words else 0
    assert 1 <= amount <= AMOUNT_LIMIT
