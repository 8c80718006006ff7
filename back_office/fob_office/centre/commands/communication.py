"""Asked of communication servers: only how they do."""

from fob_office.centre.bus.commands import Command, Reply


class Counted(Reply, frozen=True):
    """Questions since the process began, of these the ones that no function server answered, and those in hand now."""

    questions: int
    unanswered: int
    waiting: int


class Count(Command[Counted], frozen=True):
    """OPERATOR."""
