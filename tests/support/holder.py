"""Who holds copies, strictly by docs/integrity-protocol.md: for tests, of fob_protocol only, without I/O of its own.

Every step can be taken alone: a message to send, an answer to take. `Ask` carries one and gives the body of its answer.
"""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from random import Random
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from fob_protocol.cose.headers import key_id
from fob_protocol.integrity.copy_record import CopyRecord, read_copy_record
from fob_protocol.integrity.distribution import AskCopies, Copies, CopyRequest, Enrol, Enrolment, Holding
from fob_protocol.integrity.evidence import Evidence, SecretPart, commitment
from fob_protocol.integrity.identifier import identifier_name, mark_of, marked, next_identifier, read_mark
from fob_protocol.integrity.letter import read_letter
from fob_protocol.integrity.measure import initialisation_value, integrity_value
from fob_protocol.integrity.source import Octets
from fob_protocol.integrity.ticket import Ticket, read_ticket
from fob_protocol.integrity.validation import (
    ChallengeGiven,
    GetChallenge,
    NotValidated,
    Validate,
    Validated,
    Verdict,
    read_verdict,
)
from fob_protocol.office.certificate import Certificate, Usage, read_certificate
from fob_protocol.office.envelope import Service
from fob_protocol.office.errors import Fault, OfficeError, RefusedError
from fob_protocol.office.hashing import digest
from fob_protocol.office.message import Message, Version, read, read_one_of
from fob_protocol.office.refusals import Refusal

# A message to a service of a server in, the body of the answer out; raises whatever goes wrong on the way.
Ask = Callable[[Service, str, Message], bytes]

# Refusals that use a number up: they are answers, and the holder asks anew.
ANSWERS = (Refusal.OTHER_VERIFIER, Refusal.STALE_CHALLENGE, Refusal.LATE, Refusal.IV_USED)


@dataclass
class HeldCopy:
    """A copy with what its holder has to remember. `pending` is the request that was not answered yet."""

    record: CopyRecord
    validation: Certificate
    octets: bytes = field(repr=False)
    identifier: bytes = field(repr=False)
    program_number: int = 0
    server_number: int = 0
    pending: Validate | None = None
    ticket: bytes | None = None

    @property
    def number(self) -> bytes:
        """Its public name."""
        return self.record.copy


