"""Names from a peer: what a person may see of them."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fob_protocol.caller import Caller
from fob_protocol.limits import NAME_LIMIT
from fob_protocol.names import ELLIPSIS, REPLACEMENT, is_plain_name, plain_name

DANGEROUS = {"Cc", "Cf", "Cs", "Zl", "Zp"}


@pytest.mark.parametrize("name", ["me@desk", "Ann’s phone", "é ü ß", "日本語", "📱", ""])
def test_a_plain_name_stays_as_it_is(name: str) -> None:
    assert is_plain_name(name)
    assert plain_name(name) == name


@pytest.mark.parametrize(
    "character",
    [
        "\0",
        "\x1b",
        "\r",
        "\n",
        "\t",
        "\x7f",
        "\x9b",
        "\u200b",
        "\u200e",
        "\u202e",
        "\u2066",
        "\u2028",
        "\ufeff",
        "\ud800",
    ],
)
def test_what_steers_a_screen_is_replaced_where_it_stood(character: str) -> None:
    assert not is_plain_name(character)
    assert plain_name(f"a{character}b") == f"a{REPLACEMENT}b"


@given(st.text(alphabet=st.characters(), max_size=200))
def test_any_text_becomes_a_bounded_plain_name(text: str) -> None:
    name = plain_name(text)
    assert len(name) == min(len(text), NAME_LIMIT)
    assert is_plain_name(name)
    assert not DANGEROUS & {unicodedata.category(character) for character in name}
    assert plain_name(name) == name
    assert name.encode().decode() == name


def test_a_text_that_is_longer_than_a_name_has_its_own_bound() -> None:
    assert plain_name("x" * 300, limit=200) == "x" * 199 + ELLIPSIS


def test_what_was_cut_says_so_and_what_fits_does_not() -> None:
    assert plain_name("x" * 65) == "x" * 63 + ELLIPSIS
    assert plain_name("x" * 64) == "x" * 64
    assert Caller(namespace="n" * 65).namespace == "n" * 63 + ELLIPSIS
