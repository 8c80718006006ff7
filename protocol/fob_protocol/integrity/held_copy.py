"""What the device keeps of a copy: one sealed row for each program, replaced as a whole with every step."""

from functools import lru_cache
from typing import Annotated, Final

from msgspec import Meta
from msgspec.structs import replace

from fob_protocol.cose import sign1
from fob_protocol.integrity.copy_record import CopyRecord
from fob_protocol.integrity.evidence import Evidence, SecretPart
from fob_protocol.integrity.identifier import next_identifier
from fob_protocol.integrity.limits import HOLDINGS_LIMIT, OTHERS_LIMIT
from fob_protocol.integrity.method import Embedder
from fob_protocol.integrity.ticket import Ticket, unverified_ticket
from fob_protocol.integrity.validation import State, Validated, Verdict
from fob_protocol.office.message import Count, Message, Name, Octets32, Time, Version, read
from fob_protocol.office.refusals import Refusal

# Why a copy is not enabled, where no verdict says so.
NOT_VALIDATED: Final = "not-validated"
NEEDS_LETTER: Final = "needs-letter"
LOST_IDENTIFIER: Final = "lost-identifier"
# Of what goes on until its first VAL_OK, which it may wait for.
WAITING: Final = "waiting"

# Answers to a request that use its number up (docs/integrity-protocol.md, section 3).
USED_UP: Final = frozenset({
    Refusal.STALE_CHALLENGE, Refusal.LATE, Refusal.IV_USED, Refusal.OTHER_VERIFIER,
})  # fmt: skip


class Pending(Message, frozen=True):
    """A VAL_REQ that may have been sent. `measured` is H of what was measured for it."""

    evidence: bytes
    secret: SecretPart
    measured: Octets32

    def __repr__(self) -> str:
        return "Pending(...)"


class NeedsNone(Message, tag=2, frozen=True):
    """A program that the distribution server did not know when it was asked last.

    `before` is what was held of another version; an office gives no identifier twice.
    """

    program: Name
    version: Version
    digest: Octets32
    before: "HeldCopy | None" = None

    def is_of(self, version: Version, digest: bytes | None) -> bool:
        """Whether it was this one; None: only measuring tells its digest, which may be any then."""
        return self.version == version and digest in (None, self.digest)


class Awaited(Message, tag=3, frozen=True):
    """A program that needs a copy and has had no answer yet: VAL_OK is waited for since then."""

    program: Name
    since: Time


