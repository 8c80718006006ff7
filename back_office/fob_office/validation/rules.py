"""What is looked at, in this order, before a copy is valid (docs/integrity-protocol.md, section 3, lines 3 to 10)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from fob_office.distribution.tables import Copy
from fob_office.validation.asking import Asked
from fob_office.validation.tables import Result, Validation
from fob_protocol.integrity.copy_record import CopyRecord
from fob_protocol.integrity.limits import VALIDATION_TIME
from fob_protocol.integrity.measure import is_of_request
from fob_protocol.integrity.validation import State
from fob_protocol.office.hashing import is_same

_STATES: Final = {State.INVALID: Result.INVALID, State.CLONED: Result.CLONED, State.DISABLED: Result.DISABLED}


@dataclass(frozen=True, slots=True)
class Case:
    """A request of the holder of `copy` at `server`.

    `used` is the line of whichever request has used its number, `identifier` the UI; `is_challenged`: its challenge
    was given for this request, and is not over.
    """

    asked: Asked
    copy: Copy
    record: CopyRecord
    server: str
    now: int
    used: Validation | None
    is_challenged: bool
    identifier: bytes = field(repr=False)

    @property
    def is_last(self) -> bool:
        """It was answered, and nothing else since."""
        return self.copy.request == self.asked.request

    @property
    def is_replayed(self) -> bool:
        """Line 2: it was answered before, or its number is older than all that is kept.

        In a flagged copy the newest number may be that of two holders: each is told the verdict.
        """
        number = self.asked.evidence.program_number
        if self.used is None:
            return number <= self.copy.program_number
        if self.used.request != self.asked.request:
            return False
        return self.copy.state == State.VALID or number < self.copy.program_number

    @property
    def is_in_sequence(self) -> bool:
        """The next PSI and the newest VSSI; after the office lost some, any that is higher."""
        evidence = self.asked.evidence
        if self.copy.is_resynchronised:
            return evidence.program_number > self.copy.program_number
        numbers = (self.copy.program_number + 1, self.copy.server_number)
        return (evidence.program_number, evidence.server_number) == numbers


def _has_good_state(case: Case) -> bool:
    return case.copy.state == State.VALID


def _is_for_this_server(case: Case) -> bool:
    return case.asked.evidence.server == case.record.validation_server == case.server


def _has_new_number(case: Case) -> bool:
    return case.used is None


def _has_good_challenge(case: Case) -> bool:
    if not case.record.method.technique.is_challenged:
        return case.asked.secret.challenge is None
    return case.is_challenged


def _is_in_time(case: Case) -> bool:
    return case.now - case.asked.evidence.time <= VALIDATION_TIME


def _has_new_iv(case: Case) -> bool:
    """A number is used once, and so is an IV that begins with it (V10)."""
    evidence = case.asked.evidence
    if not case.record.method.variant.has_iv:
        return evidence.iv is None
    return evidence.iv is not None and is_of_request(evidence.iv, evidence.program_number)


def _has_identifier(case: Case) -> bool:
    """What the office lost of a copy's rolls its holder tells, once."""
    is_told = case.copy.is_resynchronised and case.record.policy.rolls
    return is_told or is_same(case.asked.secret.identifier, case.identifier)


# What does not hold ends it. Line 10's other half, the measurement, comes behind them.
RULES: Final[tuple[tuple[Callable[[Case], bool], Result], ...]] = (
    (_is_for_this_server, Result.OTHER_VERIFIER),
    (_has_new_number, Result.CLONED),
    (lambda case: case.is_in_sequence, Result.OUT_OF_SEQUENCE),
    (_has_good_challenge, Result.STALE_CHALLENGE),
    (_is_in_time, Result.LATE),
    (_has_new_iv, Result.IV_USED),
    (_has_identifier, Result.INVALID),
)


def broken(case: Case) -> Result | None:
    """What comes of the first rule that does not hold; None: all do, and what it measured decides."""
    if not _has_good_state(case):
        return _STATES[State(case.copy.state)]
    return next((result for holds, result in RULES if not holds(case)), None)
