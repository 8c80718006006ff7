"""A link of the chain: where an entry stands, what stood before it, what it says, and the device's signature."""

import hashlib
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from fob_protocol.at.values import Values, decode_values, encode_values
from fob_protocol.errors import AtSyntaxError
from fob_protocol.history.limits import (
    DETAILS_LIMIT,
    HASH_SIZE,
    KEY_SIZE,
    RECORD_LIMIT,
    SALT_SIZE,
    SIGNATURE_SIZE,
)

_DETAILS_LABEL: Final = b"Fob history details 1"
_RECORD_LABEL: Final = b"Fob history record 1"

# What stands before the first record.
GENESIS: Final = bytes(HASH_SIZE)


class LogKey:
    """The device's private log key, which signs records and heads and nothing else. `seed` has 32 octets."""

    def __init__(self, seed: bytes) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self._private.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """64 octets."""
        return self._private.sign(message)


def is_signed(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the log key `key` (public, 32 octets) signed `message`; False for what is no key or no signature."""
    if len(key) != KEY_SIZE or len(signature) != SIGNATURE_SIZE:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def details_digest(salt: bytes, details: bytes) -> bytes:
    """What a record holds of its details."""
    return hashlib.sha256(_DETAILS_LABEL + salt + details).digest()


@dataclass(frozen=True, slots=True)
class Record:
    """`sequence` counts from 1; `previous` is the hash of the record before, `digest` that of the details."""

    sequence: int
    previous: bytes
    digest: bytes

    def to_block(self) -> bytes:
        """The octets that are hashed and signed."""
        return encode_values((self.sequence, self.previous, self.digest))

    @classmethod
    def from_block(cls, block: bytes) -> "Record":
        """Raises AtSyntaxError for anything that `to_block` never gives."""
        if len(block) > RECORD_LIMIT:
            raise AtSyntaxError(f"a record over {RECORD_LIMIT} octets")
        match decode_values(block):
            case (int(sequence), bytes(previous), bytes(digest)) if len(previous) == len(digest) == HASH_SIZE:
                record = cls(sequence, previous, digest)
                if sequence > 0 and record.to_block() == block:
                    return record
        raise AtSyntaxError("this is no record")


@dataclass(frozen=True, slots=True)
class SignedRecord:
    """A record as it is kept and sent. `salt` and `details` are None for what concerns another computer."""

    block: bytes
    signature: bytes
    salt: bytes | None = None
    details: bytes | None = None

    @classmethod
    def make(cls, key: LogKey, sequence: int, previous: bytes, salt: bytes, details: bytes) -> "SignedRecord":
        """The record behind the one whose hash is `previous`."""
        block = Record(sequence, previous, details_digest(salt, details)).to_block()
        return cls(block, key.sign(_RECORD_LABEL + block), salt, details)

    @property
    def hash(self) -> bytes:
        """What the next record holds of this one."""
        return hashlib.sha256(_RECORD_LABEL + self.block).digest()

    @property
    def sequence(self) -> int | None:
        """None when it does not parse."""
        record = self.parse()
        return None if record is None else record.sequence

    def parse(self) -> Record | None:
        """The record, None for other octets."""
        try:
            return Record.from_block(self.block)
        except AtSyntaxError:
            return None

    def is_signed_by(self, key: bytes) -> bool:
        """Whether the log key `key` signed it."""
        return is_signed(key, _RECORD_LABEL + self.block, self.signature)

    def details_fit(self) -> bool:
        """Whether the details are those of the record; True where there are none to look at."""
        if self.salt is None and self.details is None:
            return True
        record, salt, details = self.parse(), self.salt or b"", self.details or b""
        return record is not None and len(salt) == SALT_SIZE and details_digest(salt, details) == record.digest

    def without_details(self) -> "SignedRecord":
        """As another computer sees it."""
        return SignedRecord(self.block, self.signature)

    def to_values(self) -> Values:
        """A line of an answer."""
        return (self.block, self.signature, self.salt, self.details)

    @classmethod
    def from_values(cls, values: Values) -> "SignedRecord":
        """Raises AtSyntaxError. What the octets are worth is for verify.py to say."""
        match values + (None,) * (4 - len(values)):
            case (bytes(block), bytes(signature), None, None):
                return cls(block, signature)
            case (bytes(block), bytes(signature), bytes(salt), bytes(details)) if len(details) <= DETAILS_LIMIT:
                return cls(block, signature, salt, details)
        raise AtSyntaxError("record, signature, and perhaps salt and details are due")
