"""The holder that devices and PCs run, `fob_protocol.integrity`, over a post and a disk that a test may take away."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from fob_protocol.cose.headers import key_id
from fob_protocol.integrity.challenges import Challenges
from fob_protocol.integrity.distribution import Holding
from fob_protocol.integrity.held_copy import HeldCopy
from fob_protocol.integrity.holder import Holder
from fob_protocol.integrity.measured import Measured
from fob_protocol.integrity.receiving import Receiver
from fob_protocol.integrity.ticket import Ticket, unverified_ticket
from fob_protocol.office.certificate import Certificate, read_certificate
from fob_protocol.office.conversation import Conversation, ResultT, Speaker
from fob_protocol.office.envelope import Answer, Asked, Service
from fob_protocol.office.errors import RefusedError
from fob_protocol.office.hashing import digest
from fob_protocol.office.message import Message
from fob_protocol.office.trust import Trust
from support.holder import Ask

_NOBODY_S_KEY = X25519PrivateKey.from_private_bytes(bytes(32))


@dataclass(frozen=True, slots=True)
class OpenQuestion(Asked):
    """What would be sealed. Sealing is ten times the work, and has tests of its own."""

    message: Message | None = None


class OpenSpeaker(Speaker):
    """Asks without a seal."""

    def ask(self, service: Service, message: Message) -> OpenQuestion:
        return OpenQuestion(service, self.server, b"", _NOBODY_S_KEY, None, message)


class ShippedHolder:
    """A copy of one program. `row` is what is on its disk; `keep` is called before anything gets there."""

    def __init__(
        self, issuer: bytes, distribution: Certificate, ask: Ask, clock: Callable[[], int],
        *, key: Ed25519PrivateKey, octets: bytes, seed: int = 1, keep: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        self.ask, self.key, self.keep = ask, key, keep
        self.octets = octets
        self._issuer = issuer
        self._distribution = distribution
        self._random = Random(seed).randbytes
        self._clock = clock
        self._row: HeldCopy | None = None
        self.challenges = Challenges()
        # Server numbers of the VAL_OK that got to the disk.
        self.confirmed: list[int] = []

    @property
    def row(self) -> HeldCopy:
        assert self._row is not None
        return self._row

    @row.setter
    def row(self, row: HeldCopy) -> None:
        self._row = row

    @property
    def now(self) -> int:
        """Its clock."""
        return self._clock()

    @property
    def ticket(self) -> Ticket:
        """Of the last VAL_OK."""
        assert self.row.ticket is not None
        return unverified_ticket(self.row.ticket)

    def fetch(self, program: str, version: tuple[int, int, int] = (1, 0, 0)) -> None:
        """Its first copy."""
        holding = Holding(program, version, digest(self.octets))
        answer = self.carry(self._holder().ask_copies(self._speaker(self._distribution), 1, (holding,), ()))
        trust = Trust(self._issuer, self._clock())
        receiver = Receiver(key_id(self.key.public_key().public_bytes_raw()), trust, lambda _: None)
        self._row = receiver.taken(self._distribution, answer, (holding,))[program]

    def validate(self) -> HeldCopy:
        """From what is on its disk. Raises RefusedError, OfficeError, and what post and disk raise."""
        return self.carry(self.validation())

    def validation(self) -> Conversation[HeldCopy]:
        """The same, question by question."""
        server = read_certificate(self._issuer, self.row.certificate)
        return self._holder().validate(self._speaker(server), self.row, Measured.of(self.octets))

    def carry(self, conversation: Conversation[ResultT]) -> ResultT:
        """To its end."""
        try:
            question = next(conversation)
            while True:
                question = self._post(conversation, question)
        except StopIteration as ended:
            result: ResultT = ended.value
            return result

    def _post(self, conversation: Conversation[ResultT], question: Asked) -> Asked:
        assert isinstance(question, OpenQuestion)
        assert question.message is not None
        try:
            body = self.ask(question.service, question.server.server, question.message)
        except RefusedError as refused:
            return conversation.throw(refused)
        return conversation.send(Answer(self._clock(), body))

    def _speaker(self, server: Certificate) -> Speaker:
        return OpenSpeaker(server, self._random)

    def _holder(self) -> Holder:
        return Holder(self.key, self._keep, self._random, self._clock, self.challenges)

    def _keep(self, row: HeldCopy) -> None:
        self.keep()
        if row.server_number != self.row.server_number:
            self.confirmed.append(row.server_number)
        self._row = row
