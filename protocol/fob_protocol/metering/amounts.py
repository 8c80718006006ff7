"""Amounts for people: `EUR 0.95` for 95 of `eur-cent` (M32)."""

import re
from typing import Final

from fob_protocol.metering.limits import AMOUNT_LIMIT

# How the end of a value kind's name says what part of the unit is counted: digits behind the point.
_PARTS: Final = {"cent": 2, "milli": 3, "micro": 6}
_TYPED: Final = re.compile(r"(?:([a-z0-9.-]+) )?([0-9]{1,40})(?:\.([0-9]{1,6}))?(?: ?([a-z]+))?", re.ASCII)


def amount_words(value_kind: str, amount: int) -> str:
    """`EUR 0.95`, `KWH 1.250`; for a kind whose name says no part, the number and the name."""
    unit, _, part = value_kind.rpartition("-")
    if not unit or part not in _PARTS:
        return f"{amount} {value_kind}"
    digits = _PARTS[part]
    whole, rest = divmod(amount, 10**digits)
    return f"{unit.upper()} {whole}.{rest:0{digits}}"


def amount_of(value_kind: str, typed: str) -> int:
    """In the least unit, what a person typed: `2.85`, `EUR 2.85`, `20` (of the unit) or `285 cent` of `eur-cent`.

    Raises ValueError, with words for a person.
    """
    unit, _, part = value_kind.rpartition("-")
    digits = _PARTS.get(part, 0) if unit else 0
    names = {unit} if digits else {value_kind}
    found = _TYPED.fullmatch(typed.strip().lower())
    if found is None:
        raise ValueError(f"an amount is written as {_example(value_kind, digits)}")
    before, whole, fraction, behind = found.groups()
    if digits and behind == part and fraction is None and before is None:
        amount = int(whole)
    elif {before, behind} - {None} - names or (before and behind):
        raise ValueError(f"the meter counts {value_kind}: an amount is written as {_example(value_kind, digits)}")
    elif len(fraction or "") > digits:
        raise ValueError(f"there is nothing less than {amount_words(value_kind, 1)}")
    else:
        amount = int(whole) * 10**digits + int((fraction or "").ljust(digits, "0") or 0)
    if not 1 <= amount <= AMOUNT_LIMIT:
        raise ValueError(f"an amount is {amount_words(value_kind, 1)} to {amount_words(value_kind, AMOUNT_LIMIT)}")
    return amount


def _example(value_kind: str, digits: int) -> str:
    return f"2.{'850000'[:digits]} or 285 {value_kind.rpartition('-')[2]}" if digits else "285"
