"""Unique identifiers: marks, names, how they roll, and the letters by which they come on another channel."""

import string
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fob_protocol.integrity.identifier import identifier_name, mark_of, next_identifier, read_mark
from fob_protocol.integrity.letter import LetterError, read_letter, write_letter
from fob_protocol.office.errors import Fault, OfficeError
from integrity import second_measure as second
from integrity.made_up import made_up

IDENTIFIER = made_up("identifier", 32)
IDENTIFIERS = st.binary(min_size=32, max_size=32)
LETTER = write_letter(IDENTIFIER)
ALPHABET = string.ascii_uppercase + "234567"


@pytest.mark.clause("V1")
@given(identifier=IDENTIFIERS)
def test_a_mark_is_read_again(identifier: bytes) -> None:
    assert mark_of(identifier) == b"fobmark1" + identifier
    assert read_mark(mark_of(identifier)) == identifier


@pytest.mark.parametrize("mark", [b"", IDENTIFIER, b"fobmark2" + IDENTIFIER, mark_of(IDENTIFIER)[:-1],
                                  mark_of(IDENTIFIER) + b"\0"])  # fmt: skip
def test_what_is_no_mark(mark: bytes) -> None:
    with pytest.raises(OfficeError) as raised:
        read_mark(mark)
    assert raised.value.fault is Fault.MALFORMED


@pytest.mark.clause("V21")
@given(identifier=IDENTIFIERS, seed=IDENTIFIERS, copy=st.binary(min_size=16, max_size=16), number=st.integers(0, 2**53))
def test_an_identifier_rolls_to_what_the_specification_says(
    identifier: bytes, seed: bytes, copy: bytes, number: int
) -> None:
    rolled = next_identifier(identifier, seed, copy, number)
    assert rolled == second.next_identifier(identifier, seed, copy, number)
    assert identifier_name(rolled) == second.identifier_name(rolled)
    others = [
        identifier,
        next_identifier(rolled, seed, copy, number),
        next_identifier(identifier, rolled, copy, number),
        next_identifier(identifier, seed, rolled[:16], number),
        next_identifier(identifier, seed, copy, number + 1),
    ]
    assert len({rolled, *others}) == 6


@pytest.mark.clause("V6")
@given(identifier=IDENTIFIERS)
def test_a_letter_is_read_again(identifier: bytes) -> None:
    letter = write_letter(identifier)
    assert [len(group) for group in letter.split("-")] == [4] * 14
    assert set(letter) <= set(ALPHABET) | {"-"}
    for typed in (letter, letter.lower(), letter.replace("-", " "), f"  {letter.replace('-', '')}\r\n"):
        assert read_letter(typed) == identifier


def test_the_check_is_that_of_the_specification() -> None:
    """A letter that is put together by hand."""
    number = int.from_bytes(IDENTIFIER + second.letter_check(IDENTIFIER), "big")
    characters = "".join(ALPHABET[number >> 5 * at & 31] for at in reversed(range(56)))
    assert LETTER.replace("-", "") == characters


def typos(letter: str) -> Iterator[str]:
    """Each other character at each place, and each two neighbours swapped."""
    plain = letter.replace("-", "")
    for at, right in enumerate(plain):
        for wrong in set(ALPHABET) - {right}:
            yield plain[:at] + wrong + plain[at + 1 :]
        if plain[at : at + 2] != plain[at : at + 2][::-1]:
            yield plain[:at] + plain[at : at + 2][::-1] + plain[at + 2 :]


def test_every_single_typo_of_a_letter_is_refused() -> None:
    """Of this letter all; the check has 24 bits, so of 10,000 letters one has a typo that it does not see."""
    wrong = list(typos(LETTER))
    assert 56 * 31 + 45 < len(wrong) <= 56 * 31 + 55
    for typed in wrong:
        with pytest.raises(LetterError, match="a character is wrong, or some are swapped"):
            read_letter(typed)


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", "56 characters, this one has 0"),
        (LETTER[:-1], "56 characters, this one has 55"),
        (LETTER + "A", "56 characters, this one has 57"),
        ("0" + LETTER[1:], "letters A to Z and the digits 2 to 7"),
        (LETTER[:-1] + "=", "letters A to Z and the digits 2 to 7"),
        ("é" * 56, "letters A to Z and the digits 2 to 7"),
        # Its capital is S, and that of the other SS.
        (LETTER.replace("S", "ſ", 1), "letters A to Z and the digits 2 to 7"),
        ("ß" * 28, "letters A to Z and the digits 2 to 7"),
    ],
)
def test_what_is_no_letter(typed: str, why: str) -> None:
    assert "S" in LETTER
    with pytest.raises(LetterError, match=why) as raised:
        read_letter(typed)
    assert not typed or typed[:20] not in str(raised.value)


@given(typed=st.text(max_size=80) | st.text(ALPHABET + ALPHABET.lower() + "-= ", min_size=50, max_size=80))
def test_any_text_is_a_letter_or_a_letter_error(typed: str) -> None:
    try:
        identifier = read_letter(typed)
    except LetterError:
        return
    assert write_letter(identifier).replace("-", "") == "".join(typed.upper().replace("-", "").split())
