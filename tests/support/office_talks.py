"""What somebody has overheard between a holder, of either kind, and the office; opened: worse than it can be."""

from dataclasses import dataclass, field
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fob_protocol.integrity.validation import ChallengeGiven, GetChallenge, Validate
from fob_protocol.office.envelope import Answer, Service
from fob_protocol.office.message import Message
from support.holder import HeldCopy, ReferenceHolder
from support.shipped_holder import OpenQuestion, ShippedHolder


class Talk(Protocol):
    """`requests` have been answered by `answers`, each with VAL_OK."""

    requests: list[Validate]
    answers: list[bytes]

    @property
    def key(self) -> Ed25519PrivateKey:
        """The holder's."""

    @property
    def number(self) -> bytes:
        """The copy's."""

    @property
    def sequence(self) -> tuple[int, int]:
        """PSI and VSSI, as the holder has them."""

    def go_on(self) -> None:
        """The holder asks, and is admitted."""

    def hold_back(self) -> Validate:
        """A request that the holder has made, and that does not leave."""

    def used_up(self) -> None:
        """That request was refused by an answer."""

    def believe(self, body: bytes) -> None:
        """The holder waits for the answer to a request of its own, and this one comes. Raises OfficeError."""


@dataclass
class ReferenceTalk:
    """Of the tests' own holder."""

    holder: ReferenceHolder
    requests: list[Validate] = field(default_factory=list)
    answers: list[bytes] = field(default_factory=list)

    @property
    def key(self) -> Ed25519PrivateKey:
        return self.holder.key

    @property
    def copy(self) -> HeldCopy:
        return self.holder.copies["rates"]

    @property
    def number(self) -> bytes:
        return self.copy.number

    @property
    def sequence(self) -> tuple[int, int]:
        return self.copy.program_number, self.copy.server_number

    def go_on(self) -> None:
        self.requests.append(self.hold_back())
        self.answers.append(self.holder.send(self.copy))
        self.holder.take(self.copy, self.answers[-1])

    def hold_back(self) -> Validate:
        return self.holder.request(self.copy, self.holder.challenge(self.copy))

    def used_up(self) -> None:
        self.copy.program_number, self.copy.pending = self.copy.program_number + 1, None

    def believe(self, body: bytes) -> None:
        self.holder.request(self.copy, bytes(32))
        try:
            self.holder.take(self.copy, body)
        finally:
            self.copy.pending = None


class ShippedTalk:
    """Of the holder that devices and PCs run."""

    def __init__(self, holder: ShippedHolder) -> None:
        self.holder = holder
        self.requests: list[Validate] = []
        self.answers: list[bytes] = []
        self._ask, holder.ask = holder.ask, self._overheard

    @property
    def key(self) -> Ed25519PrivateKey:
        return self.holder.key

    @property
    def number(self) -> bytes:
        return self.holder.row.about.copy

    @property
    def sequence(self) -> tuple[int, int]:
        return self.holder.row.program_number, self.holder.row.server_number

    def go_on(self) -> None:
        assert self.holder.validate().was_confirmed

    def hold_back(self) -> Validate:
        conversation = self.holder.validation()
        question = next(conversation)
        while True:
            assert isinstance(question, OpenQuestion)
            if isinstance(question.message, Validate):
                return question.message
            assert isinstance(question.message, GetChallenge)
            body = self._ask(question.service, question.server.server, question.message)
            question = conversation.send(Answer(self.holder.now, body))

    def used_up(self) -> None:
        """It hears of it when it sends its request once more, which is what it does first."""

    def believe(self, body: bytes) -> None:
        before = self.holder.row
        conversation = self.holder.validation()
        question = next(conversation)
        assert isinstance(question, OpenQuestion)
        if isinstance(question.message, GetChallenge):
            conversation.send(Answer(self.holder.now, ChallengeGiven(bytes(32)).octets()))
        try:
            conversation.send(Answer(self.holder.now, body))
        finally:
            self.holder.row = before

    def _overheard(self, service: Service, server: str, message: Message) -> bytes:
        body = self._ask(service, server, message)
        if isinstance(message, Validate):
            self.requests.append(message)
            self.answers.append(body)
        return body
