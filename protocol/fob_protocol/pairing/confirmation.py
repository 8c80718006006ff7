"""Steps 5 and 6: the two yeses, sealed with the keys of the pairing's Split."""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from fob_protocol.errors import HandshakeError
from fob_protocol.link.frames import Frame, Kind


def seal_step(key: bytes, step: int, text: bytes) -> Frame:
    """A sealed PAIR frame; the nonce is the step, so each step has one text."""
    header = Frame(Kind.PAIR, (step,)).header
    return Frame(Kind.PAIR, (step,), ChaCha20Poly1305(key).encrypt(_nonce(step), text, header))


def open_step(key: bytes, frame: Frame) -> bytes:
    """The text of a sealed PAIR frame. Raises HandshakeError."""
    try:
        return ChaCha20Poly1305(key).decrypt(_nonce(frame.fields[0]), frame.body, frame.header)
    except InvalidTag:
        raise HandshakeError("a confirmation does not open") from None


def _nonce(step: int) -> bytes:
    return bytes((Kind.PAIR, 0, 0, 0)) + step.to_bytes(8, "big")
