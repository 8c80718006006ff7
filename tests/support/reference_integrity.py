"""A distribution and a validation server of fob_protocol alone, in memory: as strict as docs/integrity-protocol.md."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from fob_protocol.cose.headers import key_id
from fob_protocol.integrity.cloning import CloneProof
from fob_protocol.integrity.copy_record import COMPONENT_POLICY, CopyRecord, Policy
from fob_protocol.integrity.distribution import (
    AskCopies,
    Copies,
    Copy,
    CopyRequest,
    Enrol,
    Holding,
    read_copy_request,
    read_enrolment,
)
from fob_protocol.integrity.evidence import Evidence, SecretPart, belongs, unverified_evidence, verify_evidence
from fob_protocol.integrity.identifier import identifier_name, mark_of, marked, next_identifier
from fob_protocol.integrity.letter import write_letter
from fob_protocol.integrity.limits import CHALLENGE_TIME, VALIDATION_TIME
from fob_protocol.integrity.measure import integrity_value, is_of_request
from fob_protocol.integrity.method import Embedder, Method, Technique, Variant
from fob_protocol.integrity.source import Octets
from fob_protocol.integrity.ticket import Ticket
from fob_protocol.integrity.validation import (
    ChallengeGiven,
    GetChallenge,
    NotValidated,
    State,
    Validate,
    Validated,
    Verdict,
)
from fob_protocol.office.certificate import Usage
from fob_protocol.office.errors import OfficeError, RefusedError
from fob_protocol.office.hashing import digest
from fob_protocol.office.message import Message, Version, read_one_of
from fob_protocol.office.refusals import Refusal
from support.office_signers import OfficeSigners, Server

METHOD: Final = Method(Technique.D7, Embedder.DISTRIBUTOR, Variant.VA_7)
TYPED: Final = Method(Technique.D4, Embedder.TOOL, Variant.VA_3)


@dataclass
class Known:
    """A program that the distribution server knows."""

    version: Version
    content: bytes
    method: Method
    policy: Policy


@dataclass
class CopyAt:
    """A copy at the office; `requests` are all that came, by H of the evidence, with the PSI each used up."""

    record: CopyRecord
    signed: bytes
    holder: bytes
    identifier: bytes
    state: State = State.VALID
    program_number: int = 0
    server_number: int = 0
    # Those for its next request, with the time of each.
    challenges: dict[bytes, int] = field(default_factory=dict)
    requests: dict[bytes, bytes] = field(default_factory=dict)
    used: dict[int, bytes] = field(default_factory=dict)
    last: tuple[bytes, Message] | None = None
    was_validated: bool = False
    is_over: bool = False


class ReferenceIntegrity:
    """`now` is the office's clock. `letters`: identifiers that were written and not used, with their programs."""

    def __init__(self, signers: OfficeSigners, now: Callable[[], int], *, is_one: bool = False) -> None:
        self._now = now
        self._signers = signers
        self._random = signers.random.randbytes
        usages = (Usage.DISTRIBUTION, Usage.VALIDATION) if is_one else (Usage.DISTRIBUTION,)
        self.distribution = signers.server("copies", *usages)
        self.validation = self.distribution if is_one else signers.server("validation", Usage.VALIDATION)
        self.known: dict[str, Known] = {}
        self.copies: dict[bytes, CopyAt] = {}
        self.letters: dict[bytes, str] = {}
        self.proofs: list[CloneProof] = []
        self.asked: list[CopyRequest] = []
        # Every VAL_REQ in the order that it came, with what came of it.
        self.log: list[tuple[Evidence, Message | Refusal]] = []
        self._counters: dict[bytes, int] = {}
        self._answers: dict[bytes, Message] = {}

    @property
    def servers(self) -> list[Server]:
        return [self.distribution] if self.distribution is self.validation else [self.distribution, self.validation]

    def knows(
        self, name: str, content: bytes, version: Version = (1, 0, 0), method: Method = METHOD,
        policy: Policy = COMPONENT_POLICY,
    ) -> None:  # fmt: skip
        """From now on it has copies of this program."""
        self.known[name] = Known(version, content, method, policy)

    def change_keys(self) -> None:
        """New ones of both servers; those of before open nothing any more."""
        one, other = self.distribution.certificate, self.validation.certificate
        is_one = self.distribution is self.validation
        self.distribution = self._signers.server(one.server, *one.usages, epoch=one.epoch + 1)
        self.validation = (
            self.distribution if is_one
            else self._signers.server(other.server, *other.usages, epoch=other.epoch + 1)
        )  # fmt: skip

    def copy(self, program: str) -> CopyAt:
        """The newest of a program."""
        return [copy for copy in self.copies.values() if copy.record.program == program][-1]

    def letter(self, program: str) -> str:
        """What a person types."""
        identifier = self._random(32)
        self.letters[identifier] = program
        return write_letter(identifier)

    def reissue(self, program: str) -> None:
        """The operator's word: another copy in the place of this one."""
        self.copy(program).is_over = True

    def distribute(self, server: Server, body: bytes) -> Message:
        """Service `distribution`."""
        assert server is self.distribution
        message = read_one_of((AskCopies, Enrol), body)
        if isinstance(message, Enrol):
            return self._enrol(message)
        assert isinstance(message, AskCopies)
        if message.request in self._answers:
            return self._answers[message.request]
        request = read_copy_request(message.request)
        if request.counter <= self._counters.get(request.holder, 0):
            raise RefusedError(Refusal.DENIED)
        self._counters[request.holder] = request.counter
        self.asked.append(request)
        for copy in map(self.copies.get, request.replaced):
            if copy is not None and copy.holder == request.holder and copy.state is State.INVALID:
                copy.is_over = True
        given = [self._copy_for(request.holder, holding) for holding in request.holdings]
        answer = self._answers[message.request] = Copies(tuple(copy for copy in given if copy is not None))
        return answer

    def validate(self, server: Server, body: bytes) -> Message:
        """Service `validation`."""
        assert server is self.validation
        message = read_one_of((GetChallenge, Validate), body)
        if isinstance(message, GetChallenge):
            challenge = self._random(32)
            if message.copy in self.copies:
                self.copies[message.copy].challenges[challenge] = self._now()
            return ChallengeGiven(challenge)
        assert isinstance(message, Validate)
        try:
            answer = self._answered(message)
        except RefusedError as error:
            self.log.append((unverified_evidence(message.evidence), error.refusal))
            raise
        self.log.append((unverified_evidence(message.evidence), answer))
        return answer

    def _enrol(self, message: Enrol) -> Message:
        enrolment = read_enrolment(message.enrolment)
        program = enrolment.holding.program
        written = [identifier for identifier, name in self.letters.items() if name == program]
        identifier = next((one for one in written if enrolment.proves(one)), None)
        if identifier is None:
            raise RefusedError(Refusal.LETTER_USED)
        del self.letters[identifier]
        for copy in self.copies.values():
            copy.is_over |= (copy.holder, copy.record.program) == (enrolment.holder, program)
        copy = self._made(enrolment.holder, program, self.known[program], identifier)
        return Copies((Copy(copy.signed, None, self.validation.signed),))

    def _copy_for(self, holder: bytes, holding: Holding) -> Copy | None:
        known = self.known.get(holding.program)
        if known is None or known.version != holding.version:
            return None
        held = [
            copy for copy in self.copies.values()
            if (copy.holder, copy.record.program, copy.record.version, copy.is_over)
            == (holder, holding.program, holding.version, False)
        ]  # fmt: skip
        copy = held[-1] if held else self._made(holder, holding.program, known, self._random(32))
        is_embedded = known.method.embedder is Embedder.DISTRIBUTOR and not copy.was_validated
        return Copy(copy.signed, mark_of(copy.identifier) if is_embedded else None, self.validation.signed)

    def _made(self, holder: bytes, program: str, known: Known, identifier: bytes) -> CopyAt:
        record = CopyRecord(
            self._random(16), program, known.version, len(known.content), digest(known.content), key_id(holder),
            known.method, known.policy, identifier_name(identifier), self.validation.certificate.server, self._now(),
        )  # fmt: skip
        copy = CopyAt(record, record.signed(self.distribution.signing_key), holder, identifier)
        self.copies[record.copy] = copy
        return copy

    def _answered(self, message: Validate) -> Message:
        copy = self.copies.get(unverified_evidence(message.evidence).copy)
        if copy is None:
            raise RefusedError(Refusal.DENIED)
        try:
            evidence = verify_evidence(copy.holder, message.evidence)
        except OfficeError:
            raise RefusedError(Refusal.DENIED) from None
        if not belongs(evidence, message.secret):
            raise RefusedError(Refusal.DENIED)
        name = digest(message.evidence)
        if copy.last is not None and copy.last[0] == name:
            return self._again(copy.last[1])
        if name in copy.requests:
            raise RefusedError(Refusal.REPLAYED)
        answer = self._judged(copy, evidence, message)
        copy.requests[name] = message.evidence
        copy.used[evidence.program_number] = message.evidence
        copy.program_number = max(copy.program_number, evidence.program_number)
        copy.last = name, answer
        copy.challenges.clear()
        if isinstance(answer, Validated) and answer.challenge is not None:
            copy.challenges[answer.challenge] = self._now()
        return self._again(answer)

    @staticmethod
    def _again(answer: Message) -> Message:
        if isinstance(answer, _RefusedAnswer):
            raise RefusedError(answer.refusal)
        return answer

    def _judged(self, copy: CopyAt, evidence: Evidence, message: Validate) -> Message:
        if copy.state is not State.VALID:
            return self._verdict(copy, evidence, message.evidence)
        if evidence.server != self.validation.certificate.server:
            return _RefusedAnswer(Refusal.OTHER_VERIFIER)
        if evidence.program_number in copy.used:
            copy.state = State.CLONED
            first = copy.used[evidence.program_number]
            self.proofs.append(CloneProof(copy.record.copy, copy.holder, first, message.evidence, self._now()))
            return self._verdict(copy, evidence, message.evidence)
        if (evidence.program_number, evidence.server_number) != (copy.program_number + 1, copy.server_number):
            raise RefusedError(Refusal.OUT_OF_SEQUENCE)
        refusal = self._untimely(copy, evidence, message.secret)
        if refusal is not None:
            return _RefusedAnswer(refusal)
        if not self._is_genuine(copy, evidence, message.secret):
            copy.state = State.INVALID
            return self._verdict(copy, evidence, message.evidence)
        return self._confirmed(copy, evidence, message.evidence)

    def _untimely(self, copy: CopyAt, evidence: Evidence, secret: SecretPart) -> Refusal | None:
        method = copy.record.method
        if method.technique.is_challenged:
            time = copy.challenges.get(secret.challenge or b"")
            if time is None or self._now() - time > CHALLENGE_TIME:
                return Refusal.STALE_CHALLENGE
        elif secret.challenge is not None:
            return Refusal.STALE_CHALLENGE
        if evidence.time < self._now() - VALIDATION_TIME:
            return Refusal.LATE
        has_iv = evidence.iv is not None
        if has_iv != method.variant.has_iv or (
            evidence.iv is not None and not is_of_request(evidence.iv, evidence.program_number)
        ):
            return Refusal.IV_USED
        return None

    def _is_genuine(self, copy: CopyAt, evidence: Evidence, secret: SecretPart) -> bool:
        source = marked(Octets(self.known[copy.record.program].content), mark_of(copy.identifier))
        value = integrity_value(copy.record.method, copy.identifier, evidence.iv, secret.challenge, source)
        return (secret.identifier, secret.integrity_value) == (copy.identifier, value)

    def _confirmed(self, copy: CopyAt, evidence: Evidence, signed: bytes) -> Validated:
        record = copy.record
        copy.server_number += 1
        copy.was_validated = True
        ticket = Ticket(
            self.validation.certificate.server, self._now(), self._now() + record.policy.lifetime, copy.holder,
            digest(signed), record.copy, record.program, record.version, identifier_name(copy.identifier),
            evidence.program_number, copy.server_number, evidence.iv,
        )  # fmt: skip
        seed = None
        if record.policy.rolls:
            seed = self._random(32)
            copy.identifier = next_identifier(copy.identifier, seed, record.copy, copy.server_number)
        challenge = self._random(32) if record.method.technique.is_challenged else None
        return Validated(ticket.signed(self.validation.signing_key), seed, challenge)

    def _verdict(self, copy: CopyAt, evidence: Evidence, signed: bytes) -> NotValidated:
        verdict = Verdict(copy.record.copy, evidence.program_number, copy.state, self._now(), digest(signed))
        return NotValidated(verdict.signed(self.validation.signing_key))


class _RefusedAnswer(Message, tag=9, frozen=True):
    """A refusal that is an answer: kept, and said again."""

    refusal: Refusal
