"""Amounts for people: `EUR 0.95` for 95 of `eur-cent` (M32)."""

from typing import Final

# How the end of a value kind's name says what part of the unit is counted: digits behind the point.
_PARTS: Final = {"cent": 2, "milli": 3, "micro": 6}


def amount_words(value_kind: str, amount: int) -> str:
    """`EUR 0.95`, `KWH 1.250`; for a kind whose name says no part, the number and the name."""
    unit, _, part = value_kind.rpartition("-")
    if not unit or part not in _PARTS:
        return f"{amount} {value_kind}"
    digits = _PARTS[part]
    whole, rest = divmod(amount, 10**digits)
    return f"{unit.upper()} {whole}.{rest:0{digits}}"
