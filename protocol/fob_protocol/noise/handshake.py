"""HandshakeState (Noise revision 34, section 5.3) for the patterns XX and IK (section 7.5)."""

from dataclasses import dataclass
from typing import Final

from fob_protocol.errors import HandshakeError
from fob_protocol.noise.keys import DH_SIZE, KeyPair, Random
from fob_protocol.noise.state import TAG_SIZE, SymmetricState


@dataclass(frozen=True, slots=True)
class Pattern:
    """A name and the tokens of each message; `known_responder` when the initiator has the responder's static key."""

    name: str
    messages: tuple[tuple[str, ...], ...]
    known_responder: bool = False

    @property
    def protocol_name(self) -> bytes:
        """The full name that starts the handshake hash (section 8)."""
        return f"Noise_{self.name}_25519_ChaChaPoly_SHA256".encode()


XX: Final = Pattern("XX", (("e",), ("e", "ee", "s", "es"), ("s", "se")))
IK: Final = Pattern("IK", (("e", "es", "s", "ss"), ("e", "ee", "se")), known_responder=True)


class HandshakeState:
    """One side of one handshake. Messages are written and read in turn; then `split` gives the transport keys."""

    def __init__(
        self,
        pattern: Pattern,
        *,
        initiator: bool,
        prologue: bytes,
        static: KeyPair,
        random: Random,
        remote_static: bytes | None = None,
    ) -> None:
        self._pattern = pattern
        self._initiator = initiator
        self._static = static
        self._random = random
        self._ephemeral: KeyPair | None = None
        self.remote_static = remote_static
        self.remote_ephemeral: bytes | None = None
        self._turn = 0
        self._symmetric = SymmetricState(pattern.protocol_name)
        self._symmetric.mix_hash(prologue)
        if pattern.known_responder:
            responder = remote_static if initiator else static.public
            self._symmetric.mix_hash(self._known(responder))

    @property
    def hash(self) -> bytes:
        """The handshake hash so far, 32 octets."""
        return self._symmetric.hash

    def use_ephemeral(self, ephemeral: KeyPair) -> None:
        """Take a key pair made beforehand, because it was committed to."""
        self._ephemeral = ephemeral

    def write(self, payload: bytes = b"") -> bytes:
        """The next message of this side."""
        out = bytearray()
        for token in self._next_tokens():
            if token == "e":
                out += self._write_ephemeral()
            elif token == "s":
                out += self._symmetric.encrypt_and_hash(self._static.public)
            else:
                self._mix_dh(token)
        return bytes(out) + self._symmetric.encrypt_and_hash(payload)

    def read(self, message: bytes) -> bytes:
        """The payload of the other side's next message. Raises HandshakeError."""
        place = 0
        for token in self._next_tokens():
            if token == "e":
                self.remote_ephemeral = _take(message, place, DH_SIZE)
                self._symmetric.mix_hash(self.remote_ephemeral)
                place += DH_SIZE
            elif token == "s":
                size = DH_SIZE + (TAG_SIZE if self._symmetric.cipher.has_key else 0)
                self.remote_static = self._symmetric.decrypt_and_hash(_take(message, place, size))
                place += size
            else:
                self._mix_dh(token)
        return self._symmetric.decrypt_and_hash(message[place:])

    def split(self) -> tuple[bytes, bytes]:
        """Keys (to send with, to receive with) once all messages have passed."""
        if self._turn != len(self._pattern.messages):
            raise HandshakeError("the handshake is not complete")
        first, second = self._symmetric.split()
        return (first, second) if self._initiator else (second, first)

    def _next_tokens(self) -> tuple[str, ...]:
        if self._turn == len(self._pattern.messages):
            raise HandshakeError("a message after the last")
        tokens = self._pattern.messages[self._turn]
        self._turn += 1
        return tokens

    def _write_ephemeral(self) -> bytes:
        if self._ephemeral is None:
            self._ephemeral = KeyPair.generate(self._random)
        self._symmetric.mix_hash(self._ephemeral.public)
        return self._ephemeral.public

    def _mix_dh(self, token: str) -> None:
        """`token` names the initiator's key first, then the responder's."""
        mine, theirs = (token[0], token[1]) if self._initiator else (token[1], token[0])
        pair = self._ephemeral if mine == "e" else self._static
        public = self.remote_ephemeral if theirs == "e" else self.remote_static
        if pair is None:
            raise HandshakeError("a message out of turn")
        self._symmetric.mix_key(pair.exchange(self._known(public)))

    @staticmethod
    def _known(public: bytes | None) -> bytes:
        if public is None:
            raise HandshakeError("the other side's key is not known yet")
        return public


def _take(message: bytes, place: int, size: int) -> bytes:
    part = message[place : place + size]
    if len(part) != size:
        raise HandshakeError("a handshake message is too short")
    return part