class HeldCopy(Message, tag=1, frozen=True):
    """`record` as the distribution server signed it, `certificate` of the validation server, `identifier` the UI.

    `program_number` is the PSI of the last request that was answered, `server_number` the newest VSSI. `validated`
    (DT), `measured` (H of what was measured) and `integrity_value` are of the last VAL_OK; the first one is waited for
    since `received`. `is_typed`: a person typed the identifier, so that others may have read it. `is_barred`: it takes
    the place of one that the server has said no to, and is good for nothing before VAL_OK. `others` are the copies of
    other versions that were held before, newest first: for when one of these runs again.
    """

    record: bytes
    certificate: bytes
    identifier: Octets32 | None
    received: Time
    is_typed: bool = False
    program_number: Count = 0
    server_number: Count = 0
    pending: Pending | None = None
    state: State | None = None
    reason: str = ""
    ticket: bytes | None = None
    validated: Time = 0
    measured: Octets32 | None = None
    integrity_value: Octets32 | None = None
    is_barred: bool = False
    others: Annotated[tuple["HeldCopy", ...], Meta(max_length=OTHERS_LIMIT)] = ()

    def __repr__(self) -> str:
        return "HeldCopy(...)"

    @property
    def about(self) -> CopyRecord:
        """What the record says; it was verified before it was stored."""
        return _about(self.record)

    @property
    def word(self) -> str:
        """`valid`, or why it is not."""
        if self.state is None:
            return NOT_VALIDATED
        return self.state.name.lower()

    @property
    def has_verdict(self) -> bool:
        """Whether the server has said no."""
        return self.state not in (None, State.VALID)

    @property
    def bars(self) -> bool:
        """Whether its holder is kept from the program in every version, until the server says another word."""
        return self.state in (State.CLONED, State.DISABLED) or (self.state is None and self.is_barred)

    @property
    def is_lost(self) -> bool:
        """Whether the identifier that came with it is here no more: an office gives none a second time."""
        return self.identifier is None and self.about.method.embedder is Embedder.DISTRIBUTOR

    @property
    def is_denied(self) -> bool:
        """Whether the server does not know it, or its holder: it may have lost what it made since a backup."""
        return self.state is not State.VALID and self.reason == Refusal.DENIED

    @property
    def wants_another(self) -> bool:
        """Whether there may be another one in its place: an operator's word is never told, but asked for."""
        return self.has_verdict or self.is_lost or self.is_denied

    def beside(self, held: "HeldCopy | None") -> "HeldCopy":
        """In the place of what was held, which is remembered where it is another version's."""
        before = () if held is None else (replace(held, others=()), *held.others)
        others = [one for one in before if one.about.version != self.about.version]
        return replace(self, others=tuple(others[:OTHERS_LIMIT]))

    @property
    def was_confirmed(self) -> bool:
        """Whether the last request that was answered was answered by VAL_OK."""
        if self.state is not State.VALID or self.ticket is None:
            return False
        return unverified_ticket(self.ticket).program_number == self.program_number

    def asking(self, pending: Pending) -> "HeldCopy":
        """Before the request is sent."""
        return replace(self, pending=pending)

    def confirmed(self, pending: Pending, answer: Validated, ticket: Ticket) -> "HeldCopy":
        """VAL_OK: new identifier, both numbers and ticket are there, and the request is forgotten, in one step.

        Of an identifier that somebody typed no value is kept, since it would be shown (V13): where it rolls, this
        VAL_OK is good for the next request alone.
        """
        identifier = pending.secret.identifier
        if answer.seed is not None:
            identifier = next_identifier(identifier, answer.seed, ticket.copy, ticket.server_number)
        if self.is_typed and answer.seed is not None:
            return replace(
                self._answered(ticket.program_number),
                identifier=identifier,
                is_typed=False,
                server_number=ticket.server_number,
                reason="",
            )
        return replace(
            self,
            identifier=identifier,
            program_number=ticket.program_number,
            server_number=ticket.server_number,
            pending=None,
            state=State.VALID,
            reason="",
            ticket=answer.ticket,
            validated=ticket.time,
            measured=pending.measured,
            integrity_value=None if self.is_typed else pending.secret.integrity_value,
        )

    def judged(self, verdict: Verdict) -> "HeldCopy":
        """The server's verdict about the request."""
        return replace(
            self._answered(verdict.program_number), state=verdict.state, reason=verdict.state.name.lower(), ticket=None
        )

    def refused(self, refusal: Refusal, evidence: Evidence) -> "HeldCopy":
        """The server's refusal of the request. Some use its number up and say nothing else; others stay its answer.

        Out of sequence is a fault of the office's memory (it was put back): that takes nothing from what was valid.
        Nothing but VAL_OK takes a verdict back.
        """
        if refusal in USED_UP:
            return replace(self._answered(evidence.program_number), reason=refusal)
        state = self.state if refusal is Refusal.OUT_OF_SEQUENCE or self.has_verdict else None
        return replace(self, state=state, reason=refusal)

    def _answered(self, program_number: int) -> "HeldCopy":
        return replace(self, program_number=program_number, pending=None)


@lru_cache(HOLDINGS_LIMIT)
def _about(record: bytes) -> CopyRecord:
    return read(CopyRecord, sign1.unverified_payload(record))


Kept = HeldCopy | NeedsNone | Awaited
KEPT: Final[tuple[type[Kept], ...]] = (HeldCopy, NeedsNone, Awaited)


def copy_of(kept: Kept | None) -> HeldCopy | None:
    """The copy that there is, of whatever version."""
    if isinstance(kept, NeedsNone):
        return kept.before
    return kept if isinstance(kept, HeldCopy) else None
