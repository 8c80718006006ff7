"""Speaks to distribution and validation servers for the device's copies; what comes of it is kept."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from fob_device.components.equipment import Equipment
from fob_device.integrity.store import CopyStore
from fob_device.office.progress import Told
from fob_device.office.talker import Talker
from fob_protocol.integrity.distribution import Copies, Holding
from fob_protocol.integrity.held_copy import Awaited, HeldCopy, NeedsNone, copy_of
from fob_protocol.integrity.holder import Holder
from fob_protocol.integrity.measured import Measured
from fob_protocol.integrity.receiving import Receiver, with_letter
from fob_protocol.integrity.servers import distribution_server, validation_server
from fob_protocol.noise.keys import Random
from fob_protocol.office.certificate import Certificate, Usage
from fob_protocol.office.conversation import Speaker
from fob_protocol.office.retries import Pauses

COPIES_WORDS: Final = "asking for copies"
LETTER_WORDS: Final = "sending a letter's copy"


@dataclass(frozen=True, slots=True)
class CopyDesk:
    """Methods raise what `Talker.hold` raises, CkrError and TokenFileError."""

    store: CopyStore
    device: Equipment
    talker: Talker
    next_counter: Callable[[], int]
    random: Random = field(repr=False)

    @property
    def holder(self) -> Holder:
        """The device's system key signs."""
        return Holder(
            self.device.signing_key,
            lambda copy: self.store.keep(copy.about.program, copy),
            self.random,
            lambda: self.now,
        )

    @property
    def now(self) -> int:
        """The later of the device's clock and the latest time that a server signed."""
        return self.talker.known.now(self.talker.now).time

    @property
    def is_required(self) -> bool:
        """Whether a validation server is known: only then does anything need VAL_OK."""
        return bool(self.talker.known.listed(Usage.VALIDATION))

    async def ask_copies(self, holdings: Sequence[Holding], replaced: Sequence[bytes], pauses: Pauses) -> None:
        """For each holding its copy is kept, or that it needs none."""
        server = distribution_server(self.talker.known, self.talker.now)
        conversation = self.holder.ask_copies(
            Speaker(server, self.random), self.next_counter(), tuple(holdings), tuple(replaced)
        )
        answer = await self.talker.hold(conversation, Told(COPIES_WORDS), pauses)
        known = self._take(server, answer, holdings)
        for holding in holdings:
            if holding.program not in known and not self._keeps_copy(holding):
                before = copy_of(self.store.get(holding.program))
                self.store.keep(holding.program, NeedsNone(holding.program, holding.version, holding.digest, before))

    def wait_for_first(self, program: str) -> None:
        """From now on: nothing was heard of this program yet."""
        self.store.keep(program, Awaited(program, self.now))

    async def enrol(self, holding: Holding, identifier: bytes, pauses: Pauses) -> None:
        """A letter's copy, whose identifier was typed here, becomes the device's."""
        server = distribution_server(self.talker.known, self.talker.now)
        conversation = self.holder.enrol(Speaker(server, self.random), holding, identifier)
        self._take(server, await self.talker.hold(conversation, Told(LETTER_WORDS), pauses), [holding])

    def take_letter(self, program: str, identifier: bytes) -> bool:
        """What was typed is the identifier of this program's copy from now on; False: it is another copy's."""
        held = self.store.get(program)
        known = with_letter(held, identifier)
        if known is not None and known != held:
            self.store.keep(program, known)
        return known is not None

    async def validate(self, copy: HeldCopy, measured: Measured, pauses: Pauses) -> HeldCopy:
        """What the server says of what was measured."""
        speaker = Speaker(validation_server(self.talker.known, copy, self.talker.now), self.random)
        conversation = self.holder.validate(speaker, copy, measured)
        return await self.talker.hold(conversation, Told(f"validating {copy.about.program}"), pauses)

    def _take(self, server: Certificate, answer: Copies, holdings: Iterable[Holding]) -> set[str]:
        """Every copy is looked at before any is kept. For which programs one came. Raises OfficeError."""
        receiver = Receiver(self.device.key_id, self.talker.known.now(self.talker.now), self.store.get)
        taken = receiver.taken(server, answer, holdings)
        for program, copy in taken.items():
            if copy != self.store.get(program):
                self.store.keep(program, copy)
        return set(taken)

    def _keeps_copy(self, holding: Holding) -> bool:
        """One that the server has not spoken of is no reason to need none, and one that bars stays in each version."""
        held = self.store.get(holding.program)
        return isinstance(held, HeldCopy) and (held.bars or held.about.version == holding.version)
