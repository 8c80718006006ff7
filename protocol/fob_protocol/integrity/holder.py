"""A holder's conversations about its copies, without I/O: whatever is dropped is taken up by the row that was kept."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fob_protocol.cose import sign1
from fob_protocol.cose.headers import key_id
from fob_protocol.integrity.challenges import Challenges
from fob_protocol.integrity.copy_record import CopyRecord
from fob_protocol.integrity.distribution import AskCopies, Copies, CopyRequest, Enrol, Enrolment, Holding
from fob_protocol.integrity.evidence import Evidence, SecretPart, commitment
from fob_protocol.integrity.held_copy import USED_UP, HeldCopy, Pending
from fob_protocol.integrity.identifier import identifier_name, mark_of, marked
from fob_protocol.integrity.measure import initialisation_value, integrity_value
from fob_protocol.integrity.measured import Measured
from fob_protocol.integrity.source import Octets
from fob_protocol.integrity.ticket import Ticket, read_ticket
from fob_protocol.integrity.validation import (
    ChallengeGiven,
    GetChallenge,
    NotValidated,
    Validate,
    Validated,
    read_verdict,
)
from fob_protocol.noise.keys import Random
from fob_protocol.office.conversation import Conversation, Speaker
from fob_protocol.office.envelope import Service
from fob_protocol.office.errors import Fault, OfficeError, RefusedError
from fob_protocol.office.hashing import digest
from fob_protocol.office.message import Message, read, read_one_of
from fob_protocol.office.refusals import Refusal

# A server that uses up number after number is not asked for ever.
_REQUESTS: Final = 3
_IV_RANDOM: Final = 8


@dataclass(frozen=True, slots=True)
class Holder:
    """`key` signs for its copies. `keep` has a copy on the disk when it returns. `clock`: seconds since 1970.

    `challenges` live as long as the holder's program.
    """

    key: Ed25519PrivateKey
    keep: Callable[[HeldCopy], None]
    random: Random = field(repr=False)
    clock: Callable[[], int]
    challenges: Challenges

    @property
    def public_key(self) -> bytes:
        """What evidence and presentations are verified by."""
        return self.key.public_key().public_bytes_raw()

    @property
    def key_id(self) -> bytes:
        """What records name the holder by."""
        return key_id(self.public_key)

    def ask_copies(
        self, speaker: Speaker, counter: int, holdings: tuple[Holding, ...], replaced: tuple[bytes, ...]
    ) -> Conversation[Copies]:
        """Copies of what is held. Raises RefusedError."""
        request = CopyRequest(self.public_key, counter, holdings, replaced)
        answer = yield speaker.ask(Service.DISTRIBUTION, AskCopies(request.signed(self.key)))
        return read(Copies, answer.body)

    def enrol(self, speaker: Speaker, holding: Holding, identifier: bytes) -> Conversation[Copies]:
        """A letter's copy becomes this holder's. Raises RefusedError."""
        enrolment = Enrolment.made(self.public_key, holding, identifier)
        answer = yield speaker.ask(Service.DISTRIBUTION, Enrol(enrolment.signed(self.key)))
        return read(Copies, answer.body)

    def settle(self, speaker: Speaker, copy: HeldCopy) -> Conversation[HeldCopy]:
        """The request that is under way has its answer. Raises RefusedError for one that leaves it under way."""
        pending = copy.pending
        if pending is None:
            return copy
        evidence = read(Evidence, sign1.unverified_payload(pending.evidence))
        try:
            answer = yield speaker.ask(Service.VALIDATION, Validate(pending.evidence, pending.secret))
        except RefusedError as error:
            if error.refusal is Refusal.UNAVAILABLE:
                raise
            copy = copy.refused(error.refusal, evidence)
            self.keep(copy)
            if error.refusal not in USED_UP:
                raise
            return copy
        copy = self._answered(speaker, copy, pending, read_one_of((Validated, NotValidated), answer.body))
        self.keep(copy)
        return copy

    def validate(self, speaker: Speaker, copy: HeldCopy, measured: Measured) -> Conversation[HeldCopy]:
        """What the server says of what was measured now. Raises RefusedError.

        What was under way before is settled first, and says nothing of now. So is what an identifier that somebody
        typed was good for: no integrity value that is shown later is one of such an identifier.
        """
        copy = yield from self.settle(speaker, copy)
        for _ in range(_REQUESTS):
            copy = yield from self._request(speaker, copy, measured)
            if copy.has_verdict or copy.was_confirmed:
                break
        return copy

    def _request(self, speaker: Speaker, copy: HeldCopy, measured: Measured) -> Conversation[HeldCopy]:
        """One new request, kept before it is sent, and its answer."""
        about = copy.about
        challenge = None
        if about.method.technique.is_challenged:
            challenge = self.challenges.take(about.copy, copy.program_number, self.clock())
            if challenge is None:
                answer = yield speaker.ask(Service.VALIDATION, GetChallenge(about.copy))
                challenge = read(ChallengeGiven, answer.body).challenge
        copy = copy.asking(self._pending(copy, about, challenge, measured))
        self.keep(copy)
        return (yield from self.settle(speaker, copy))

    def _pending(self, copy: HeldCopy, about: CopyRecord, challenge: bytes | None, measured: Measured) -> Pending:
        assert copy.identifier is not None  # noqa: S101 - else nothing is asked
        number = copy.program_number + 1
        iv = initialisation_value(number, self.random(_IV_RANDOM)) if about.method.variant.has_iv else None
        source = marked(Octets(measured.octets), mark_of(copy.identifier))
        secret = SecretPart(
            copy.identifier, integrity_value(about.method, copy.identifier, iv, challenge, source), challenge
        )
        evidence = Evidence(
            about.copy, number, copy.server_number, self.clock(), about.validation_server, iv, commitment(secret)
        )
        return Pending(evidence.signed(self.key), secret, measured.digest)

    def _answered(self, speaker: Speaker, copy: HeldCopy, pending: Pending, answer: Message) -> HeldCopy:
        """The copy after VAL_OK or a verdict. Raises OfficeError; nothing of the answer is taken then."""
        if isinstance(answer, NotValidated):
            verdict = read_verdict(speaker.server, answer.verdict, digest(pending.evidence))
            return copy.judged(verdict)
        assert isinstance(answer, Validated)  # noqa: S101 - one of the two
        ticket = read_ticket(speaker.server.signing_key, answer.ticket)
        evidence = read(Evidence, sign1.unverified_payload(pending.evidence))
        _check_ticket(self._expected(copy, pending, evidence, ticket), ticket)
        if answer.challenge is not None:
            self.challenges.keep(ticket.copy, ticket.program_number, evidence.time, answer.challenge)
        return copy.confirmed(pending, answer, ticket)

    def _expected(self, copy: HeldCopy, pending: Pending, evidence: Evidence, ticket: Ticket) -> Ticket:
        """What VAL_OK has to say; times are the server's own."""
        about = copy.about
        return Ticket(
            about.validation_server,
            ticket.time,
            ticket.until,
            self.public_key,
            digest(pending.evidence),
            about.copy,
            about.program,
            about.version,
            identifier_name(pending.secret.identifier),
            evidence.program_number,
            evidence.server_number + 1,
            evidence.iv,
        )


def _check_ticket(expected: Ticket, ticket: Ticket) -> None:
    if ticket != expected:
        raise OfficeError(Fault.STALE_ANSWER, "a ticket for another request, or for another copy")
