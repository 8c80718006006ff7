"""The device's side of a pairing."""

import hmac
from enum import Enum, auto
from typing import Final

from fob_protocol.at.values import decode_values, encode_values
from fob_protocol.errors import HandshakeError, ProtocolError
from fob_protocol.link.frames import Frame, Kind
from fob_protocol.names import plain_name
from fob_protocol.noise.handshake import XX, HandshakeState
from fob_protocol.noise.keys import KeyPair, Random
from fob_protocol.pairing.code import COMMITMENT_SIZE, commitment, comparison_code, prologue
from fob_protocol.pairing.confirmation import open_step, seal_step


class DeviceState(Enum):
    """Where the device stands; FAILED after an exception, for good."""

    WAITING = auto()
    OFFERED = auto()
    COMPARING = auto()
    PAIRED = auto()
    REFUSED = auto()
    FAILED = auto()


# The PC's step that each state waits for.
AWAITED: Final = {DeviceState.WAITING: 1, DeviceState.OFFERED: 3, DeviceState.COMPARING: 5}


class DevicePairing:
    """`receive` each PAIR frame and send what comes back; `decide` when the person has compared the code.

    A PC's frame that comes again gets the same answer again, so that a lost frame costs nothing.
    """

    def __init__(
        self, identity: KeyPair, versions: bytes, version: int, random: Random, *, name: str, serial: str
    ) -> None:
        self._identity = identity
        self._versions = versions
        self._version = version
        self._random = random
        self._introduction = encode_values((plain_name(name).encode(), plain_name(serial).encode()))
        self._commitment = b""
        self._noise: HandshakeState | None = None
        self._send_key = self._receive_key = b""
        self._answers: dict[int, Frame] = {}
        self._decision: bool | None = None
        self._pc_agreed: bool | None = None
        self.state = DeviceState.WAITING
        self.code = ""
        self.pc_key = b""
        self.pc_name = ""

    def was_begun_by(self, frame: Frame) -> bool:
        """True when this step 1 is the one that this pairing answers."""
        return frame.fields == (1,) and frame.body == self._commitment

    def receive(self, frame: Frame) -> Frame | None:
        """Take a PAIR frame; the frame to send, or None. Raises ProtocolError, and then the pairing has failed."""
        step = frame.fields[0]
        if self.state is DeviceState.FAILED:
            return None
        if step in self._answers:
            return self._answers[step]
        if step != AWAITED.get(self.state):
            return None
        try:
            return self._take(step, frame)
        except ProtocolError:
            self.state = DeviceState.FAILED
            raise

    def _take(self, step: int, frame: Frame) -> Frame | None:
        if step == 1:
            return self._remember(1, self._offer(frame.body))
        if step == 3:
            return self._remember(3, self._check(frame.body))
        self._learn_answer(frame)
        return self._conclude()

    def decide(self, equal: bool) -> Frame | None:
        """The device's person said whether the codes are equal; step 6 if the PC's person has answered too."""
        if self._decision is None and self.state is DeviceState.COMPARING:
            self._decision = equal
        return self._conclude()

    def _remember(self, step: int, answer: Frame) -> Frame:
        self._answers[step] = answer
        return answer

    def _offer(self, body: bytes) -> Frame:
        if len(body) != COMMITMENT_SIZE:
            raise HandshakeError("a commitment is 32 octets")
        self._commitment = body
        self._noise = HandshakeState(
            XX,
            initiator=True,
            prologue=prologue(self._versions, self._version, body),
            static=self._identity,
            random=self._random,
        )
        self.state = DeviceState.OFFERED
        return Frame(Kind.PAIR, (2,), self._noise.write())

    def _check(self, body: bytes) -> Frame:
        noise = self._noise
        if noise is None or noise.read(body) or noise.remote_ephemeral is None or noise.remote_static is None:
            raise HandshakeError("step 3 is two keys and no payload")
        if not hmac.compare_digest(commitment(noise.remote_ephemeral, noise.remote_static), self._commitment):
            raise HandshakeError("step 3 does not hold the keys that were committed to")
        self.code = comparison_code(noise.hash)
        self.pc_key = noise.remote_static
        answer = Frame(Kind.PAIR, (4,), noise.write(self._introduction))
        self._send_key, self._receive_key = noise.split()
        self.state = DeviceState.COMPARING
        return answer

    def _learn_answer(self, frame: Frame) -> None:
        match decode_values(open_step(self._receive_key, frame)):
            case (1, str(name)):
                self._pc_agreed, self.pc_name = True, plain_name(name)
            case (0,):
                self._pc_agreed = False
            case _:
                raise HandshakeError("step 5 is a yes with a name, or a no")

    def _conclude(self) -> Frame | None:
        """Step 6 as soon as the outcome is known: both yeses, or one no."""
        if self.state is not DeviceState.COMPARING or self._pc_agreed is None:
            return None
        if self._pc_agreed and self._decision is None:
            return None
        paired = bool(self._pc_agreed and self._decision)
        self.state = DeviceState.PAIRED if paired else DeviceState.REFUSED
        return self._remember(5, seal_step(self._send_key, 6, b"1" if paired else b"0"))
