"""What comes of asking a meter for something, as the control socket shows it. Light: no packages."""

from dataclasses import dataclass

from fob_daemon.metering.views import MeterState


@dataclass(frozen=True, slots=True)
class Begun:
    """A batch to add to. `dropped`: pieces of batches of which nothing was franked, which are forgotten."""

    job: int
    dropped: int


@dataclass(frozen=True, slots=True)
class Franked:
    """A request of a batch is done: `done` of `total` pieces have their indicia now."""

    job: int
    counter: int
    pieces: int
    amount: int
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Looked:
    """Before the first piece of a batch is paid: so many of them are rated."""

    job: int
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Paid:
    """A load or refund. `is_resumed`: it was begun before, and only its end is new."""

    amount: int
    is_resumed: bool
    meter: MeterState


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of an order whose command did not hear of it.

    `deed` as in the history, with the `counter` and `amount` of its transaction, and its `pieces`; an empty one: nobody
    knows whether it was done. `serial` and `value_kind` are its meter's, empty where they are not known.
    """

    deed: str
    value_kind: str
    counter: int = 0
    amount: int = 0
    pieces: int = 0
    serial: str = ""


@dataclass(frozen=True, slots=True)
class TakenOver:
    """`is_own`: this computer had given the order. `meter` is the device's now, which may be another mailer's."""

    ended: Ended
    is_own: bool
    meter: MeterState


@dataclass(frozen=True, slots=True)
class SignedOn:
    """`unsettled`: pieces or orders of which nobody knows whether they were done; they are not asked for again."""

    account: str
    serial: str
    unsettled: int


@dataclass(frozen=True, slots=True)
class MeterReport:
    """A device's meter as it told last. `waiting`: pieces of a batch that was cut; `last`: what the last one cost."""

    device: str
    meter: MeterState
    waiting: int
    last: int
