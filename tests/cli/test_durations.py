"""Times as a person says them, also such as no calendar has."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fob_daemon.cli.durations import day, moment


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (0, "1970-01-01"),
        (20_779, "2026-11-22"),
        (10**7, "day 10000000"),
        ((1 << 53) - 1, "day 9007199254740991"),
        (-(10**6), "day -1000000"),
    ],
)
def test_a_day_or_its_number(days: int, words: str) -> None:
    assert day(days) == words


def test_a_moment_or_its_number() -> None:
    assert moment(1_795_000_000).startswith("2026-11-")
    assert moment(1 << 62) == str(1 << 62)
    assert moment(-(1 << 90)) == str(-(1 << 90))


@given(st.integers())
def test_whatever_a_peer_says_has_words(number: int) -> None:
    assert moment(number)
    assert day(number)
