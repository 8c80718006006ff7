"""Service `session`: mutual challenge and response with fresh keys, then sealed messages (R19, R20, R28, MP8)."""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Annotated

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from msgspec import Meta

from fob_protocol.cose import encrypt0
from fob_protocol.cose.cbor import encode
from fob_protocol.cose.errors import CoseError
from fob_protocol.cose.headers import Context
from fob_protocol.cose.labels import Label
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.hashing import authenticate, derive, digest
from fob_protocol.office.limits import SESSION_MESSAGES
from fob_protocol.office.message import Message, Nonce, Octets32

SessionNumber = Annotated[int, Meta(ge=1, le=SESSION_MESSAGES)]


class Direction(IntEnum):
    """Who speaks."""

    TO_SERVER = 1
    TO_DEVICE = 2


class Open(Message, tag=1, frozen=True):
    """`key` is X25519, of this session only."""

    user_code: Nonce
    key: Octets32


class Opened(Message, tag=1, frozen=True):
    """The server's challenge."""

    session: Nonce
    challenge: Nonce
    key: Octets32


class Prove(Message, tag=2, frozen=True):
    """The device's challenge, and its proof over all that was said."""

    session: Nonce
    challenge: Nonce
    proof: Octets32


class Proved(Message, tag=2, frozen=True):
    """The server's proof: that it seals the device's challenge under the session's key."""

    sealed: bytes


class Say(Message, tag=3, frozen=True):
    """A session message of the device."""

    session: Nonce
    number: SessionNumber
    sealed: bytes


class Said(Message, tag=3, frozen=True):
    """The server's answer of the same number."""

    sealed: bytes


class ServerProof(Message, frozen=True):
    """Message 0 of the server."""

    challenge: Nonce


@dataclass(frozen=True, slots=True)
class Transcript:
    """All that both sides have said before the first sealed message."""

    server: str
    user_code: bytes
    session: bytes
    device_key: bytes
    server_key: bytes
    server_challenge: bytes
    device_challenge: bytes

    def digest(self) -> bytes:
        """T."""
        return digest(
            encode([
                self.server, self.user_code, self.session, self.device_key, self.server_key,
                self.server_challenge, self.device_challenge,
            ])
        )  # fmt: skip


def client_proof(authentication_key: bytes, transcript: Transcript) -> bytes:
    """32 octets that only a holder of K can make for this conversation."""
    key = derive(authentication_key, None, ["fob/1 client proof"])
    return authenticate(key, transcript.digest())


def agree(private: X25519PrivateKey, public: bytes) -> bytes:
    """DH. Raises OfficeError for a key that gives no secret."""
    try:
        return private.exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError:
        raise OfficeError(Fault.MALFORMED, "that is no X25519 key") from None


@dataclass(frozen=True, slots=True)
class SessionKeys:
    """SES: a key for each direction. Messages are numbered, and each number is used once in a direction."""

    session: bytes
    to_server: bytes = field(repr=False)
    to_device: bytes = field(repr=False)

    @classmethod
    def agreed(cls, authentication_key: bytes, shared: bytes, transcript: Transcript) -> "SessionKeys":
        """From K and DH: who learns K later learns no session of before (R28)."""
        salt = transcript.server_challenge + transcript.device_challenge
        keys = derive(authentication_key + shared, salt, ["fob/1 session", transcript.digest()], 64)
        return cls(transcript.session, keys[:32], keys[32:])

    def seal(self, direction: Direction, number: int, message: bytes) -> bytes:
        """A session message."""
        context = self._context(direction, number)
        return encrypt0.seal(self._key(direction), _iv(number), Label.SESSION_MESSAGE, context, message)

    def unseal(self, direction: Direction, number: int, sealed: bytes) -> bytes:
        """What was said under this number. Raises OfficeError WRONG_PROOF for number 0, OUT_OF_ORDER for others."""
        try:
            context = self._context(direction, number)
            message, iv = encrypt0.unseal(self._key(direction), Label.SESSION_MESSAGE, context, sealed)
        except CoseError as error:
            fault = Fault.OUT_OF_ORDER if number else Fault.WRONG_PROOF
            raise OfficeError(fault, f"not message {number} of this session: {error}") from None
        if iv != _iv(number):
            raise OfficeError(Fault.OUT_OF_ORDER, "an IV that is not the number")
        return message

    def _context(self, direction: Direction, number: int) -> Context:
        return [self.session, direction, number]

    def _key(self, direction: Direction) -> bytes:
        return self.to_server if direction is Direction.TO_SERVER else self.to_device


def _iv(number: int) -> bytes:
    return number.to_bytes(encrypt0.IV_SIZE)
