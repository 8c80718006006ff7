"""The session handshake, Noise IK, both sides (docs/protocol.md, section 6)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from fob_protocol.at.values import decode_values, encode_values
from fob_protocol.errors import HandshakeError
from fob_protocol.link.frames import Frame, Kind
from fob_protocol.noise.handshake import IK, HandshakeState
from fob_protocol.noise.keys import KeyPair, Random

LABEL: Final = b"Fob session 1"
STEP_REQUEST, STEP_ANSWER = 1, 2
BOOT_SIZE = 8
SESSION_SIZE = 8


@dataclass(frozen=True, slots=True)
class Greeting:
    """What the device tells in the handshake: its start, this session, its objects' generation, its token flags."""

    boot: bytes
    session: bytes
    generation: int
    token_flags: int

    def encode(self) -> bytes:
        """The payload of step 2."""
        return encode_values((self.boot, self.session, self.generation, self.token_flags))

    @classmethod
    def decode(cls, payload: bytes) -> "Greeting":
        """The greeting in a payload. Raises AtSyntaxError or HandshakeError."""
        match decode_values(payload):
            case (bytes(boot), bytes(session), int(generation), int(token_flags)):
                return cls(boot, session, generation, token_flags)
        raise HandshakeError("a greeting is boot, session, generation and token flags")


@dataclass(frozen=True, slots=True)
class SessionKeys:
    """The record keys of one side, 32 octets each."""

    send: bytes = field(repr=False)
    receive: bytes = field(repr=False)


def prologue(versions: bytes, version: int) -> bytes:
    """What both sides must have seen of the versions offered and chosen."""
    return LABEL + versions + bytes((version,))


class SessionInitiator:
    """The PC's side: `start`, then `finish` with the device's frame."""

    def __init__(self, identity: KeyPair, device_key: bytes, versions: bytes, version: int, random: Random) -> None:
        self._state = HandshakeState(
            IK,
            initiator=True,
            prologue=prologue(versions, version),
            static=identity,
            remote_static=device_key,
            random=random,
        )

    def start(self) -> Frame:
        """Step 1; send the same frame again until step 2 comes."""
        return Frame(Kind.HANDSHAKE, (STEP_REQUEST,), self._state.write())

    def finish(self, frame: Frame) -> tuple[Greeting, SessionKeys]:
        """Step 2 read. Raises HandshakeError when it is not from the device with the key that was paired."""
        if frame.kind is not Kind.HANDSHAKE or frame.fields != (STEP_ANSWER,):
            raise HandshakeError("not step 2 of a session handshake")
        greeting = Greeting.decode(self._state.read(frame.body))
        return greeting, SessionKeys(*self._state.split())


@dataclass(frozen=True, slots=True)
class Accepted:
    """A session that the device accepted: its answer frame, the PC's key, the record keys."""

    frame: Frame
    pc_key: bytes
    keys: SessionKeys


def accept_session(
    frame: Frame,
    identity: KeyPair,
    versions: bytes,
    version: int,
    *,
    is_paired: Callable[[bytes], bool],
    greeting: Greeting,
    random: Random,
) -> Accepted | None:
    """The device's side: step 1 read, step 2 made; None for a PC that is not paired. Raises HandshakeError."""
    if frame.fields != (STEP_REQUEST,):
        raise HandshakeError("not step 1 of a session handshake")
    state = HandshakeState(IK, initiator=False, prologue=prologue(versions, version), static=identity, random=random)
    if state.read(frame.body):
        raise HandshakeError("step 1 carries no payload")
    pc_key = state.remote_static
    if pc_key is None or not is_paired(pc_key):
        return None
    answer = Frame(Kind.HANDSHAKE, (STEP_ANSWER,), state.write(greeting.encode()))
    return Accepted(answer, pc_key, SessionKeys(*state.split()))
