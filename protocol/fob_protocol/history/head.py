"""The device's word about where its history begins and ends, fresh for whoever asked."""

from dataclasses import dataclass
from typing import Final

from fob_protocol.at.values import Values
from fob_protocol.errors import AtSyntaxError
from fob_protocol.history.limits import HASH_SIZE, HISTORY_NONCE, KEY_SIZE, SIGNATURE_SIZE
from fob_protocol.history.record import GENESIS, LogKey, is_signed
from fob_protocol.limits import NUMBER_VALUE_LIMIT

_LABEL: Final = b"Fob history head 1"
_NUMBER_SIZE: Final = 8


@dataclass(frozen=True, slots=True)
class End:
    """`first`: sequence of the oldest record that is kept; `length`: of the newest; `hash`: the newest one's."""

    first: int = 1
    length: int = 0
    hash: bytes = GENESIS

    def __post_init__(self) -> None:
        """Raises ValueError for an end that no history has."""
        fits = len(self.hash) == HASH_SIZE and 1 <= self.first <= self.length + 1 and self.length <= NUMBER_VALUE_LIMIT
        if not fits or (self.length == 0 and self.hash != GENESIS):
            raise ValueError("a history has no such end")

    def message(self, nonce: bytes) -> bytes:
        """What the log key signs."""
        if len(nonce) != HISTORY_NONCE:
            raise ValueError(f"a nonce has {HISTORY_NONCE} octets")
        return _LABEL + nonce + self.first.to_bytes(_NUMBER_SIZE) + self.length.to_bytes(_NUMBER_SIZE) + self.hash


@dataclass(frozen=True, slots=True)
class Head:
    """An end that the log key `key` has signed for `nonce`."""

    end: End
    nonce: bytes
    key: bytes
    signature: bytes

    @classmethod
    def make(cls, key: LogKey, end: End, nonce: bytes) -> "Head":
        """The device's. Raises ValueError for a nonce of another size."""
        return cls(end, nonce, key.public, key.sign(end.message(nonce)))

    def is_signed_by(self, key: bytes) -> bool:
        """Whether the log key `key` signed it."""
        return is_signed(key, self.end.message(self.nonce), self.signature)

    def to_values(self) -> Values:
        """The line of an answer; who asks knows the nonce."""
        return (self.end.first, self.end.length, self.end.hash, self.key, self.signature)

    @classmethod
    def from_values(cls, values: Values, nonce: bytes) -> "Head":
        """Raises AtSyntaxError. Whether the signature holds is for verify.py to say."""
        match values:
            case (int(first), int(length), bytes(hash_), bytes(key), bytes(signature)):
                if len(key) == KEY_SIZE and len(signature) == SIGNATURE_SIZE:
                    return cls.from_fields(first, length, hash_, nonce, key, signature)
        raise AtSyntaxError("first, length, hash, log key and signature are due")

    @classmethod
    def from_fields(cls, first: int, length: int, hash_: bytes, nonce: bytes, key: bytes, signature: bytes) -> "Head":
        """Raises AtSyntaxError for an end or a nonce that there is not."""
        try:
            head = cls(End(first, length, hash_), nonce, key, signature)
            head.end.message(nonce)
        except ValueError as error:
            raise AtSyntaxError(str(error)) from None
        return head
