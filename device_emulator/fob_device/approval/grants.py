"""What a computer's programs may do for a while without asking again."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from fob_device.approval.questions import Question
from fob_device.listeners import Listener
from fob_protocol.caller import GRANTS_LIMIT


@dataclass(frozen=True, slots=True)
class Grant:
    """A yes that is remembered. Its scope is the whole question: program chain, key, operation, purpose, host.

    `until` is on the clock of its Grants, in seconds.
    """

    number: int
    question: Question
    until: float


@dataclass(slots=True)
class Grants:
    """The grants of one PC, at most GRANTS_LIMIT; numbers start at 1 and are never used again."""

    clock: Callable[[], float]
    changed: Listener = lambda: None
    _grants: list[Grant] = field(default_factory=list)
    _last_number: int = 0

    def give(self, question: Question, seconds: float) -> None:
        """Remember a yes; an older one to the same question ends, and the one that ends soonest where there is no room.

        Nothing is remembered of a forwarded request, or where nobody knows which program asks.
        """
        if seconds <= 0 or question.caller.is_forwarded or not question.caller.programs:
            return
        self._grants = [grant for grant in self.active() if grant.question != question]
        if len(self._grants) == GRANTS_LIMIT:
            self._grants.remove(min(self._grants, key=lambda grant: grant.until))
        self._last_number += 1
        self._grants.append(Grant(self._last_number, question, self.clock() + seconds))
        self.changed()

    def cover(self, question: Question) -> bool:
        """True when this very question was answered yes, for a time that is not over."""
        return any(grant.question == question for grant in self.active())

    def active(self) -> list[Grant]:
        """The grants whose time is not over, oldest first."""
        now = self.clock()
        self._grants = [grant for grant in self._grants if grant.until > now]
        return list(self._grants)

    def seconds_left(self, grant: Grant) -> int:
        """Whole seconds until the grant ends, rounded up."""
        return max(math.ceil(grant.until - self.clock()), 0)

    def revoke(self, number: int) -> bool:
        """End one grant; False when there is none of this number."""
        kept = [grant for grant in self.active() if grant.number != number]
        was_there = len(kept) < len(self._grants)
        self._grants = kept
        self.changed()
        return was_there

    def revoke_key(self, handle: int) -> None:
        """End the grants of one key."""
        self._grants = [grant for grant in self.active() if grant.question.key != handle]
        self.changed()

    def revoke_all(self) -> None:
        """From now on each use is asked for again."""
        self._grants.clear()
        self.changed()
