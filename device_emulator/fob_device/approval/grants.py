"""What a computer's programs may do for a while without asking again."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from fob_device.approval.again import EndedGrants, difference
from fob_device.approval.questions import Question
from fob_device.approval.words import WORDS_SIZE, fitting
from fob_device.listeners import Listener
from fob_protocol.at.answer import Event
from fob_protocol.caller import GRANTS_LIMIT
from fob_protocol.catalogue import EVENT_GRANTED, EVENT_REVOKED

# The number of an event that tells of all grants at once.
ALL = 0


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
    """The grants of one PC, at most GRANTS_LIMIT; numbers start at 1 and are never used again.

    `announce` tells that PC of each that is given, and of each that ends before its time.
    """

    clock: Callable[[], float]
    changed: Listener = lambda: None
    announce: Callable[[Event], None] = lambda event: None
    _grants: list[Grant] = field(default_factory=list)
    _ended: EndedGrants = field(default_factory=EndedGrants)
    _last_number: int = 0

    def give(self, question: Question, seconds: float) -> None:
        """Remember a yes; an older one to the same question ends, and the one that ends soonest where there is no room.

        Nothing is remembered of money, of a forwarded request, or where nobody knows which program asks.
        """
        if seconds <= 0 or not question.can_be_remembered:
            return
        older = [grant for grant in self.active() if grant.question == question]
        if len(self._grants) - len(older) == GRANTS_LIMIT:
            older.append(min(self._grants, key=lambda grant: grant.until))
        self._end(older)
        self._last_number += 1
        grant = Grant(self._last_number, question, self.clock() + seconds)
        self._grants.append(grant)
        self.announce(Event(EVENT_GRANTED, (grant.number, self.seconds_left(grant), self.words(grant))))
        self.changed()

    def cover(self, question: Question) -> bool:
        """True when this very question was answered yes, for a time that is not over."""
        return any(grant.question == question for grant in self.active())

    def why_again(self, question: Question) -> str:
        """Why `question` is not covered though something like it was; empty where nobody would wonder."""
        active = [grant.question for grant in self.active()]
        return self._ended.words(question, self.clock()) or difference(question, active)

    def active(self) -> list[Grant]:
        """The grants whose time is not over, oldest first."""
        now = self.clock()
        for grant in self._grants:
            if grant.until <= now:
                self._ended.note(grant.question, grant.until)
        self._grants = [grant for grant in self._grants if grant.until > now]
        return list(self._grants)

    def seconds_left(self, grant: Grant) -> int:
        """Whole seconds until the grant ends, rounded up."""
        return max(math.ceil(grant.until - self.clock()), 0)

    @staticmethod
    def words(grant: Grant) -> str:
        """What it is for; short enough for an event."""
        return fitting(grant.question.words(), WORDS_SIZE)

    def revoke(self, number: int) -> bool:
        """End one grant; False when there is none of this number."""
        found = [grant for grant in self.active() if grant.number == number]
        self._take_back(found)
        return bool(found)

    def revoke_key(self, handle: int) -> None:
        """End the grants of one key."""
        self._take_back([grant for grant in self.active() if grant.question.key == handle])

    def revoke_all(self) -> None:
        """From now on each use is asked for again."""
        if self.active():
            self._note_taken_back(self._grants)
            self._grants.clear()
            self.announce(Event(EVENT_REVOKED, (ALL,)))
        self.changed()

    def _take_back(self, grants: Sequence[Grant]) -> None:
        self._note_taken_back(grants)
        self._end(grants)
        self.changed()

    def _note_taken_back(self, grants: Sequence[Grant]) -> None:
        for grant in grants:
            self._ended.note(grant.question, self.clock(), is_taken_back=True)

    def _end(self, grants: Sequence[Grant]) -> None:
        self._grants = [grant for grant in self._grants if grant not in grants]
        for grant in grants:
            self.announce(Event(EVENT_REVOKED, (grant.number,)))
