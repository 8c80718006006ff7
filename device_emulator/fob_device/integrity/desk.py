"""Speaks to distribution and validation servers for the device's copies; what comes of it is kept."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from msgspec.structs import replace

from fob_device.components.equipment import Equipment
from fob_device.integrity.held_copy import HeldCopy, NeedsNone
from fob_device.integrity.holder import Holder
from fob_device.integrity.program import Measured
from fob_device.integrity.store import CopyStore
from fob_device.office.conversation import Speaker
from fob_device.office.progress import Told
from fob_device.office.retries import Pauses
from fob_device.office.talker import Talker
from fob_protocol.integrity.copy_record import CopyRecord, read_copy_record
from fob_protocol.integrity.distribution import Copies, Copy, Holding
from fob_protocol.integrity.identifier import identifier_name, read_mark
from fob_protocol.noise.keys import Random
from fob_protocol.office.certificate import Certificate, Usage
from fob_protocol.office.errors import Fault, OfficeError

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
        server = self._distribution_server()
        conversation = self.holder.ask_copies(
            Speaker(server, self.random), self.next_counter(), tuple(holdings), tuple(replaced)
        )
        answer = await self.talker.hold(conversation, Told(COPIES_WORDS), pauses)
        known = self._take(server, answer, holdings)
        for holding in holdings:
            if holding.program not in known and not self._has_copy_of(holding):
                self.store.keep(holding.program, NeedsNone(holding.program, holding.version, holding.digest))

    async def enrol(self, holding: Holding, identifier: bytes, pauses: Pauses) -> None:
        """A letter's copy, whose identifier was typed here, becomes the device's."""
        server = self._distribution_server()
        conversation = self.holder.enrol(Speaker(server, self.random), holding, identifier)
        self._take(server, await self.talker.hold(conversation, Told(LETTER_WORDS), pauses), [holding])

    def take_letter(self, program: str, identifier: bytes) -> bool:
        """What was typed is the identifier of this program's copy from now on; False: it is another copy's."""
        held = self.store.get(program)
        if not isinstance(held, HeldCopy) or held.about.identifier_name != identifier_name(identifier):
            return False
        if held.identifier is None:
            self.store.keep(program, replace(held, identifier=identifier, is_typed=True))
        return True

    async def validate(self, copy: HeldCopy, measured: Measured, pauses: Pauses) -> HeldCopy:
        """What the server says of what was measured."""
        about = copy.about
        speaker = Speaker(self._validation_server(copy, about), self.random)
        conversation = self.holder.validate(speaker, copy, measured)
        return await self.talker.hold(conversation, Told(f"validating {about.program}"), pauses)

    def _distribution_server(self) -> Certificate:
        """The first by name. Raises OfficeError OTHER_SERVER when none is known."""
        names = [one.server for one in self.talker.known.listed(Usage.DISTRIBUTION)]
        return self.talker.known.server(names[0] if names else "distribution", Usage.DISTRIBUTION, self.talker.now)

    def _validation_server(self, copy: HeldCopy, about: CopyRecord) -> Certificate:
        """By its newest certificate; the one that came with the copy at first. Raises OfficeError."""
        name, known = about.validation_server, self.talker.known
        signed = known.certificates.get(name, copy.certificate)
        return known.now(self.talker.now).check(signed, name, Usage.VALIDATION)

    def _take(self, server: Certificate, answer: Copies, holdings: Iterable[Holding]) -> set[str]:
        """Every copy is looked at before any is kept. For which programs one came. Raises OfficeError."""
        asked = {(one.program, one.version, one.digest) for one in holdings}
        taken = {}
        for given in answer.copies:
            about = read_copy_record(server, given.record, self.device.key_id)
            if (about.program, about.version, about.digest) not in asked:
                raise OfficeError(Fault.MALFORMED, f"a copy of {about.program}, which is not held")
            taken[about.program] = self._taken(about, given)
        for program, copy in taken.items():
            if copy != self.store.get(program):
                self.store.keep(program, copy)
        return set(taken)

    def _taken(self, about: CopyRecord, given: Copy) -> HeldCopy:
        """A new copy, or what is held of this one: only its record may be newer."""
        self.talker.known.now(self.talker.now).check(given.certificate, about.validation_server, Usage.VALIDATION)
        held = self.store.get(about.program)
        if isinstance(held, HeldCopy) and held.about.copy == about.copy:
            held = replace(held, record=given.record, certificate=given.certificate)
            return (
                held if held.identifier or given.mark is None else replace(held, identifier=_identifier(about, given))
            )
        identifier = None if given.mark is None else _identifier(about, given)
        return HeldCopy(given.record, given.certificate, identifier, self.now)

    def _has_copy_of(self, holding: Holding) -> bool:
        """One that the server has not spoken of is no reason to need none."""
        held = self.store.get(holding.program)
        return isinstance(held, HeldCopy) and held.about.version == holding.version


def _identifier(about: CopyRecord, given: Copy) -> bytes:
    """Raises OfficeError MALFORMED for another copy's."""
    identifier = read_mark(given.mark or b"")
    if identifier_name(identifier) != about.identifier_name:
        raise OfficeError(Fault.MALFORMED, f"the mark of another copy of {about.program}")
    return identifier
