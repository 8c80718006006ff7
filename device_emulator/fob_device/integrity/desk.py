"""Speaks to distribution and validation servers for the device's copies; what comes of it is kept."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from fob_device.components.equipment import Equipment
from fob_device.integrity.store import CopyStore
from fob_device.office.carrier import NotCarriedError
from fob_device.office.directory import Directory
from fob_device.office.progress import Told
from fob_device.office.talker import Talker
from fob_protocol.integrity.challenges import Challenges
from fob_protocol.integrity.distribution import Copies, Holding
from fob_protocol.integrity.held_copy import Awaited, HeldCopy, NeedsNone, copy_of
from fob_protocol.integrity.holder import Holder
from fob_protocol.integrity.measured import Measured
from fob_protocol.integrity.receiving import Receiver, with_letter
from fob_protocol.integrity.servers import distribution_server, validation_server
from fob_protocol.noise.keys import Random
from fob_protocol.office.certificate import Usage
from fob_protocol.office.conversation import Conversation, Speaker
from fob_protocol.office.errors import OfficeError
from fob_protocol.office.retries import Pauses

T = TypeVar("T")

COPIES_WORDS: Final = "asking for copies"
LETTER_WORDS: Final = "sending a letter's copy"


@dataclass(frozen=True, slots=True)
class CopyDesk:
    """Methods raise what `Talker.hold` raises, CkrError and TokenFileError. `next_counter` is told what to begin at."""

    store: CopyStore
    device: Equipment
    talker: Talker
    directory: Directory
    next_counter: Callable[[int], int]
    random: Random = field(repr=False)
    challenges: Challenges = field(default_factory=Challenges)

    @property
    def holder(self) -> Holder:
        """The device's system key signs."""
        return Holder(
            self.device.signing_key,
            lambda copy: self.store.keep(copy.about.program, copy),
            self.random,
            lambda: self.now,
            self.challenges,
        )

    @property
    def now(self) -> int:
        """Seconds since 1970, not behind what servers have signed."""
        return self.talker.now

    @property
    def is_required(self) -> bool:
        """Whether a validation server is known: only then does anything need VAL_OK."""
        return bool(self.talker.known.listed(Usage.VALIDATION))

    async def ask_copies(self, holdings: Sequence[Holding], replaced: Sequence[bytes], pauses: Pauses) -> None:
        """For each holding its copy is kept, or that it needs none."""

        def ask() -> Conversation[Copies]:
            # By the time too: a device that was put back to an older state has no number a second time.
            counter = self.next_counter(self.talker.signed)
            return self.holder.ask_copies(self._distributor, counter, tuple(holdings), tuple(replaced))

        known = self._take(await self._hold(ask, Told(COPIES_WORDS), pauses), holdings)
        for holding in holdings:
            if holding.program not in known and not self._keeps_copy(holding):
                before = copy_of(self.store.get(holding.program))
                self.store.keep(holding.program, NeedsNone(holding.program, holding.version, holding.digest, before))

    def wait_for_first(self, program: str) -> None:
        """From now on: nothing was heard of this program yet."""
        self.store.keep(program, Awaited(program, self.now))

    async def enrol(self, holding: Holding, identifier: bytes, pauses: Pauses) -> None:
        """A letter's copy, whose identifier was typed here, becomes the device's."""

        def ask() -> Conversation[Copies]:
            return self.holder.enrol(self._distributor, holding, identifier)

        self._take(await self._hold(ask, Told(LETTER_WORDS), pauses), [holding])

    def take_letter(self, program: str, identifier: bytes) -> bool:
        """What was typed is the identifier of this program's copy from now on; False: it is another copy's."""
        held = self.store.get(program)
        known = with_letter(held, identifier)
        if known is not None and known != held:
            self.store.keep(program, known)
        return known is not None

    async def validate(self, copy: HeldCopy, measured: Measured, pauses: Pauses) -> HeldCopy:
        """What the server says of what was measured."""
        program = copy.about.program

        def ask() -> Conversation[HeldCopy]:
            # As it is kept now: a request that was said before is settled, and none made beside it.
            held = copy_of(self.store.get(program)) or copy
            server = validation_server(self.talker.known, held, self.talker.now)
            return self.holder.validate(Speaker(server, self.random), held, measured)

        return await self._hold(ask, Told(f"validating {program}"), pauses)

    async def _hold(self, ask: Callable[[], Conversation[T]], told: Told, pauses: Pauses) -> T:
        """By the newest keys: who may have others by now is asked again once it is known which they are."""
        if not self.directory.is_doubted:
            try:
                return await self.talker.hold(ask(), told, pauses, is_repeated=False)
            except (NotCarriedError, OfficeError) as error:
                self.directory.doubt(error)
                if not self.directory.is_doubted:
                    raise
        await self.directory.ask(pauses)
        return await self.talker.hold(ask(), told, pauses)

    @property
    def _distributor(self) -> Speaker:
        return Speaker(distribution_server(self.talker.known, self.talker.now), self.random)

    def _take(self, answer: Copies, holdings: Iterable[Holding]) -> set[str]:
        """Every copy is looked at before any is kept. For which programs one came. Raises OfficeError."""
        receiver = Receiver(self.device.key_id, self.talker.known.now(self.talker.now), self.store.get)
        taken = receiver.taken(self._distributor.server, answer, holdings)
        for program, copy in taken.items():
            if copy != self.store.get(program):
                self.store.keep(program, copy)
        return set(taken)

    def _keeps_copy(self, holding: Holding) -> bool:
        """One that the server has not spoken of is no reason to need none, and one that bars stays in each version."""
        held = self.store.get(holding.program)
        return isinstance(held, HeldCopy) and (held.bars or held.about.version == holding.version)
