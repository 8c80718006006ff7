"""Why something is asked about that was allowed before: a permission that ends in silence is taken for a fault."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from fob_device.approval.questions import Question
from fob_protocol.caller import GRANTS_LIMIT

# Seconds. Who allowed something longer ago does not wonder any more.
TOLD_FOR: Final = 3600.0
_MINUTE: Final = 60

FORWARDED: Final = "a forwarded agent asks always"
OTHER_HOST: Final = "the permission is for another host"
OTHER_PROGRAMS: Final = "the permission is for other programs"


@dataclass(frozen=True, slots=True)
class Ended:
    """A yes that holds no longer: since when (seconds of the clock of its Grants), and whether it was taken back."""

    question: Question
    at: float
    is_taken_back: bool


@dataclass(slots=True)
class EndedGrants:
    """The last GRANTS_LIMIT."""

    _ended: deque[Ended] = field(default_factory=lambda: deque(maxlen=GRANTS_LIMIT))

    def note(self, question: Question, at: float, *, is_taken_back: bool = False) -> None:
        """A yes holds no longer."""
        self._ended.append(Ended(question, at, is_taken_back))

    def words(self, question: Question, now: float) -> str:
        """What became of the newest yes to this very question; empty when there was none for TOLD_FOR."""
        ended = next((ended for ended in reversed(self._ended) if ended.question == question), None)
        if ended is None or now - ended.at > TOLD_FOR:
            return ""
        return f"the permission {'was taken back' if ended.is_taken_back else 'ended'} {_ago(now - ended.at)}"


def difference(question: Question, allowed: Iterable[Question]) -> str:
    """What keeps `question` from being one of those that are allowed, if it is one thing alone; else empty."""
    caller = question.caller
    for other in allowed:
        if other == replace(question, caller=replace(caller, is_forwarded=False)):
            return FORWARDED
        if other == replace(question, caller=replace(caller, host=other.caller.host)):
            return OTHER_HOST
        if other == replace(question, caller=replace(caller, programs=other.caller.programs)):
            return OTHER_PROGRAMS
    return ""


def _ago(seconds: float) -> str:
    if seconds < 1:
        return "just now"
    return f"{seconds:.0f} s ago" if seconds < _MINUTE else f"{seconds // _MINUTE:.0f} min ago"
