"""What a holder makes of copies that came, and of letters that somebody typed; all is checked before any is kept."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from msgspec.structs import replace

from fob_protocol.integrity.copy_record import CopyRecord, read_copy_record
from fob_protocol.integrity.distribution import Copies, Copy, Holding
from fob_protocol.integrity.held_copy import Awaited, HeldCopy, Kept, copy_of
from fob_protocol.integrity.identifier import identifier_name, read_mark
from fob_protocol.office.certificate import Certificate, Usage
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.trust import Trust


@dataclass(frozen=True, slots=True)
class Receiver:
    """`holder` is the id of its key, `trust` as it is now; `held` is what there is of a program already."""

    holder: bytes
    trust: Trust
    held: Callable[[str], Kept | None]

    def taken(self, server: Certificate, answer: Copies, holdings: Iterable[Holding]) -> Mapping[str, HeldCopy]:
        """By program, what is held from now on. Raises OfficeError.

        A record says what its program has to be, whatever is held of it: measuring tells that, of this program alone.
        One of another version bars its holder from this one, which the server does not know.
        """
        asked = {one.program: one.version for one in holdings}
        taken = {}
        for given in answer.copies:
            about = read_copy_record(server, given.record, self.holder)
            if about.program not in asked:
                raise OfficeError(Fault.MALFORMED, f"a copy of {about.program}, which is not held")
            is_other = about.version != asked[about.program]
            taken[about.program] = self._taken(about, given, is_barring=is_other)
        return taken

    def _taken(self, about: CopyRecord, given: Copy, *, is_barring: bool) -> HeldCopy:
        """A new copy, or what is held of this one: only its record may be newer."""
        self.trust.check(given.certificate, about.validation_server, Usage.VALIDATION)
        identifier = None if given.mark is None else _identifier(about, given.mark)
        kept = self.held(about.program)
        held = copy_of(kept)
        known = _numbered(held, about.copy)
        if known is None:
            barred = is_barring or _is_barred(held)
            since = self._waited_since(kept)
            return HeldCopy(given.record, given.certificate, identifier, since, is_barred=barred).beside(held)
        if known is not held and _is_barred(held) and not known.has_verdict:
            known = replace(known, state=None, is_barred=True)
        identifier = known.identifier or identifier
        return replace(known, record=given.record, certificate=given.certificate, identifier=identifier).beside(held)

    def _waited_since(self, kept: Kept | None) -> int:
        """What was never validated waits no longer for being given another copy."""
        if isinstance(kept, Awaited):
            return kept.since
        held = copy_of(kept)
        return held.received if held is not None and held.state is None else self.trust.time


def with_letter(held: Kept | None, identifier: bytes) -> HeldCopy | None:
    """After what was typed turned out to be the identifier of this copy; None: it is another copy's."""
    if not isinstance(held, HeldCopy) or held.about.identifier_name != identifier_name(identifier):
        return None
    return held if held.identifier else replace(held, identifier=identifier, is_typed=True)


def _numbered(held: HeldCopy | None, number: bytes) -> HeldCopy | None:
    """What is held of a copy, also when another version's has taken its place since."""
    remembered = () if held is None else (held, *held.others)
    return next((one for one in remembered if one.about.copy == number), None)


def _is_barred(held: HeldCopy | None) -> bool:
    """Whether the server's no stands until VAL_OK: an operator's word for another copy is none for its program.

    Of one whose identifier was lost, or that was denied, nobody knows what the server would have said.
    """
    return held is not None and (held.bars or held.wants_another)


def _identifier(about: CopyRecord, mark: bytes) -> bytes:
    """Raises OfficeError MALFORMED for another copy's."""
    identifier = read_mark(mark)
    if identifier_name(identifier) != about.identifier_name:
        raise OfficeError(Fault.MALFORMED, f"the mark of another copy of {about.program}")
    return identifier
