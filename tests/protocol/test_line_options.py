"""The options in the URL of a line: what is not understood is refused by its name, never ignored."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fob_protocol.limits import FRAME_LIMIT
from fob_protocol.link.line_options import (
    BAUD_MAXIMUM,
    BAUD_MINIMUM,
    DEFAULT_BAUD,
    LineOptionError,
    read_baud,
    read_options,
)

BOUNDS = "baud is a number from 300 to 4000000"


@pytest.mark.parametrize(
    ("query", "baud"),
    [("", DEFAULT_BAUD), ("baud=300", BAUD_MINIMUM), ("baud=4000000", BAUD_MAXIMUM), ("baud=12345", 12345)],
)
def test_the_speed_of_a_line(query: str, baud: int) -> None:
    assert read_baud(query) == baud


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("bad=7", "this kind of line has no option 'bad'"),
        ("Baud=9600", "this kind of line has no option 'Baud'"),
        ("baud=9600&parity=even", "this kind of line has no option 'parity'"),
        ("7", "this kind of line has no option '7'"),
        ("baud=9600&baud=9600", "the option 'baud' stands there twice"),
        ("baud", BOUNDS),
        ("baud=", BOUNDS),
        ("baud=0", BOUNDS),
        ("baud=299", BOUNDS),
        ("baud=-9600", BOUNDS),
        ("baud=+9600", BOUNDS),
        ("baud=9600.5", BOUNDS),
        ("baud=²", BOUNDS),
        ("baud=٣٠٠", BOUNDS),
        ("baud=4000001", BOUNDS),
        ("baud=99999999999", BOUNDS),
        ("baud=" + "9" * 5000, BOUNDS),
    ],
)
def test_what_cannot_be_is_named(query: str, words: str) -> None:
    with pytest.raises(LineOptionError) as refused:
        read_baud(query)
    assert str(refused.value) == words


def test_a_line_without_options() -> None:
    assert read_options("") == {}
    with pytest.raises(LineOptionError, match="no option 'baud'"):
        read_options("baud=9600")


def test_a_frame_at_the_slowest_speed_takes_less_than_half_a_minute() -> None:
    assert FRAME_LIMIT * 10 / BAUD_MINIMUM < 30


@given(st.text() | st.text().map("baud=".__add__))
def test_any_text_is_a_speed_or_is_refused(query: str) -> None:
    with contextlib.suppress(LineOptionError):
        assert BAUD_MINIMUM <= read_baud(query) <= BAUD_MAXIMUM
