"""A question sealed to a server, and the one answer that belongs to it (docs/office-protocol.md, section 3)."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from msgspec import Meta

from fob_protocol.cose import hpke, sign1
from fob_protocol.cose.cbor import Value, encode
from fob_protocol.cose.errors import CoseError
from fob_protocol.cose.headers import Context, key_id
from fob_protocol.cose.labels import Label
from fob_protocol.office.certificate import Certificate
from fob_protocol.office.errors import Fault, OfficeError, RefusedError
from fob_protocol.office.limits import REFUSAL_LIMIT
from fob_protocol.office.message import Message, Nonce, Octets32, Time, read
from fob_protocol.office.refusals import Refusal


class Service(StrEnum):
    """The last part of the path; `/v1/<service>`."""

    DIRECTORY = "directory"
    REGISTRATION = "registration"
    SESSION = "session"
    CONFIGURATION = "configuration"
    CONTENT = "content"
    REPORT = "report"
    DISTRIBUTION = "distribution"
    VALIDATION = "validation"
    METERING = "metering"


class Question(Message, tag=1, frozen=True):
    """`reply_key` (X25519) is made for this one question."""

    nonce: Nonce
    reply_key: Octets32
    body: bytes


class Answer(Message, tag=1, frozen=True):
    """`time` is the server's clock."""

    time: Time
    body: bytes


class Refused(Message, tag=0, frozen=True):
    """A body instead of the service's own. `retry_after` in seconds; `why` for people, no element where it is empty."""

    code: Refusal
    retry_after: Time | None
    why: Annotated[str, Meta(max_length=REFUSAL_LIMIT)] = ""

    def octets(self) -> bytes:
        """In deterministic CBOR."""
        said: list[Value] = [0, self.code.value, self.retry_after]
        return encode([*said, self.why] if self.why else said)


# Whose keys sign an answer that the asked ones did not: by the answer itself, before it is known to be anybody's.
Successor = Callable[[Answer], Certificate]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question under way: `sealed` goes to the office; the rest waits for its answer and is never said.

    Without a `successor` the keys that were asked sign the answer.
    """

    service: Service
    server: Certificate
    sealed: bytes
    reply_key: X25519PrivateKey = field(repr=False)
    successor: Successor | None = None

    def open(self, sealed: bytes) -> Answer:
        """The server's answer. Raises OfficeError, RefusedError."""
        context = _context(self.service, self.sealed)
        try:
            signed = hpke.unseal_with(self.reply_key, Label.ANSWER, context, sealed)
        except CoseError:
            raise OfficeError(Fault.STALE_ANSWER, "that is no answer to this question") from None
        try:
            answer = read(Answer, sign1.verify(self._signing_key(signed), Label.ANSWER, context, signed))
        except CoseError as error:
            raise OfficeError(Fault.WRONG_SIGNATURE, f"the answer is not {self.server.server}'s: {error}") from None
        _check_refused(answer)
        return answer

    def _signing_key(self, signed: bytes) -> bytes:
        """Raises CoseError, and what `successor` raises."""
        mine = self.server.signing_key
        if self.successor is None or sign1.signer_of(signed) == key_id(mine):
            return mine
        return self.successor(read(Answer, sign1.unverified_payload(signed))).signing_key


def ask(
    server: Certificate,
    service: Service,
    body: bytes,
    random: Callable[[int], bytes],
    successor: Successor | None = None,
) -> Asked:
    """A question to a server. `random` gives so many octets."""
    reply_key = X25519PrivateKey.from_private_bytes(random(32))
    question = Question(random(16), reply_key.public_key().public_bytes_raw(), body)
    sealed = hpke.seal_to(server.sealing_key, Label.QUESTION, [service], question.octets())
    return Asked(service, server, sealed, reply_key, successor)


def open_question(key: X25519PrivateKey, service: Service, sealed: bytes) -> Question:
    """At the office. Raises CoseError when it is not sealed to `key` for this service, OfficeError MALFORMED."""
    return read(Question, hpke.unseal_with(key, Label.QUESTION, [service], sealed))


def seal_answer(
    key: Ed25519PrivateKey, service: Service, question: Question, sealed_question: bytes, time: int, body: bytes
) -> bytes:
    """At the office. Raises CoseError SealError when the question's reply key is none."""
    context = _context(service, sealed_question)
    signed = sign1.sign(key, Label.ANSWER, context, Answer(time, body).octets())
    return hpke.seal_to(question.reply_key, Label.ANSWER, context, signed)


def _context(service: Service, sealed_question: bytes) -> Context:
    return [service, hashlib.sha256(sealed_question).digest()]


def _check_refused(answer: Answer) -> None:
    # An array of three or four whose first element is 0: no service's own message begins with 0.
    if answer.body[:2] in (b"\x83\x00", b"\x84\x00"):
        refused = read(Refused, answer.body)
        raise RefusedError(refused.code, refused.retry_after, refused.why, answer.time)
