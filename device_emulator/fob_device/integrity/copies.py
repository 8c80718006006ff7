"""Asks the office about the device's copies, at each start, at intervals and on demand, and admits uses of them."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Final

from fob_device.integrity.desk import CopyDesk
from fob_device.integrity.program import Program
from fob_device.integrity.standings import Standings
from fob_device.office.carrier import NotCarried, NotCarriedError
from fob_device.office.trouble import name_of_trouble
from fob_device.office.workshop import Workshop
from fob_protocol.at.answer import Event
from fob_protocol.integrity.admission import NotEnabledError, Standing
from fob_protocol.integrity.distribution import Holding
from fob_protocol.integrity.held_copy import NOT_VALIDATED, HeldCopy
from fob_protocol.integrity.limits import HOLDINGS_LIMIT
from fob_protocol.integrity.measured import Measured
from fob_protocol.integrity.validation import State
from fob_protocol.limits import QUESTION_TIME
from fob_protocol.noise.keys import Random
from fob_protocol.office.errors import OfficeError, RefusedError
from fob_protocol.office.known import Known
from fob_protocol.office.refusals import Refusal
from fob_protocol.office.retries import Pauses

# Seconds that a use waits for the office, as it would for a person: then it counts as one that cannot be reached.
ASK_TIME: Final = QUESTION_TIME
# Seconds that one waits which goes on, or is refused, without the office too.
SHORT_ASK_TIME: Final = 10.0
# Of a program that cannot be read, and so not be measured.
UNREADABLE: Final = "unreadable"


class Copies:
    """What comes of asking is kept in `standings`. `announce` tells every computer of a change.
    `wake` is called when `go_on` has something to do sooner than it was told, `rest` when nothing is asked for now.

    One conversation about copies at a time. Methods that ask raise what `Talker.hold` raises, CkrError, TokenFileError.
    """

    def __init__(
        self,
        desk: CopyDesk,
        standings: Standings,
        workshop: Workshop,
        random: Random,
        announce: Callable[[Event], None],
        wake: Callable[[], None],
        rest: Callable[[], None],
    ) -> None:
        self._desk = desk
        self._standings = standings
        self._workshop = workshop
        self._random = random
        self._announce = announce
        self._wake = wake
        self._rest = rest
        self._lock = asyncio.Lock()
        # Since the start: whether copies were asked for.
        self._is_asked = False
        # Questions about each program that were begun, and the newest of them that came to something.
        self._begun: Counter[str] = Counter()
        self._ended: Counter[str] = Counter()
        self._required: tuple[Known | None, bool] = (None, False)

    @property
    def is_required(self) -> bool:
        """Whether anything needs VAL_OK. Certificates are looked at again when others are known, not at each use."""
        known = self._desk.talker.known
        if known is not self._required[0]:
            self._required = known, self._desk.is_required
        return self._required[1]

    @property
    def seconds_until_due(self) -> float | None:
        """When `go_on` has something to do: 0 is now, None never."""
        if not self.is_required or not self._standings.programs:
            return None
        return self._standings.seconds_until_due if self._is_asked else 0.0

    def started(self, components: Iterable[Program]) -> None:
        """Another set may run, or the same anew: copies are asked for again, and all is validated again (V17)."""
        self._is_asked = False
        self._standings.started(components)

    async def go_on(self, pauses: Pauses) -> None:
        """Copies are asked for, and whatever is due is validated. A no to one does not keep the others from asking."""
        async with self._asking():
            await self._ask_copies(pauses)
            for program in self._standings.due:
                await self._validate(program, pauses)

    async def validate_all(self) -> None:
        """Now, on demand: what comes of it is in the store."""
        self._is_asked = False
        self._standings.ask_again()
        await self.go_on(Pauses(self._random))

    async def validate(self, name: str) -> None:
        """Now, on demand. Raises NotEnabledError; KeyError for a program that is not here."""
        program = self._standings.program(name)
        async with self._asking():
            self._is_asked = False
            await self._ask_about(program)
        self._standings.check_validated(name)

    async def admit(self, name: str) -> None:
        """Before a component, and all that it needs, is used. Raises NotEnabledError."""
        if not self.is_required:
            return
        # What was refused goes first: where it still is, nothing else needs to be asked about.
        programs = sorted(self._standings.with_needed(name), key=self._standings.is_refused, reverse=True)
        with self._desk.talker.following():
            for program in programs:
                await self._admit(program)

    async def admit_own(self) -> None:
        """Before a private key is used. Raises NotEnabledError.

        Its first VAL_OK is not waited for here, nor an office that was away when it was asked last, nor what is asked
        at intervals, while the program goes on without.
        """
        own = self._standings.own
        if own is None or not self.is_required:
            return
        if self._standings.kept(own.name) is None:
            self._desk.wait_for_first(own.name)
        if not self._standings.is_measured(own.name):
            await self._measure(own)
        if self._standings.goes_on_unasked(own):
            if self.seconds_until_due == 0:
                self._wake()
            return
        await self._admit(own)

    async def enter_letter(self, name: str, identifier: bytes) -> None:
        """What a person typed for a program. Raises RefusedError LETTER_USED, NotEnabledError; KeyError."""
        program = self._standings.program(name)
        pauses = Pauses(self._random)
        async with self._asking():
            if not self._desk.take_letter(name, identifier):
                await self._desk.enrol(await self._holding(program), identifier, pauses)
                self._desk.take_letter(name, identifier)
        await self.validate(name)

    @asynccontextmanager
    async def _asking(self) -> AsyncIterator[None]:
        """Nobody else asks meanwhile."""
        async with self._lock:
            try:
                yield
            finally:
                self._rest()

    async def _admit(self, program: Program) -> None:
        name = program.name
        if self._standings.standing(name) is Standing.ENABLED:
            return
        if not self._standings.may_ask_again(name):
            self._standings.check_verdict(name)
        trouble = await self._trouble_of_asking(program)
        if trouble is None:
            self._standings.check_answered(name)
        else:
            await self._admit_unasked(program, trouble)

    async def _trouble_of_asking(self, program: Program) -> str | None:
        """Why nothing is answered to a use that comes now, by name."""
        name, trouble, is_asking = program.name, None, False
        came = self._begun[name]
        if self._lock.locked():
            self._desk.talker.hurry()
        try:
            async with asyncio.timeout(self._patience(name)), self._asking():
                # Of many uses that wait one asks: what was asked since another came is about that one too. It is not
                # when it was withdrawn before anything came of it.
                is_asking = self._ended[name] <= came
                if is_asking:
                    await self._ask_about(program)
        except (NotCarriedError, OfficeError, RefusedError) as error:
            trouble = name_of_trouble(error)
        except TimeoutError:
            trouble = NotCarried.UNREACHABLE
        else:
            if self._standings.is_unanswered(name):
                trouble = self._standings.reason(name)
        if is_asking:
            self._ended[name] = self._begun[name]
        return trouble

    def _patience(self, name: str) -> float:
        """Seconds."""
        copy = self._standings.copy(name)
        does_without = copy is not None and (copy.has_verdict or self._standings.is_graced(name, copy))
        return SHORT_ASK_TIME if does_without else ASK_TIME

    async def _ask_about(self, program: Program) -> None:
        self._begun[program.name] += 1
        self._standings.tried(program.name)
        copy = self._standings.copy(program.name)
        if copy is None or copy.wants_another:
            # It may have one now, or another one.
            self._is_asked = False
        pauses = Pauses(self._random)
        await self._ask_copies(pauses)
        if not self._standings.needs_none(program.name):
            await self._validate(program, pauses)

    async def _admit_unasked(self, program: Program, trouble: str) -> None:
        """There was no answer. Raises NotEnabledError, but for what is graced."""
        self._standings.check_verdict(program.name)
        self._standings.unanswered(program.name, trouble)
        await self._measure(program)
        copy = self._standings.copy(program.name)
        if copy is None or not self._standings.is_graced(program.name, copy):
            raise NotEnabledError(program.name, NOT_VALIDATED, trouble)
        # From now on it is asked about in the background, until there is an answer.
        self._wake()

    async def _measure(self, program: Program) -> Measured:
        """Raises NotEnabledError for one that cannot be read."""
        try:
            octets = await self._workshop(program.find)
        except OSError:
            raise NotEnabledError(program.name, NOT_VALIDATED, UNREADABLE) from None
        measured = Measured.of(octets)
        self._standings.measured(program.name, measured)
        return measured

    async def _ask_copies(self, pauses: Pauses) -> None:
        """Once a start, for all that has no copy, or may have another one now."""
        if self._is_asked:
            return
        wanted, replaced = await self._wanted()
        try:
            if wanted:
                await self._desk.ask_copies(wanted[:HOLDINGS_LIMIT], replaced, pauses)
        except RefusedError as error:
            if error.refusal is Refusal.UNAVAILABLE:
                raise
            for holding in wanted:
                self._standings.unanswered(holding.program, error.refusal)
        self._is_asked = True
        for holding in wanted:
            self._tell(holding.program)

    async def _wanted(self) -> tuple[list[Holding], list[bytes]]:
        wanted, replaced = [], []
        for program in self._standings.programs:
            try:
                measured, holding = await self._measure(program), await self._holding(program)
            except NotEnabledError as error:
                self._standings.unanswered(program.name, error.reason)
                continue
            copy = self._standings.copy(program.name)
            if copy is None or not _is_about(copy, holding) or copy.wants_another:
                wanted.append(holding)
            if copy is not None and copy.state is State.INVALID and measured.digest == copy.about.digest:
                replaced.append(copy.about.copy)
        return wanted, replaced

    async def _holding(self, program: Program) -> Holding:
        """Without a released digest: that of the copy, so that what was changed since is still measured as it."""
        copy = self._standings.copy(program.name)
        if program.released is not None:
            return Holding(program.name, program.version, program.released)
        if copy is not None and copy.about.version == program.version:
            return Holding(program.name, program.version, copy.about.digest)
        return Holding(program.name, program.version, (await self._measure(program)).digest)

    async def _validate(self, program: Program, pauses: Pauses) -> None:
        """What comes of it is in the store. A copy that the office knows no more is asked for anew, once.

        Raises what says that there was no answer.
        """
        before = self._standings.copy(program.name)
        await self._validate_held(program, pauses)
        held = self._standings.copy(program.name)
        if held is None or before is None or before.is_denied or not held.is_denied:
            return
        self._is_asked = False
        await self._ask_copies(pauses)
        given = self._standings.copy(program.name)
        if given is None or given.about.copy == held.about.copy:
            self._standings.refused(program.name, Refusal.DENIED)
        else:
            await self._validate_held(program, pauses)

    async def _validate_held(self, program: Program, pauses: Pauses) -> None:
        """Raises what says that there was no answer."""
        copy = self._standings.copy(program.name)
        if copy is None or copy.identifier is None:
            return
        try:
            copy = await self._desk.validate(copy, await self._measure(program), pauses)
        except NotEnabledError as error:
            self._standings.refused(program.name, error.reason)
        except RefusedError as error:
            self._standings.refused(program.name, error.refusal)
            if error.refusal is Refusal.UNAVAILABLE:
                raise
        except (NotCarriedError, OfficeError) as error:
            self._standings.unanswered(program.name, name_of_trouble(error))
            raise
        else:
            self._standings.answered(program.name, is_validated=copy.was_confirmed)
        finally:
            self._tell(program.name)
        self._standings.asked(program.name)

    def _tell(self, name: str) -> None:
        """Computers and the screen, when it is another word than before."""
        event = self._standings.change(name)
        if event is not None:
            self._announce(event)


def _is_about(copy: HeldCopy, holding: Holding) -> bool:
    about = copy.about
    return (about.version, about.digest) == (holding.version, holding.digest)
