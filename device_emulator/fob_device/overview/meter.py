"""What a screen shows of the mailer's meter."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class MeterDeed(StrEnum):
    """What the person at the device asks of the data centre."""

    TERMS = "terms"
    SIGN_UP = "sign-up"
    SIGN_ON = "sign-on"
    LOOK = "look"


@dataclass(frozen=True, slots=True)
class ShownPiece:
    """One that was franked last; `amount` in words, `date` as a number, 20261121."""

    amount: str
    mail_class: str
    destination: str
    date: int


@dataclass(frozen=True, slots=True)
class ShownRegisters:
    """Amounts in words."""

    descending: str
    ascending: str
    owed: str
    pieces: int
    counter: int


@dataclass(frozen=True, slots=True)
class ShownTerms:
    """What may be had: the form to sign up is open. `fee`: what that costs, in the least unit and in words."""

    value_kinds: Sequence[str]
    deposit: str
    fee: int = 0
    fee_words: str = ""


@dataclass(frozen=True, slots=True)
class MeterEnded:
    """What came of the person's last deed: `refusal` is the name of what was in the way. `at` in seconds since 1970."""

    deed: MeterDeed
    at: float
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class MeterOverview:
    """`stage`, `state` and `fault` as +FOBMETER has them. `order`: words of what was ordered, and not taken yet.

    `is_asking`: its answer is not known. `allowance`: what may be franked in a day without a question, least units.
    """

    stage: str
    name: str = ""
    serial: str = ""
    value_kind: str = ""
    registers: ShownRegisters | None = None
    state: int = 0
    payment: int = 0
    origins: Sequence[str] = ()
    last: Sequence[ShownPiece] = ()
    order: str = ""
    is_asking: bool = False
    fault: str = ""
    allowance: int = 0
    terms: ShownTerms | None = None
    doing: MeterDeed | None = None
    ended: MeterEnded | None = None
