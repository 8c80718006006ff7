"""What is asked of the meter, in words for the screen, for the PC's narration and for the history."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from fob_protocol.metering.amounts import amount_words
from fob_protocol.metering.requests import Piece
from fob_protocol.names import plain_name

# Kinds of mail and places that are named; the others are counted.
_CLASSES: Final = 3
_PLACES: Final = 3


def frank_words(value_kind: str, pieces: Sequence[Piece], *, is_given: bool) -> str:
    """`frank 3 letters, EUR 2.85, to 10115, 20095`. `is_given`: the computer named an amount."""
    total = amount_words(value_kind, sum(piece.amount for piece in pieces))
    by = " (amount by the computer)" if is_given else ""
    return f"frank {_counted(pieces)}, {total}{by}, to {_places(pieces)}"


def load_words(value_kind: str, amount: int) -> str:
    """`load EUR 20.00`."""
    return f"load {amount_words(value_kind, amount)}"


def fee_words(value_kind: str, fee: int) -> str:
    """` and EUR 5.00 for signing up`; empty for nothing."""
    return f" and {amount_words(value_kind, fee)} for signing up" if fee else ""


def refund_words(value_kind: str, amount: int, *, is_unused: bool) -> str:
    """`have EUR 20.00 paid back`."""
    words = amount_words(value_kind, amount)
    return f"give back an unused indicium of {words}" if is_unused else f"have {words} paid back"


def _counted(pieces: Sequence[Piece]) -> str:
    counts = Counter(plain_name(piece.mail_class) for piece in pieces).most_common()
    named = [f"{count} {name}{'s' if count > 1 else ''}" for name, count in counts[:_CLASSES]]
    more = sum(count for _, count in counts[_CLASSES:])
    return ", ".join([*named, f"{more} more"] if more else named)


def _places(pieces: Sequence[Piece]) -> str:
    places = list(dict.fromkeys(plain_name(piece.destination) for piece in pieces))
    more = len(places) - _PLACES
    return ", ".join(places[:_PLACES]) + (f" and {more} more" if more > 0 else "")
