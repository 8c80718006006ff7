"""An enrolled copy of fobd: how it stands now, and one attempt at having it validated."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from fob_daemon.control.errors import ControlError, ExitCode
from fob_daemon.integrity.asking import NotAskedError
from fob_daemon.integrity.keeper import Keeper
from fob_daemon.integrity.own_program import UnreadableError, measure, package_folders
from fob_daemon.integrity.troubles import (
    TROUBLES,
    is_forgetful,
    is_no_answer,
    is_sealed_wrongly,
    may_be_of_changed_keys,
    named_trouble,
)
from fob_daemon.integrity.words import (
    NEEDS_LETTER,
    NOT_VALIDATED,
    OTHER_CERTIFICATE,
    UNKNOWN_RELEASE,
    UNREACHABLE,
    own_words,
)
from fob_protocol.integrity.admission import Standing, is_graced, is_new, standing
from fob_protocol.integrity.held_copy import HeldCopy
from fob_protocol.integrity.letter import LetterError, read_letter
from fob_protocol.integrity.measured import Measured
from fob_protocol.integrity.ticket import unverified_ticket
from fob_protocol.integrity.validation import State
from fob_protocol.limits import QUESTION_TIME
from fob_protocol.office.errors import OfficeError, RefusedError
from fob_protocol.office.refusals import Refusal
from fob_protocol.office.retries import Pauses

# Seconds between two tries of a copy that the office refuses: somebody there has to do something first.
REFUSED_AGAIN: Final = 300.0
# Seconds between two questions of uses that wait for a copy which the office has refused: it may be enabled again, and
# programs that try without a break are no reason to ask as often.
USE_AGAIN: Final = 5.0
# Seconds between two questions to an office that is away, while uses go on without it: whoever comes once it is back is
# the last that goes unasked. Without uses it is asked as any other that is away, and when it said.
AWAY_AGAIN: Final = 1.0

# Seconds that a use waits for the office; those of one that goes on, or is refused, without the office too.
LONG_ASK_TIME: Final = QUESTION_TIME
SHORT_ASK_TIME: Final = 10.0
# Seconds between two questions that no use asks, where each use asks: so that people see how it stands, and for its
# grace.
UNUSED_AGAIN: Final = 3600.0


@dataclass(slots=True)
class Validating:
    """Each attempt measures anew. `trouble`: words and next command for what is the matter, None when nothing is.

    `passed`: seconds of a clock that nobody sets.
    """

    keeper: Keeper
    passed: Callable[[], float]
    _pauses: Pauses = field(init=False)
    # Attempts are counted: how many were begun, and the newest that came to an end, and to VAL_OK. What is broken off
    # comes to none.
    begun: int = field(default=0)
    ended: int = field(default=0)
    _confirmed: int = field(default=0)
    # The attempt that uses want which went on, or were refused, without an answer.
    _wanted: int = field(default=0)
    # Since the start: what was measured last; whether VAL_OK came, or anything; whether servers were asked for; when
    # the last try was, by both clocks, and how long to pause; whether the office was away then; whether it has said no
    # since the last VAL_OK.
    _measured: Measured | None = field(default=None)
    _is_validated_here: bool = field(default=False)
    _was_asked: bool = field(default=False)
    _knows_servers: bool = field(default=False)
    _asked_at: tuple[int, float] = field(default=(0, 0.0))
    _pause: float = field(default=0.0)
    _is_away: bool = field(default=False)
    _is_refused: bool = field(default=False)
    _trouble: tuple[str, str] | None = field(default=None)

    def __post_init__(self) -> None:
        self._pauses = Pauses(self.keeper.random)

    @property
    def copy(self) -> HeldCopy:
        """The one that is kept."""
        assert self.keeper.copy is not None  # noqa: S101 - an enrolled computer has one
        return self.keeper.copy

    @property
    def is_admitted(self) -> bool:
        """Whether a key may be used at once: what was asked since the start came to something (V17).

        With an interval of 0 each use asks.
        """
        return self._was_asked and self.is_enabled and self.copy.about.policy.interval > 0

    @property
    def is_enabled(self) -> bool:
        """Validated since the start and not too long ago, or still good enough without its server, which is away."""
        copy, now = self.copy, self.keeper.now
        if copy.has_verdict or copy.about.version != self.keeper.version:
            return False
        if self._is_fresh or is_new(copy, now):
            return True
        if copy.about.policy.interval == 0 and self._is_validated_here and self.ended_well:
            # As far as anybody knows between two uses.
            return True
        if self._measured is None or self._is_refused:
            return False
        return is_graced(copy, now, self._measured.digest)

    @property
    def is_unheard(self) -> bool:
        """Whether uses go by what the office has said before: nobody knows what it would say now."""
        return (self.is_enabled and not self._is_fresh) or (self.copy.has_verdict and self._is_away)

    @property
    def _is_fresh(self) -> bool:
        kept = standing(self.copy, self.keeper.now, is_validated_here=self._is_validated_here)
        return kept is Standing.ENABLED

    @property
    def may_ask(self) -> bool:
        """Whether a use that waits asks: of a copy that was refused not too often, nor while nobody answers.

        What goes on without an answer waits for none from an office that was away when it was asked last.
        """
        if self._is_away and self.is_enabled:
            return False
        if not self.copy.has_verdict or not self._was_asked:
            return True
        pause = USE_AGAIN if self._trouble is None else max(USE_AGAIN, self._pause)
        return self._seconds_since_asked >= pause

    @property
    def patience(self) -> float:
        """Seconds that a use waits."""
        return SHORT_ASK_TIME if self.copy.has_verdict or self.is_enabled else LONG_ASK_TIME

    @property
    def was_confirmed(self) -> bool:
        """The last attempt ended with VAL_OK."""
        return self._trouble is None and self.copy.was_confirmed and not self.copy.pending

    @property
    def ended_well(self) -> bool:
        """The newest attempt that came to an end came to VAL_OK, whatever was broken off since."""
        return self.ended == self._confirmed

    @property
    def word(self) -> str:
        """`valid`, `not-validated`, or the verdict."""
        if self.copy.has_verdict or (self.copy.state is State.VALID and self.is_enabled):
            return self.copy.word
        return NOT_VALIDATED

    @property
    def reason(self) -> str:
        """By name, empty while it is valid."""
        return self.trouble_name

    @property
    def trouble(self) -> tuple[str, str] | None:
        """Words and the next command."""
        name = self.trouble_name
        return own_words(name, self._trouble[1] if self._trouble and self._trouble[0] == name else "") if name else None

    @property
    def trouble_name(self) -> str:
        """Why it is not validated, by name."""
        if self.copy.has_verdict:
            return self.copy.word
        if self.copy.identifier is None:
            return NEEDS_LETTER
        return self._trouble[0] if self._trouble else self.copy.reason

    @property
    def ticket(self) -> bytes | None:
        """The last VAL_OK, while no verdict came after it."""
        return None if self.copy.has_verdict else self.copy.ticket

    @property
    def until(self) -> int | None:
        """When the ticket is over."""
        return None if self.ticket is None else unverified_ticket(self.ticket).until

    @property
    def seconds_until_due(self) -> float:
        """Until it asks by itself."""
        if not self._was_asked:
            return 0.0
        pause = min(self._pause, AWAY_AGAIN) if self._wanted > self.begun else self._pause
        return pause - self._seconds_since_asked

    @property
    def _seconds_since_asked(self) -> float:
        """A clock that was set back makes it no longer, nor does a computer that slept."""
        now, passed = self._asked_at
        return max(float(self.keeper.now - now), self.passed() - passed)

    def measure(self) -> None:
        """Before anybody is asked; in a thread. What cannot be read is found again by the attempt."""
        with suppress(UnreadableError):
            self._measured = measure(package_folders())

    async def enrol(self, what: str, letter: str, issuer: bytes, certificate: bytes) -> None:
        """By what somebody typed. Raises ControlError."""
        try:
            identifier = read_letter(letter)
        except LetterError as error:
            raise ControlError(what, str(error), "type it again", ExitCode.USAGE) from None
        try:
            await self.keeper.enrol(identifier, await self._measured_now(), issuer, certificate)
        except TROUBLES as error:
            named = (OTHER_CERTIFICATE, "") if is_sealed_wrongly(error) else named_trouble(error)
            raise ControlError(what, *own_words(*named), ExitCode.FAILED) from None
        self._is_validated_here, self._knows_servers = False, True

    async def now(self) -> None:
        """One attempt; what came of it is kept, and in `trouble`."""
        self.begun += 1
        try:
            await self._attempt()
        except TROUBLES as error:
            self._failed(error)
        else:
            self._is_away = False
            # An answer that is neither VAL_OK nor a verdict is a no all the same.
            self._is_refused = not self.was_confirmed
            self._pauses.begin_anew()
            self._is_validated_here = self.was_confirmed
            self._pause = (self.copy.about.policy.interval or UNUSED_AGAIN) if self.was_confirmed else REFUSED_AGAIN
        self._ended()

    def want_answer(self) -> None:
        """A use came that nothing was asked for: the next attempt is soon, however long the office has been away."""
        self._wanted = self.begun + 1

    def unanswered(self) -> None:
        """A use has waited long enough: whoever comes behind it goes by that, until there is an answer."""
        if not self._is_away:
            self._failed(NotAskedError(UNREACHABLE, "it did not answer in time", None))
            self._ended()

    def _failed(self, error: Exception) -> None:
        self._is_away = is_no_answer(error)
        self._is_refused = self._is_refused or not (self._is_away or is_forgetful(error))
        self._trouble = named_trouble(error)
        self._pause = self._pause_after(error)

    def _ended(self) -> None:
        self.ended = self.begun
        if self.was_confirmed:
            self._confirmed = self.ended
        self._asked_at = self.keeper.now, self.passed()
        self._was_asked = True

    async def _attempt(self) -> None:
        """What may come of keys that have changed is tried once more, by the newest list of servers."""
        knew_servers = self._knows_servers
        try:
            await self._ask()
        except (NotAskedError, OfficeError) as error:
            if not knew_servers or not may_be_of_changed_keys(error):
                raise
            self._knows_servers = False
            await self._ask()

    async def _ask(self) -> None:
        measured = await self._measured_now()
        if not self._knows_servers:
            await self.keeper.ask_servers()
            self._knows_servers = True
        if not await self.keeper.renew(measured):
            self._trouble = (UNKNOWN_RELEASE, "")
            return
        self._trouble = None
        if self.copy.identifier is not None:
            await self._validate(measured)

    async def _validate(self, measured: Measured) -> None:
        """A copy that the office knows no more is asked for anew, once."""
        denied = self.copy
        try:
            await self.keeper.validate(measured)
        except RefusedError as error:
            if error.refusal is not Refusal.DENIED or denied.is_denied:
                raise
            await self.keeper.renew(measured)
            if self.copy.about.copy == denied.about.copy:
                raise
            if self.copy.identifier is not None:
                await self.keeper.validate(measured)

    async def _measured_now(self) -> Measured:
        """Raises UnreadableError."""
        self._measured = await asyncio.to_thread(measure, package_folders())
        return self._measured

    def _pause_after(self, error: Exception) -> float:
        if isinstance(error, NotAskedError):
            return self._pauses.after(error.seconds)
        return self._pauses.after(error.retry_after) if isinstance(error, RefusedError) else REFUSED_AGAIN
