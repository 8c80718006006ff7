"""Records: frames with a sealed body (docs/protocol.md, section 3)."""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from fob_protocol.errors import RecordError
from fob_protocol.link.frames import Frame, Kind

# Two octets of a number travel; the other side finds the full number within this distance of what it knows.
NUMBER_SPAN = 1 << 16

# Kinds whose second field is an index.
INDEXED = frozenset({Kind.REQUEST_PART, Kind.FETCH, Kind.ANSWER_PART, Kind.PART_RECEIVED})


def complete_number(low: int, highest: int) -> int:
    """The full number with these two low octets that is nearest to `highest` (never below 0)."""
    base = highest - highest % NUMBER_SPAN + low
    candidates = (base - NUMBER_SPAN, base, base + NUMBER_SPAN)
    return min((n for n in candidates if n >= 0), key=lambda n: abs(n - highest))


class Sealer:
    """Seals the records of one direction."""

    def __init__(self, key: bytes) -> None:
        self._cipher = ChaCha20Poly1305(key)

    def seal(self, kind: Kind, number: int, text: bytes = b"", *, part: tuple[int, ...] = ()) -> Frame:
        """A record; `part` is (index,) or (index, total) for the kinds that have them.

        The caller keeps to one text for each (kind, number, index): a nonce must never seal two.
        """
        fields = () if kind is Kind.CLOSE else (number % NUMBER_SPAN, *part)
        header = Frame(kind, fields).header
        index = part[0] if part else 0
        return Frame(kind, fields, self._cipher.encrypt(_nonce(kind, number, index), text, header))


class Opener:
    """Opens the records of the other direction."""

    def __init__(self, key: bytes) -> None:
        self._cipher = ChaCha20Poly1305(key)

    def open(self, frame: Frame, number: int) -> bytes:
        """The text of a record with this full number. Raises RecordError."""
        index = frame.fields[1] if frame.kind in INDEXED else 0
        try:
            return self._cipher.decrypt(_nonce(frame.kind, number, index), frame.body, frame.header)
        except InvalidTag:
            raise RecordError(f"a {frame.kind.name} record does not open") from None


def _nonce(kind: Kind, number: int, index: int) -> bytes:
    return bytes((kind, 0)) + index.to_bytes(2, "big") + number.to_bytes(8, "big")
