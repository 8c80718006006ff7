"""What a piece at the post is, by all that is known of it (M26, M27; docs/meter-protocol.md, section 6). No I/O."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import msgspec

from fob_protocol.metering.amounts import amount_of, amount_words
from fob_protocol.metering.indicium import Indicium, addressee_digest, normalised
from fob_protocol.office.hashing import is_same


class Outcome(StrEnum):
    """What a piece is."""

    GENUINE = "genuine"
    FORGED = "forged"
    # The meter made this indicium, and somebody changed it.
    ALTERED = "altered"
    REUSED = "reused"
    # Of a piece to somebody else.
    COPIED = "copied"
    REFUNDED = "refunded"
    UNKNOWN_METER = "unknown-meter"
    DAMAGED = "damaged"


CLAUSES: Final = {
    Outcome.GENUINE: "M26",
    Outcome.FORGED: "M26",
    Outcome.ALTERED: "M26",
    Outcome.REUSED: "M27",
    Outcome.COPIED: "M27",
    Outcome.REFUNDED: "M29",
    Outcome.UNKNOWN_METER: "M26",
    Outcome.DAMAGED: "M26",
}
_AMOUNTS: Final = ("amount", "ascending")


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome, and in words why; the indicium where one was read."""

    outcome: Outcome
    why: str
    indicium: Indicium | None = None

    @property
    def clause(self) -> str:
        """Of the requirement that is kept, or broken."""
        return CLAUSES[self.outcome]


@dataclass(frozen=True, slots=True)
class OnPiece:
    """What people read on the piece; None where nobody looked. `date` is the number YYYYMMDD.

    `amount`: as somebody typed it, for the kind of the piece; or in the least unit.
    """

    address: str | None = None
    destination: str | None = None
    amount: str | int | None = None
    date: int | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What a meter box says of the token; `issued` is the indicium of the same serial, counter and piece that it made.

    None where no transaction has one with a right token; `is_lost`: the transaction went with a database that was put
    back.
    """

    is_right: bool
    is_given_back: bool
    issued: Indicium | None
    is_lost: bool = False


def damaged(why: str) -> Verdict:
    """There was a code, or ought to be."""
    return Verdict(Outcome.DAMAGED, why)


def malformed(why: str) -> Verdict:
    """A whole code that says nothing which a meter says."""
    return Verdict(Outcome.FORGED, why)


def unknown_meter(indicium: Indicium) -> Verdict:
    """No meter has its serial."""
    return Verdict(Outcome.UNKNOWN_METER, f"there is no meter {indicium.serial}", indicium)


def judge_token(indicium: Indicium, known: Known) -> Verdict | None:
    """None: the meter made it, and it is good."""
    issued = known.issued
    if not known.is_right:
        if issued is None:
            return Verdict(Outcome.FORGED, "the token is not of its meter", indicium)
        if issued == indicium:
            return Verdict(Outcome.FORGED, "its token is another than the one that its meter made", indicium)
        return Verdict(Outcome.ALTERED, _difference(indicium, issued), indicium)
    if issued != indicium and not (issued is None and known.is_lost):
        why = "its token is right, but no transaction of the meter made it: a key is lost, or a transaction is"
        return Verdict(Outcome.FORGED, why, indicium)
    if known.is_given_back:
        return refunded(indicium)
    return None


def judge_piece(indicium: Indicium, on_piece: OnPiece) -> Verdict | None:
    """None: what the code says is what stands on the piece. Raises ValueError for an address without a letter."""
    if on_piece.amount is not None and _amount(indicium, on_piece.amount) != indicium.amount:
        printed, said = _amount_shown(indicium, on_piece.amount), amount_words(indicium.value_kind, indicium.amount)
        return Verdict(Outcome.ALTERED, f"the amount on the piece is {printed}, in the code {said}", indicium)
    if on_piece.date is not None and on_piece.date != indicium.date:
        why = f"the date on the piece is {on_piece.date}, in the code {indicium.date}"
        return Verdict(Outcome.ALTERED, why, indicium)
    place = on_piece.destination
    if place is not None and normalised(place) != normalised(indicium.destination):
        why = f"it was made for a piece to {indicium.destination}, this one goes to {place}"
        return Verdict(Outcome.COPIED, why, indicium)
    address = on_piece.address
    if address is not None and not is_same(addressee_digest(address), indicium.addressee):
        return Verdict(Outcome.COPIED, "it was made for another addressee", indicium)
    return None


def _amount(indicium: Indicium, printed: str | int) -> int | None:
    """In the least unit of the piece; None: it is of another unit."""
    try:
        return printed if isinstance(printed, int) else amount_of(indicium.value_kind, printed)
    except ValueError:
        return None


def _amount_shown(indicium: Indicium, printed: str | int) -> str:
    """With its unit, so that whoever left it out sees how it was taken."""
    amount = _amount(indicium, printed)
    return str(printed) if amount is None else amount_words(indicium.value_kind, amount)


def judge_past(indicium: Indicium, seen: int, *, is_given_back: bool, is_lost: bool = False) -> Verdict:
    """Of one that is right in all else: whether it was used before, as far as that is known."""
    if is_given_back:
        return refunded(indicium)
    if seen:
        times = "once" if seen == 1 else f"{seen} times"
        return Verdict(Outcome.REUSED, f"it was seen {times} before", indicium)
    if is_lost:
        why = "its meter made it; where it was seen before the data centre was put back, nobody knows"
        return Verdict(Outcome.GENUINE, why, indicium)
    return Verdict(Outcome.GENUINE, "its meter made it, for this piece alone", indicium)


def refunded(indicium: Indicium) -> Verdict:
    """Its money went back."""
    return Verdict(Outcome.REFUNDED, "it was given back, and its amount with it", indicium)


def _difference(shown: Indicium, issued: Indicium) -> str:
    said = ", ".join(f"{name} {_shown(issued, name)}" for name in _different(shown, issued))
    return f"the meter made it with {said}"


def _different(one: Indicium, other: Indicium) -> Iterable[str]:
    for field in msgspec.structs.fields(Indicium):
        if getattr(one, field.name) != getattr(other, field.name):
            yield field.name


def _shown(indicium: Indicium, name: str) -> str:
    value = getattr(indicium, name)
    if name in _AMOUNTS:
        return amount_words(indicium.value_kind, value)
    return "another" if isinstance(value, bytes) else str(value)
