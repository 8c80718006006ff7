"""The device's copies as one: asked about at each start, at intervals and on demand; at each use enabled or not."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Final

from fob_device.integrity.desk import CopyDesk
from fob_device.integrity.program import Program
from fob_device.office.carrier import NotCarried, NotCarriedError
from fob_device.office.trouble import name_of_trouble
from fob_device.office.workshop import Workshop
from fob_protocol.at.answer import Event
from fob_protocol.catalogue import EVENT_INTEGRITY
from fob_protocol.integrity.admission import NotEnabledError, Standing, is_graced, is_new, standing
from fob_protocol.integrity.distribution import Holding
from fob_protocol.integrity.held_copy import NEEDS_LETTER, NOT_VALIDATED, HeldCopy, Kept, NeedsNone
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
# Of a program that cannot be read, and so not be measured.
UNREADABLE: Final = "unreadable"
NEEDS_NONE: Final = "needs-none"


class Copies:
    """`own` is the device's own program, None: it is not looked at. `announce` tells every computer of a change.
    `wake` is called when `go_on` has something to do sooner than it was told, `rest` when nothing is asked for now.

    One conversation about copies at a time. Methods that ask raise what `Talker.hold` raises, CkrError, TokenFileError.
    """

    def __init__(
        self,
        desk: CopyDesk,
        own: Program | None,
        workshop: Workshop,
        random: Random,
        announce: Callable[[Event], None],
        wake: Callable[[], None],
        rest: Callable[[], None],
    ) -> None:
        self._desk = desk
        self._own = own
        self._workshop = workshop
        self._random = random
        self._announce = announce
        self._wake = wake
        self._rest = rest
        self._lock = asyncio.Lock()
        self._programs: dict[str, Program] = {}
        self._measured: dict[str, Measured] = {}
        # Since the start: whether copies were asked for; who was validated; when each was asked about last.
        self._is_asked = False
        self._validated: set[str] = set()
        self._asked: dict[str, int] = {}
        self._told: dict[str, str] = {}
        self._required: tuple[Known | None, bool] = (None, False)
        # Why there was no answer about a program.
        self.trouble: dict[str, str] = {}

    @property
    def programs(self) -> tuple[Program, ...]:
        """All that is here."""
        return tuple(self._programs.values())

    @property
    def is_required(self) -> bool:
        """Whether anything needs VAL_OK. Certificates are looked at again when others are known, not at each use."""
        known = self._desk.talker.known
        if known is not self._required[0]:
            self._required = known, self._desk.is_required
        return self._required[1]

    def started(self, components: Iterable[Program]) -> None:
        """Another set may run, or the same anew: what was validated before says nothing of it (V17)."""
        own = [] if self._own is None else [self._own]
        self._programs = {program.name: program for program in (*own, *components)}
        self._is_asked = False
        for kept in (self._validated, self._asked, self._measured, self.trouble):
            kept.clear()

    def kept(self, name: str) -> Kept | None:
        """Of a program."""
        return self._desk.store.get(name)

    def copy(self, name: str) -> HeldCopy | None:
        """Its copy, when it has one."""
        kept = self.kept(name)
        return kept if isinstance(kept, HeldCopy) else None

    def word(self, name: str) -> str:
        """How a program stands now: `valid`, `needs-none`, `not-validated`, or the verdict."""
        kept = self.kept(name)
        if isinstance(kept, NeedsNone):
            return NEEDS_NONE
        if kept is None:
            return NOT_VALIDATED
        return kept.word if kept.has_verdict or self._is_good(name, kept) else NOT_VALIDATED

    def reason(self, name: str) -> str:
        """Why it is not valid, by name."""
        kept = self.kept(name)
        if isinstance(kept, HeldCopy) and kept.identifier is None:
            return NEEDS_LETTER
        if isinstance(kept, HeldCopy) and kept.reason:
            return kept.reason
        return self.trouble.get(name, "")

    def integrity_value(self, name: str) -> bytes:
        """As last validated; empty before (V19)."""
        copy = self.copy(name)
        return (copy.integrity_value or b"") if copy else b""

    @property
    def news(self) -> list[Event]:
        """For a computer that has just come: what it would have been told of the copies that are not good."""
        good = (State.VALID.name.lower(), NEEDS_NONE)
        said = {name: word for name, word in self._told.items() if name in self._programs and word not in good}
        return [Event(EVENT_INTEGRITY, named) for named in said.items()]

    @property
    def due(self) -> list[Program]:
        """What is asked about without anybody who waits."""
        return [program for program in self._programs.values() if self._seconds_until(program) <= 0]

    @property
    def seconds_until_due(self) -> float | None:
        """When `go_on` has something to do: 0 is now, None never."""
        if not self.is_required or not self._programs:
            return None
        if not self._is_asked:
            return 0.0
        soonest = min(self._seconds_until(program) for program in self._programs.values())
        return None if soonest == float("inf") else max(soonest, 0.0)

    async def go_on(self, pauses: Pauses) -> None:
        """Copies are asked for, and whatever is due is validated. A no to one does not keep the others from asking."""
        async with self._asking():
            await self._ask_copies(pauses)
            for program in self.due:
                await self._validate(program, pauses)

    async def validate_all(self) -> None:
        """Now, on demand: what comes of it is in the store."""
        self._is_asked = False
        self._asked.clear()
        await self.go_on(Pauses(self._random))

    async def validate(self, name: str) -> None:
        """Now, on demand. Raises NotEnabledError; KeyError for a program that is not here."""
        program = self._programs[name]
        pauses = Pauses(self._random)
        async with self._asking():
            self._is_asked = False
            await self._ask_copies(pauses)
            if isinstance(self.kept(name), NeedsNone):
                return
            await self._validate(program, pauses)
        self._check_validated(name)

    async def admit(self, name: str) -> None:
        """Before a component, and all that it needs, is used. Raises NotEnabledError."""
        if not self.is_required:
            return
        programs = self._with_needed(name)
        for program in programs:
            self._check_verdict(program.name)
        for program in programs:
            await self._admit(program)

    async def admit_own(self) -> None:
        """Before a private key is used. What is asked at intervals is not waited for here while it is graced."""
        if self._own is None or not self.is_required:
            return
        copy = self.copy(self._own.name)
        if copy is None:
            return
        measured = self._measured.get(self._own.name) or await self._measure(self._own)
        goes_on = is_new(copy, self._desk.now) or is_graced(copy, self._desk.now, measured.digest)
        if not copy.has_verdict and copy.about.policy.interval and goes_on:
            if self._seconds_until(self._own) <= 0:
                self._wake()
            return
        await self._admit(self._own)

    async def enter_letter(self, name: str, identifier: bytes) -> None:
        """What a person typed for a program. Raises RefusedError LETTER_USED, NotEnabledError; KeyError."""
        program = self._programs[name]
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
        if self._standing(program.name) is Standing.ENABLED:
            return
        self._check_verdict(program.name)
        try:
            async with asyncio.timeout(ASK_TIME), self._asking():
                if self._standing(program.name) is Standing.ENABLED:
                    return
                await self._ask_about(program)
        except (NotCarriedError, OfficeError, RefusedError) as error:
            await self._admit_unasked(program, name_of_trouble(error))
        except TimeoutError:
            await self._admit_unasked(program, NotCarried.UNREACHABLE)
        else:
            self._check_validated(program.name)

    async def _ask_about(self, program: Program) -> None:
        pauses = Pauses(self._random)
        await self._ask_copies(pauses)
        if not isinstance(self.kept(program.name), NeedsNone):
            await self._validate(program, pauses)

    async def _admit_unasked(self, program: Program, trouble: str) -> None:
        """There was no answer. Raises NotEnabledError, but for what is graced."""
        measured, copy = await self._measure(program), self.copy(program.name)
        if copy is None or not is_graced(copy, self._desk.now, measured.digest):
            raise NotEnabledError(program.name, NOT_VALIDATED, trouble)

    def _standing(self, name: str) -> Standing:
        return standing(self.kept(name), self._desk.now, is_validated_here=name in self._validated)

    def _check_verdict(self, name: str) -> None:
        copy = self.copy(name)
        if copy is not None and copy.has_verdict:
            raise NotEnabledError(name, copy.word, copy.reason)

    def _check_validated(self, name: str) -> None:
        self._check_verdict(name)
        if not isinstance(self.kept(name), NeedsNone) and name not in self._validated:
            raise NotEnabledError(name, NOT_VALIDATED, self.reason(name))

    def _with_needed(self, name: str) -> list[Program]:
        """What a program needs, and it last."""
        found: dict[str, Program] = {}
        waiting = [name]
        while waiting:
            program = self._programs.get(waiting.pop())
            if program is not None and program.name not in found:
                found[program.name] = program
                waiting += program.needs
        return list(reversed(found.values()))

    async def _measure(self, program: Program) -> Measured:
        """Raises NotEnabledError for one that cannot be read."""
        try:
            octets = await self._workshop(program.find)
        except OSError:
            raise NotEnabledError(program.name, NOT_VALIDATED, UNREADABLE) from None
        measured = self._measured[program.name] = Measured.of(octets)
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
            self.trouble |= {holding.program: error.refusal for holding in wanted}
        self._is_asked = True
        for holding in wanted:
            self._tell(holding.program)

    async def _wanted(self) -> tuple[list[Holding], list[bytes]]:
        wanted, replaced = [], []
        for program in self.programs:
            try:
                measured, holding = await self._measure(program), await self._holding(program)
            except NotEnabledError as error:
                self.trouble[program.name] = error.reason
                continue
            copy = self.copy(program.name)
            if copy is None or not _is_about(copy, holding) or copy.state in (State.CLONED, State.DISABLED):
                wanted.append(holding)
            elif copy.state is State.INVALID and measured.digest == copy.about.digest:
                wanted.append(holding)
                replaced.append(copy.about.copy)
        return wanted, replaced

    async def _holding(self, program: Program) -> Holding:
        """Without a released digest: that of the copy, so that what was changed since is still measured as it."""
        copy = self.copy(program.name)
        if program.released is not None:
            return Holding(program.name, program.version, program.released)
        if copy is not None and copy.about.version == program.version:
            return Holding(program.name, program.version, copy.about.digest)
        return Holding(program.name, program.version, (await self._measure(program)).digest)

    async def _validate(self, program: Program, pauses: Pauses) -> None:
        """What comes of it is in the store. Raises what says that there was no answer."""
        copy = self.copy(program.name)
        if copy is None or copy.identifier is None:
            return
        try:
            copy = await self._desk.validate(copy, await self._measure(program), pauses)
        except NotEnabledError as error:
            self.trouble[program.name] = error.reason
            self._validated.discard(program.name)
        except RefusedError as error:
            self.trouble[program.name] = error.refusal
            self._validated.discard(program.name)
            if error.refusal is Refusal.UNAVAILABLE:
                raise
        except (NotCarriedError, OfficeError) as error:
            self.trouble[program.name] = name_of_trouble(error)
            raise
        else:
            self.trouble.pop(program.name, None)
            self._validated.discard(program.name)
            if copy.was_confirmed:
                self._validated.add(program.name)
        finally:
            self._tell(program.name)
        self._asked[program.name] = self._desk.now

    def _seconds_until(self, program: Program) -> float:
        """Of one that waits for its letter, or needs nothing: never."""
        copy = self.copy(program.name)
        if copy is None or copy.identifier is None:
            return float("inf")
        if program.name not in self._asked:
            return 0.0
        interval = copy.about.policy.interval
        if program is not self._own or not interval:
            return float("inf")
        return float(self._asked[program.name] + interval - self._desk.now)

    def _is_good(self, name: str, copy: HeldCopy) -> bool:
        """Whether a use now would be enabled without its server."""
        measured = self._measured.get(name)
        if copy.state is not State.VALID:
            return False
        return name in self._validated or (measured is not None and is_graced(copy, self._desk.now, measured.digest))

    def _tell(self, name: str) -> None:
        """Computers and the screen, when it is another word than before."""
        word = self.word(name)
        if self._told.get(name) != word:
            self._told[name] = word
            self._announce(Event(EVENT_INTEGRITY, (name, word)))


def _is_about(copy: HeldCopy, holding: Holding) -> bool:
    about = copy.about
    return (about.version, about.digest) == (holding.version, holding.digest)
