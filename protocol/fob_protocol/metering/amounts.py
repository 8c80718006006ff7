"""Amounts for people: `EUR 0.95` for 95 of `eur-cent`, `1.250 kwh` for 1250 of `kwh-milli` (M32)."""

import re
from typing import Final

from fob_protocol.metering.limits import AMOUNT_LIMIT

# How the end of a value kind's name says what part of the unit is counted: digits behind the point.
_PARTS: Final = {"cent": 2, "milli": 3, "micro": 6}
# ISO 4217, but for funds, metals and what is for tests.
_ISO_4217: Final = """
    aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd btn bwp byn bzd cad cdf chf clp
    cny cop crc cup cve czk djf dkk dop dzd egp ern etb eur fjd fkp gbp gel ghs gip gmd gnf gtq gyd hkd hnl htg huf idr
    ils inr iqd irr isk jmd jod jpy kes kgs khr kmf kpw krw kwd kyd kzt lak lbp lkr lrd lsl lyd mad mdl mga mkd mmk mnt
    mop mru mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd
    scr sdg sek sgd shp sle sos srd ssp stn svc syp szl thb tjs tmt tnd top try ttd twd tzs uah ugx usd uyu uzs ved ves
    vnd vuv wst xaf xcd xcg xof xpf yer zar zmw zwg
"""
_CURRENCIES: Final = frozenset(_ISO_4217.split())
_NUMBER: Final = re.compile(r"([0-9]{1,40})(?:\.([0-9]{1,6}))?")
# An amount of whatever unit.
_OF_A_UNIT: Final = re.compile(r"(?:[a-z0-9.-]+ )?[0-9]{1,40}(?:\.[0-9]{1,6})?(?: ?[a-z][a-z0-9.-]*)?", re.ASCII)


def is_money(value_kind: str) -> bool:
    """Whether it is of a currency, as `eur-cent`: what postage is paid with. Energy or copies are something else."""
    return value_kind.partition("-")[0] in _CURRENCIES


def amount_words(value_kind: str, amount: int) -> str:
    """`EUR 0.95`, `1.250 kwh`; for a kind whose name says no part, the number and the name."""
    unit, digits = _counted(value_kind)
    if not digits:
        return f"{amount} {unit}"
    whole, rest = divmod(amount, 10**digits)
    number = f"{whole}.{rest:0{digits}}"
    return f"{unit.upper()} {number}" if unit in _CURRENCIES else f"{number} {unit}"


def amount_of(value_kind: str, typed: str) -> int:
    """In the least unit, what a person typed: `2.85`, `EUR 2.85`, `20` (of the unit) or `285 cent` of `eur-cent`.

    Raises ValueError, with words for a person.
    """
    unit, digits = _counted(value_kind)
    text = typed.strip().lower()
    least = re.fullmatch(rf"([0-9]{{1,40}}) ?{value_kind.rpartition('-')[2]}", text, re.ASCII) if digits else None
    number = _NUMBER.fullmatch(_without(unit, text))
    if least is not None:
        amount = int(least[1])
    elif number is None:
        counts = f"the meter counts {value_kind}: " if is_amount(text) else ""
        raise ValueError(f"{counts}an amount is written as {_example(value_kind, digits)}")
    elif len(number[2] or "") > digits:
        raise ValueError(f"there is nothing less than {amount_words(value_kind, 1)}")
    else:
        amount = int(number[1]) * 10**digits + int((number[2] or "").ljust(digits, "0") or 0)
    if not 1 <= amount <= AMOUNT_LIMIT:
        raise ValueError(f"an amount is {amount_words(value_kind, 1)} to {amount_words(value_kind, AMOUNT_LIMIT)}")
    return amount


def is_amount(typed: str) -> bool:
    """Whether somebody may mean an amount by it, of whatever unit."""
    return _OF_A_UNIT.fullmatch(typed.strip().lower()) is not None


def _counted(value_kind: str) -> tuple[str, int]:
    """The unit, and how many digits of it are behind the point."""
    unit, _, part = value_kind.rpartition("-")
    return (unit, _PARTS[part]) if unit and part in _PARTS else (value_kind, 0)


def _without(unit: str, text: str) -> str:
    """The number alone, whether the unit stands before or behind it; a unit that begins with a digit behind a blank."""
    if text.startswith(f"{unit} "):
        return text.removeprefix(f"{unit} ")
    behind = unit if unit[:1].isalpha() else f" {unit}"
    return text.removesuffix(behind).rstrip(" ") if text.endswith(behind) else text


def _example(value_kind: str, digits: int) -> str:
    return f"2.{'850000'[:digits]} or 285 {value_kind.rpartition('-')[2]}" if digits else "285"
