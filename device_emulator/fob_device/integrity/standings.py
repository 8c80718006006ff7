"""How the copy of each program stands, and what is said of it. Here is only remembered; nobody is asked."""

import math
from collections.abc import Callable, Iterable
from typing import Final

from fob_device.integrity.program import Program
from fob_device.integrity.store import CopyStore
from fob_protocol.at.answer import Event
from fob_protocol.catalogue import EVENT_INTEGRITY
from fob_protocol.integrity.admission import NotEnabledError, Standing, is_graced, is_new, standing
from fob_protocol.integrity.held_copy import (
    LOST_IDENTIFIER,
    NEEDS_LETTER,
    NOT_VALIDATED,
    WAITING,
    HeldCopy,
    Kept,
    NeedsNone,
)
from fob_protocol.integrity.measured import Measured
from fob_protocol.integrity.validation import State
from fob_protocol.office.refusals import Refusal

NEEDS_NONE: Final = "needs-none"
_GOOD: Final = (State.VALID.name.lower(), NEEDS_NONE)
# Seconds between two questions of uses about a copy that the office refuses: it may be enabled again, and whoever tries
# without a break is no reason to ask as often.
USE_AGAIN: Final = 5
# The device's own program is asked about at least so often (seconds), for people who look and for its grace.
OWN_AGAIN: Final = 3600
# Refusals that count as no answer: the server has no time, or was put back.
AS_AWAY: Final = (Refusal.UNAVAILABLE, Refusal.OUT_OF_SEQUENCE)


