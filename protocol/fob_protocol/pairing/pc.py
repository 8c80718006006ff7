"""The PC's side of a pairing."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from fob_protocol.at.values import decode_values, encode_values
from fob_protocol.errors import HandshakeError, ProtocolError
from fob_protocol.link.frames import Frame, Kind
from fob_protocol.names import plain_name
from fob_protocol.noise.handshake import XX, HandshakeState
from fob_protocol.noise.keys import KeyPair, Random
from fob_protocol.pairing.code import commitment, comparison_code, prologue
from fob_protocol.pairing.confirmation import open_step, seal_step


class PcState(Enum):
    """Where the PC stands; it moves down this list, or ends in FAILED by an exception and stays there."""

    COMMITTED = auto()
    REVEALED = auto()
    COMPARING = auto()
    CONFIRMED = auto()
    PAIRED = auto()
    REFUSED = auto()
    FAILED = auto()


# The device's step that each state waits for.
AWAITED: Final = {PcState.COMMITTED: 2, PcState.REVEALED: 4, PcState.CONFIRMED: 6}


@dataclass(frozen=True, slots=True)
class PairedDevice:
    """What the PC keeps: the device's static key, and the name and serial number it gave."""

    key: bytes
    name: str
    serial: str


class PcPairing:
    """`start`, then `receive` each PAIR frame and send what comes back; `confirm` once the person has compared."""

    def __init__(self, identity: KeyPair, versions: bytes, version: int, random: Random) -> None:
        self._identity = identity
        self._ephemeral = KeyPair.generate(random)
        self._commitment = commitment(self._ephemeral.public, identity.public)
        self._noise = HandshakeState(
            XX,
            initiator=False,
            prologue=prologue(versions, version, self._commitment),
            static=identity,
            random=random,
        )
        self._noise.use_ephemeral(self._ephemeral)
        self._send_key = self._receive_key = b""
        self.state = PcState.COMMITTED
        self.code = ""
        self.device: PairedDevice | None = None
        self.last_frame: Frame = Frame(Kind.PAIR, (1,), self._commitment)

    def start(self) -> Frame:
        """Step 1."""
        return self.last_frame

    def receive(self, frame: Frame) -> Frame | None:
        """Take a PAIR frame; the frame to send next, None while the person is asked. Raises ProtocolError.

        A frame that came before, or one for another state, changes nothing. A bad one ends the pairing: whoever sent it
        gets no second try with the same keys.
        """
        if frame.fields[0] != AWAITED.get(self.state):
            return None
        try:
            return self._take(frame)
        except ProtocolError:
            self.state = PcState.FAILED
            raise

    def _take(self, frame: Frame) -> Frame | None:
        if self.state is PcState.COMMITTED:
            return self._reveal(frame)
        if self.state is PcState.REVEALED:
            self._learn_device(frame)
        else:
            self._learn_answer(frame)
        return None

    def confirm(self, equal: bool, name: str) -> Frame:
        """Step 5: the person said whether the codes are equal; `name` is what the device shows for this PC."""
        if self.state is not PcState.COMPARING:
            raise HandshakeError("there is no code to confirm")
        self.state = PcState.CONFIRMED if equal else PcState.REFUSED
        text = encode_values((1, plain_name(name))) if equal else encode_values((0,))
        self.last_frame = seal_step(self._send_key, 5, text)
        return self.last_frame

    def _reveal(self, frame: Frame) -> Frame:
        if self._noise.read(frame.body):
            raise HandshakeError("step 2 carries no payload")
        self.last_frame = Frame(Kind.PAIR, (3,), self._noise.write())
        self.code = comparison_code(self._noise.hash)
        self.state = PcState.REVEALED
        return self.last_frame

    def _learn_device(self, frame: Frame) -> None:
        match decode_values(self._noise.read(frame.body)), self._noise.remote_static:
            case (bytes(name), bytes(serial)), bytes(key):
                self.device = PairedDevice(key, _read_name(name), _read_name(serial))
            case _:
                raise HandshakeError("step 4 is the device's name and serial number")
        self._send_key, self._receive_key = self._noise.split()
        self.state = PcState.COMPARING

    def _learn_answer(self, frame: Frame) -> None:
        answer = open_step(self._receive_key, frame)
        self.state = PcState.PAIRED if answer == b"1" else PcState.REFUSED


def _read_name(octets: bytes) -> str:
    return plain_name(octets.decode("utf-8", "replace"))
