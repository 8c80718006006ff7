"""Batches of pieces and orders, as the PC keeps them: what was asked, and what came of it."""

from dataclasses import dataclass, field
from enum import IntEnum

from fob_daemon.metering.views import Piece


class Kind(IntEnum):
    """Of an order."""

    FRANK = 1
    LOAD = 2
    REFUND = 3
    # Another computer's, or this one's before it lost its state: what it was for is known by its transaction alone.
    FOREIGN = 4


class Standing(IntEnum):
    """Of an order. ASKED: what became of it is not known; DONE: its result is here, and the device keeps it still."""

    ASKED = 1
    DONE = 2
    TAKEN = 3


@dataclass(frozen=True, slots=True)
class Job:
    """A batch. `began` in seconds since 1970; `total` pieces, of which `done` have their indicia, for `amount`.

    `serial` is of the meter that pays for it, and `value_kind` that meter's, empty where it was not heard of yet.
    """

    number: int
    command: str
    began: int
    total: int
    done: int
    amount: int
    is_closed: bool
    serial: str
    value_kind: str

    @property
    def is_unfinished(self) -> bool:
        """Something is still to be franked. A letter that nobody allowed waits for nobody."""
        return not self.is_closed and self.done < self.total and (self.done > 0 or self.total > 1)

    @property
    def is_cut(self) -> bool:
        """Some of it is paid, and some is not: nothing else begins before that is settled."""
        return self.is_unfinished and self.done > 0


@dataclass(frozen=True, slots=True)
class Money:
    """What a load or a refund is for: an amount, or an indicium with its token."""

    amount: int | None = None
    indicium: bytes | None = None
    token: bytes | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """One thing that is asked of the device, under an `id` of 16 octets. `pieces`: of `job`, from place `first` on."""

    id: bytes
    kind: Kind
    standing: Standing = Standing.ASKED
    job: int | None = None
    command: str = ""
    serial: str = ""
    first: int = 0
    pieces: tuple[Piece, ...] = field(default=(), repr=False)
    money: Money = Money()


@dataclass(frozen=True, slots=True)
class Done:
    """What came of an order. `serial`, `amount` and `time` are the transaction's; `pieces`: those that it franked."""

    serial: str
    counter: int
    amount: int
    pieces: int
    time: int
    transaction: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Kept:
    """A transaction that franked and is kept here, of the meter `serial`; `job` 0 for none."""

    serial: str
    counter: int
    job: int
    pieces: int
    amount: int
    time: int