class Standings:
    """`own` is the device's own program, None: it is not looked at. `clock`: seconds since 1970, not behind what
    servers have signed; `passed`: seconds of a clock that nobody sets.

    Whatever looks at a copy raises CkrError, TokenFileError.
    """

    def __init__(
        self, store: CopyStore, own: Program | None, clock: Callable[[], int], passed: Callable[[], float]
    ) -> None:
        self.own = own
        self._store = store
        self._clock = clock
        self._passed = passed
        self._programs: dict[str, Program] = {}
        # Since the start: what was measured last, who was validated, when each was asked about and a use asked, why in
        # vain, whose last question had no answer.
        self._measured: dict[str, Measured] = {}
        self._validated: set[str] = set()
        self._asked: dict[str, float] = {}
        self._tried: dict[str, float] = {}
        self._trouble: dict[str, str] = {}
        self._unanswered: set[str] = set()
        # Those whose server has refused the last question that it answered: their grace is for no answer alone.
        self._refused: set[str] = set()
        self._told: dict[str, str] = {}

    @property
    def programs(self) -> tuple[Program, ...]:
        """All that is here."""
        return tuple(self._programs.values())

    def program(self, name: str) -> Program:
        """Raises KeyError for one that is not here."""
        return self._programs[name]

    def with_needed(self, name: str) -> list[Program]:
        """What a program needs, and it last."""
        found: dict[str, Program] = {}
        waiting = [name]
        while waiting:
            program = self._programs.get(waiting.pop())
            if program is not None and program.name not in found:
                found[program.name] = program
                waiting += program.needs
        return list(reversed(found.values()))

    def started(self, components: Iterable[Program]) -> None:
        """Another set may run, or the same anew: what was validated before says nothing of it (V17)."""
        own = [] if self.own is None else [self.own]
        self._programs = {program.name: program for program in (*own, *components)}
        for known in (self._measured, self._asked, self._tried, self._trouble):
            known.clear()
        for names in (self._validated, self._unanswered, self._refused):
            names.clear()

    def kept(self, name: str) -> Kept | None:
        """Of a program. That another version of it needed none says nothing of this one."""
        kept, program = self._store.get(name), self._programs.get(name)
        if isinstance(kept, NeedsNone) and program and not kept.is_of(program.version, program.released):
            return kept.before
        return kept

    def copy(self, name: str) -> HeldCopy | None:
        """Its copy, when it has one."""
        kept = self.kept(name)
        return kept if isinstance(kept, HeldCopy) else None

    def needs_none(self, name: str) -> bool:
        """Whether the distribution server did not know it."""
        return isinstance(self.kept(name), NeedsNone)

    def word(self, name: str) -> str:
        """How a program stands now: `valid`, `needs-none`, `waiting`, `not-validated`, or the verdict."""
        kept = self.kept(name)
        if isinstance(kept, NeedsNone):
            return NEEDS_NONE
        if self.waits(name):
            return WAITING
        if not isinstance(kept, HeldCopy):
            return NOT_VALIDATED
        return kept.word if kept.has_verdict or self._is_good(name, kept) else NOT_VALIDATED

    def reason(self, name: str) -> str:
        """Why it is not valid, by name."""
        copy = self.copy(name)
        if copy is not None and copy.identifier is None:
            return LOST_IDENTIFIER if copy.is_lost else NEEDS_LETTER
        if copy is not None and copy.reason:
            return copy.reason
        return self._trouble.get(name, "")

    def integrity_value(self, name: str) -> bytes:
        """As last validated; empty before (V19)."""
        copy = self.copy(name)
        return (copy.integrity_value or b"") if copy else b""

    def ticket(self, name: str) -> bytes:
        """The last VAL_OK. Raises NotEnabledError where there is none, or the server has said another word since."""
        copy = self.copy(name)
        if copy is None or copy.ticket is None or copy.state is not State.VALID:
            raise NotEnabledError(name, copy.word if copy else NOT_VALIDATED, "")
        return copy.ticket

    def standing(self, name: str) -> Standing:
        """What is to be done before a use now."""
        return standing(self.kept(name), self._clock(), is_validated_here=name in self._validated)

    def waits(self, name: str) -> bool:
        """Whether it goes on until its first VAL_OK: the device's own program does, for so long."""
        return self.own is not None and name == self.own.name and is_new(self.kept(name), self._clock())

    def is_graced(self, name: str, copy: HeldCopy) -> bool:
        """Whether a program's copy goes on without its server: what was measured of it last is the same."""
        measured = self._measured.get(name)
        if measured is None or name in self._refused:
            return False
        return is_graced(copy, self._clock(), measured.digest)

    def goes_on_unasked(self, own: Program) -> bool:
        """Whether a use of the device's own program waits for no answer, as it goes on without one."""
        if self.waits(own.name):
            return True
        copy = self.copy(own.name)
        if copy is None or not self.is_graced(own.name, copy):
            return False
        return copy.about.policy.interval > 0 or self.is_unanswered(own.name)

    def is_refused(self, program: Program) -> bool:
        """Whether its server has said no."""
        copy = self.copy(program.name)
        return copy is not None and copy.has_verdict

    def may_ask_again(self, name: str) -> bool:
        """Whether a use asks about a copy that the office refuses: not too often, whoever answers."""
        if not self.is_refused(self.program(name)):
            return True
        return self._passed() - self._tried.get(name, -math.inf) >= USE_AGAIN

    def check_verdict(self, name: str) -> None:
        """Raises NotEnabledError where its server has said no."""
        copy = self.copy(name)
        if copy is not None and copy.has_verdict:
            raise NotEnabledError(name, copy.word, copy.reason)

    def check_validated(self, name: str) -> None:
        """Raises NotEnabledError for one that was not validated since the start, unless it needs no copy."""
        self.check_verdict(name)
        if not self.needs_none(name) and name not in self._validated:
            raise NotEnabledError(name, NOT_VALIDATED, self.reason(name))

    def check_answered(self, name: str) -> None:
        """After the office was asked. An office that was put back and does not know its own answers is as one away."""
        copy = self.copy(name)
        is_forgotten = copy is not None and copy.reason == Refusal.OUT_OF_SEQUENCE
        if copy is None or not is_forgotten or not self.is_graced(name, copy):
            self.check_validated(name)

    @property
    def due(self) -> list[Program]:
        """What is asked about without anybody who waits."""
        return [program for program in self._programs.values() if self.seconds_until(program) <= 0]

    @property
    def seconds_until_due(self) -> float | None:
        """Until the first of them is; 0 is now, None never."""
        soonest = min(map(self.seconds_until, self._programs.values()), default=math.inf)
        return None if soonest == math.inf else max(soonest, 0.0)

    def seconds_until(self, program: Program) -> float:
        """Until one is due. Of one that waits for its letter, or needs nothing: infinity."""
        copy = self.copy(program.name)
        if copy is None or copy.identifier is None:
            return math.inf
        if program.name not in self._asked:
            return 0.0
        if program is not self.own:
            return math.inf
        if program.name in self._unanswered:
            return 0.0
        return self._asked[program.name] + (copy.about.policy.interval or OWN_AGAIN) - self._passed()

    def is_measured(self, name: str) -> bool:
        """Since the start."""
        return name in self._measured

    def measured(self, name: str, measured: Measured) -> None:
        """What it is now."""
        self._measured[name] = measured

    def answered(self, name: str, *, is_validated: bool) -> None:
        """Its server answered; only VAL_OK makes it valid."""
        self._trouble.pop(name, None)
        for names in (self._unanswered, self._refused, self._validated):
            names.discard(name)
        if is_validated:
            self._validated.add(name)
        else:
            self._note_refusal(name, self.reason(name))

    def refused(self, name: str, reason: str) -> None:
        """It is not valid any more, for a reason by name."""
        self._trouble[name] = reason
        self._unanswered.discard(name)
        self._validated.discard(name)
        self._note_refusal(name, reason)

    def _note_refusal(self, name: str, reason: str) -> None:
        if reason and reason not in AS_AWAY:
            self._refused.add(name)

    def unanswered(self, name: str, reason: str) -> None:
        """There was no answer about it, for a reason by name: it stands as before."""
        self._trouble[name] = reason
        self._unanswered.add(name)

    def is_unanswered(self, name: str) -> bool:
        """Whether nothing was answered when it was asked about last."""
        return name in self._unanswered

    def tried(self, name: str) -> None:
        """A use asks about it now."""
        self._tried[name] = self._passed()

    def asked(self, name: str) -> None:
        """Just now: it is due again after its interval."""
        self._asked[name] = self._tried[name] = self._passed()

    def ask_again(self) -> None:
        """All are due now."""
        self._asked.clear()

    @property
    def news(self) -> list[Event]:
        """For a computer that has just come: what it would have been told of the copies that are not good."""
        said = {name: word for name, word in self._told.items() if name in self._programs and word not in _GOOD}
        return [Event(EVENT_INTEGRITY, named) for named in said.items()]

    def change(self, name: str) -> Event | None:
        """What is to be told now of a program; None: its word is the one that was told last."""
        word = self.word(name)
        if self._told.get(name) == word:
            return None
        self._told[name] = word
        return Event(EVENT_INTEGRITY, (name, word))

    def _is_good(self, name: str, copy: HeldCopy) -> bool:
        """Whether a use now would be enabled without its server."""
        return copy.state is State.VALID and (name in self._validated or self.is_graced(name, copy))
