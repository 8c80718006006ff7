"""What is asked of a meter, in words that fit a question and an entry of the history."""

import pytest

from fob_device.metering.store import Allowance
from fob_device.metering.words import frank_words
from fob_protocol.metering.requests import Piece


def piece(mail_class: str = "letter", destination: str = "10115", amount: int = 95) -> Piece:
    return Piece(amount, destination, bytes(16), None, mail_class)


@pytest.mark.parametrize(
    ("pieces", "words"),
    [
        ([piece()], "frank 1 letter, EUR 0.95, to 10115"),
        ([piece(), piece("parcel"), piece()], "frank 2 letters, 1 parcel, EUR 2.85, to 10115"),
        ([piece(destination=str(place)) for place in range(5)], "frank 5 letters, EUR 4.75, to 0, 1, 2 and 2 more"),
    ],
)
def test_what_is_franked(pieces: list[Piece], words: str) -> None:
    assert frank_words("eur-cent", pieces, is_given=False) == words


def test_a_batch_of_everything_is_still_a_line() -> None:
    pieces = [piece(f"{number:02}" + "x" * 30, f"{number:02}" + "9" * 14) for number in range(64)]
    words = frank_words("k" * 32, pieces, is_given=True)
    assert "61 more, " in words
    assert words.endswith(" and 61 more")
    assert len(words) < 300


def test_an_allowance_is_of_one_day() -> None:
    spent = Allowance(daily=200).after(150, day=7)
    assert spent == Allowance(200, 150, 7)
    assert spent is not None
    assert spent.after(51, day=7) is None
    assert spent.after(200, day=8) == Allowance(200, 200, 8)
    assert Allowance().after(1, day=7) is None
