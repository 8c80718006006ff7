"""What a device tells of its mailer's meter (docs/protocol.md, section 4.4). Amounts are in the least unit."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class MeterState:
    """What the device keeps. `stage`: `none`, `joining` or `ready`; `value_kind` is empty before it heard of it.

    `state` and `payment` are the numbers of docs/meter-protocol.md, 0 before it heard of them. `order`, in hexadecimal:
    the one whose result was not taken yet, empty for none, and `word` how it stands: `asking` or `done`. `fee`: what
    signing up costs, and was not paid yet. `ahead`: seconds that the device's clock is ahead of its office's, as far as
    that is a trouble.
    """

    stage: str
    name: str
    serial: str
    value_kind: str
    counter: int
    ascending: int
    descending: int
    pieces: int
    loads: int
    owed: int
    state: int
    payment: int
    order: str
    word: str
    fault: str
    fee: int = 0
    ahead: int = 0


@dataclass(frozen=True, slots=True)
class MeterTerms:
    """What may be had, the least that is loaded at once, and what signing up costs."""

    deposit: int
    fee: int
    value_kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Joined:
    """After a sign-up or sign-on; `account` in hexadecimal."""

    account: str
    serial: str


@dataclass(frozen=True, slots=True)
class MeterAbout:
    """What the data centre said just now. `day` counts from 1970; `checkpoint` of the log, in hexadecimal."""

    state: int
    payment: int
    most_for_a_piece: int
    most_for_a_day: int
    credit: int
    spent: int
    day: int
    refill_below: int | None
    refill_amount: int | None
    log_size: int
    checkpoint: str
    origins: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """Of an order: what the meter has counted, and the transaction as it was signed."""

    counter: int
    ascending: int
    descending: int
    pieces: int
    loads: int
    owed: int
    transaction: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Piece:
    """One indicium that is asked for: of `grams` and `zone` the device makes the amount, or `amount` is given.

    `service` is the class in the indicium; no `origin` is the mailer's first.
    """

    destination: str
    address: str
    service: str
    grams: int | None = None
    zone: str | None = None
    amount: int | None = None
    origin: str | None = None


# Grams, service and zone, which a rate is asked for.
Weighed = tuple[int, str, str]


@dataclass(frozen=True, slots=True)
class SignUp:
    """What a mailer wants; `payment` is its number. `below` and `amount`: both, or none."""

    name: str
    value_kind: str
    payment: int
    below: int | None
    amount: int | None
    origins: tuple[str, ...]