class ReferenceHolder:
    """One key and the copies that it signs for. `distribution` names its server."""

    def __init__(
        self, issuer: bytes, distribution: Certificate, ask: Ask, clock: Callable[[], int],
        *, key: Ed25519PrivateKey | None = None, seed: int = 1,
    ) -> None:  # fmt: skip
        self.random = Random(seed)
        self.key = key or Ed25519PrivateKey.from_private_bytes(self.random.randbytes(32))
        self.issuer = issuer
        self.distribution = distribution
        self.ask = ask
        self.clock = clock
        self.counter = 0
        self.copies: dict[str, HeldCopy] = {}

    @property
    def public_key(self) -> bytes:
        """Raw."""
        return self.key.public_key().public_bytes_raw()

    def clone(self, seed: int) -> "ReferenceHolder":
        """Another one with the same key and the same state, from now on on its own."""
        other = ReferenceHolder(self.issuer, self.distribution, self.ask, self.clock, key=self.key, seed=seed)
        other.counter, other.copies = self.counter, deepcopy(self.copies)
        return other

    # Distribution.

    def copy_request(self, holdings: Sequence[Holding], replaced: Sequence[bytes] = ()) -> AskCopies:
        """The next one, signed."""
        self.counter += 1
        request = CopyRequest(self.public_key, self.counter, tuple(holdings), tuple(replaced))
        return AskCopies(request.signed(self.key))

    def take_copies(self, body: bytes, programs: dict[str, bytes], letter: bytes | None = None) -> list[HeldCopy]:
        """What it is answered. `programs`: octets by name; `letter` is the identifier that came by another channel."""
        return [
            self._take(one.record, one.mark, one.certificate, programs, letter) for one in read(Copies, body).copies
        ]

    def fetch(self, programs: dict[str, bytes], version: Version = (1, 0, 0), replaced: Sequence[bytes] = ()) -> None:
        """Ask for a copy of each program, and take it."""
        holdings = [Holding(name, version, digest(octets)) for name, octets in programs.items()]
        body = self.ask(Service.DISTRIBUTION, self.distribution.server, self.copy_request(holdings, replaced))
        self.take_copies(body, programs)

    def enrolment(self, letter: str, name: str, octets: bytes, version: Version = (1, 0, 0)) -> Enrol:
        """With what a person has typed in."""
        holding = Holding(name, version, digest(octets))
        return Enrol(Enrolment.made(self.public_key, holding, read_letter(letter)).signed(self.key))

    def enrol(self, letter: str, name: str, octets: bytes, version: Version = (1, 0, 0)) -> HeldCopy:
        """A letter's copy becomes this holder's."""
        message = self.enrolment(letter, name, octets, version)
        body = self.ask(Service.DISTRIBUTION, self.distribution.server, message)
        [copy] = self.take_copies(body, {name: octets}, read_letter(letter))
        return copy

    def _take(
        self, signed: bytes, mark: bytes | None, certificate: bytes, programs: dict[str, bytes], letter: bytes | None
    ) -> HeldCopy:  # fmt: skip
        record = read_copy_record(self.distribution, signed, key_id(self.public_key))
        validation = read_certificate(self.issuer, certificate)
        assert validation.server == record.validation_server
        assert Usage.VALIDATION in validation.usages
        held = self.copies.get(record.program)
        if held is not None and held.number == record.copy:
            return held
        identifier = read_mark(mark) if mark is not None else letter or bytes(32)
        assert mark is None or identifier_name(identifier) == record.identifier_name
        copy = HeldCopy(record, validation, programs[record.program], identifier)
        self.copies[record.program] = copy
        return copy

    # Validation.

    def challenge(self, copy: HeldCopy) -> bytes | None:
        """A new one, where the technique has one."""
        if not copy.record.method.technique.is_challenged:
            return None
        body = self.ask(Service.VALIDATION, copy.validation.server, GetChallenge(copy.number))
        return read(ChallengeGiven, body).challenge

    def measure(self, copy: HeldCopy, iv: bytes | None, challenge: bytes | None) -> bytes:
        """What is there now."""
        source = marked(Octets(copy.octets), mark_of(copy.identifier))
        return integrity_value(copy.record.method, copy.identifier, iv, challenge, source)

    def request(self, copy: HeldCopy, challenge: bytes | None, **lies: Any) -> Validate:
        """The next VAL_REQ, stored; `lies` change evidence, `secret` the whole secret part."""
        number = copy.program_number + 1
        iv = initialisation_value(number, self.random.randbytes(8)) if copy.record.method.variant.has_iv else None
        secret = lies.pop("secret", None) or self.secret_part(copy, lies.get("iv", iv), challenge)
        assert isinstance(secret, SecretPart)
        evidence = Evidence(
            copy.number, number, copy.server_number, self.clock(), copy.validation.server, iv, commitment(secret)
        )
        copy.pending = Validate(replace(evidence, **lies).signed(self.key), secret)
        return copy.pending

    def secret_part(self, copy: HeldCopy, iv: object, challenge: bytes | None) -> SecretPart:
        """Measured, whatever the IV is."""
        assert iv is None or isinstance(iv, bytes)
        due = iv if copy.record.method.variant.has_iv else None
        return SecretPart(copy.identifier, self.measure(copy, due, challenge), challenge)

    def send(self, copy: HeldCopy) -> bytes:
        """The request that is under way. Raises RefusedError; one that is an answer ends it."""
        assert copy.pending is not None
        try:
            return self.ask(Service.VALIDATION, copy.validation.server, copy.pending)
        except RefusedError as error:
            if error.refusal in ANSWERS:
                copy.program_number, copy.pending = copy.program_number + 1, None
            raise

    def take(self, copy: HeldCopy, body: bytes) -> Ticket | Verdict:
        """The answer to the request that is under way, checked; then that is over. Raises OfficeError."""
        assert copy.pending is not None
        evidence = digest(copy.pending.evidence)
        answer = read_one_of((Validated, NotValidated), body)
        if isinstance(answer, NotValidated):
            verdict = read_verdict(copy.validation, answer.verdict, evidence)
            copy.program_number, copy.pending = copy.program_number + 1, None
            return verdict
        assert isinstance(answer, Validated)
        ticket = read_ticket(copy.validation.signing_key, answer.ticket)
        self._check(copy, ticket, evidence)
        if answer.seed is not None:
            copy.identifier = next_identifier(copy.identifier, answer.seed, copy.number, ticket.server_number)
        copy.program_number, copy.server_number = ticket.program_number, ticket.server_number
        copy.pending, copy.ticket = None, answer.ticket
        return ticket

    def _check(self, copy: HeldCopy, ticket: Ticket, evidence: bytes) -> None:
        record = copy.record
        if ticket.evidence != evidence:
            raise OfficeError(Fault.STALE_ANSWER, "a ticket for another request")
        assert (ticket.server, ticket.holder, ticket.copy) == (copy.validation.server, self.public_key, copy.number)
        assert (ticket.program, ticket.version) == (record.program, record.version)
        assert ticket.identifier_name == identifier_name(copy.identifier)
        assert ticket.program_number == copy.program_number + 1
        assert ticket.server_number > copy.server_number
        assert ticket.until - ticket.time == record.policy.lifetime

    def validate(self, name: str) -> Ticket | Verdict:
        """All of it; a request that was not answered is sent again before there is another one."""
        copy = self.copies[name]
        if copy.pending is None:
            self.request(copy, self.challenge(copy))
        return self.take(copy, self.send(copy))
