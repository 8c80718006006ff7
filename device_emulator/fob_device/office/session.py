"""Sessions with a server (R19, R20, R28): both sides prove K, and speak under keys of this session alone."""

from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from fob_protocol.office.conversation import Conversation, Speaker
from fob_protocol.office.envelope import Service
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.hashing import is_same
from fob_protocol.office.limits import SESSION_MESSAGES, SESSION_TIME
from fob_protocol.office.message import Message, read
from fob_protocol.office.session import (
    Direction,
    Open,
    Opened,
    Prove,
    Proved,
    Said,
    Say,
    ServerProof,
    SessionKeys,
    Transcript,
    agree,
    client_proof,
)

_KEY_SIZE = 32
_NONCE_SIZE = 16
# What is left of a session in which nothing new is begun: the office's clock may be a little ahead.
_REST = 60


@dataclass(slots=True)
class LiveSession:
    """In memory only: a power cut ends it. `opened` and the clock of `is_good` are in seconds."""

    speaker: Speaker
    keys: SessionKeys
    opened: float
    next_number: int = 1
    # The computers (H of the public key) for which entitlements were asked in it.
    told_for: set[bytes] = field(default_factory=set)

    def is_good(self, clock: float) -> bool:
        """Whether something may still be said in it."""
        return 0 <= clock - self.opened < SESSION_TIME - _REST and self.next_number <= SESSION_MESSAGES


def open_session(speaker: Speaker, user_code: bytes, key: bytes, clock: float) -> Conversation[LiveSession]:
    """`key` is K. Raises OfficeError WRONG_PROOF when the server does not show that it has it too."""
    private = X25519PrivateKey.from_private_bytes(speaker.random(_KEY_SIZE))
    mine = private.public_key().public_bytes_raw()
    answer = yield speaker.ask(Service.SESSION, Open(user_code, mine))
    opened = read(Opened, answer.body)
    shared = agree(private, opened.key)
    challenge = speaker.random(_NONCE_SIZE)
    transcript = Transcript(
        speaker.server.server, user_code, opened.session, mine, opened.key, opened.challenge, challenge
    )
    proof = client_proof(key, transcript)
    answer = yield speaker.ask(Service.SESSION, Prove(opened.session, challenge, proof))
    keys = SessionKeys.agreed(key, shared, transcript)
    said = read(ServerProof, keys.unseal(Direction.TO_DEVICE, 0, read(Proved, answer.body).sealed))
    if not is_same(said.challenge, challenge):
        raise OfficeError(Fault.WRONG_PROOF, "the server answered another challenge")
    return LiveSession(speaker, keys, clock)


def say(session: LiveSession, message: Message) -> Conversation[bytes]:
    """A message of the session, and what is said to it. Its number is used up before it is sent."""
    number, session.next_number = session.next_number, session.next_number + 1
    sealed = session.keys.seal(Direction.TO_SERVER, number, message.octets())
    answer = yield session.speaker.ask(Service.SESSION, Say(session.keys.session, number, sealed))
    return session.keys.unseal(Direction.TO_DEVICE, number, read(Said, answer.body).sealed)
