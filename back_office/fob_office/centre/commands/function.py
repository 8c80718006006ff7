"""Asked of function servers: to answer devices, and to carry out operators' orders."""

from fob_office.centre.bus.commands import Command, Done, Reply


class Answered(Reply, frozen=True):
    """What goes back to the device, sealed to it."""

    sealed: bytes


class Answer(Command[Answered], frozen=True):
    """A device's sealed question. COMMUNICATION.

    Refused `malformed` when it opens with no key of a function server, or is no question: then the reason is of its
    shape alone.
    """

    question: bytes


class CarryOut(Command[Done], frozen=True):
    """A KeyOrder of the steel box. OPERATOR. Refused as the meter box refuses."""

    order: bytes


class Settle(Command[Done], frozen=True):
    """What the mailer of a meter owes is charged. OPERATOR."""

    serial: str


class RestoreMailer(Command[Done], frozen=True):
    """A MailerOrder of the steel box, for this meter's mailer. OPERATOR. Refused as the authentication box refuses."""

    serial: str
    order: bytes


class Recovered(Reply, frozen=True):
    """Whether the database had not got it."""

    is_changed: bool


class Recover(Command[Recovered], frozen=True):
    """End what a meter box did and the database has not got. OPERATOR."""

    serial: str


class Tallied(Reply, frozen=True):
    """Since the process began: what devices asked and had, by word; pieces franked; answers that said no, by code."""

    done: dict[str, int]
    pieces: int
    refused: dict[str, int]


class Tally(Command[Tallied], frozen=True):
    """OPERATOR."""
