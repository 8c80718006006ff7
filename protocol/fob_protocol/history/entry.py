"""What an entry of the history says: its details (docs/protocol.md, section 4.2)."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, TypeVar

from fob_protocol.at.values import Value, decode_values, encode_values
from fob_protocol.caller import Caller
from fob_protocol.errors import AtSyntaxError
from fob_protocol.history.limits import COMPUTER_SIZE, DETAILS_LIMIT, INTEGRITY_VALUE_SIZE, WORDS_LIMIT
from fob_protocol.limits import NAME_LIMIT
from fob_protocol.names import plain_name

_COMPUTER_LABEL: Final = b"Fob history computer 1"

# Characters of a fingerprint that tell computers of one name apart: 48 bits, so that none are alike by chance.
_MARK_SIZE: Final = 8

_NOBODY: Final = Caller()

N = TypeVar("N", bound="Numbered")


class Numbered(IntEnum):
    """A number of the protocol; one that is not known yet is read as 0."""

    @classmethod
    def read(cls: type[N], number: int) -> N:
        """The member with this number."""
        return cls(number) if number in tuple(cls) else cls(0)


class Kind(Numbered):
    """What happened."""

    UNKNOWN = 0
    USE = 1
    LOGIN = 2
    WRONG_PIN = 3
    PIN_BLOCKED = 4
    PIN_CHANGED = 5
    UNLOCKED = 6
    PAIRED = 7
    UNPAIRED = 8
    KEY_MADE = 9
    KEY_IMPORTED = 10
    KEY_DELETED = 11
    SETTING_CHANGED = 12
    GRANT_REVOKED = 13
    TOKEN_INITIALIZED = 14
    COMPONENT_RUN = 15


class Outcome(Numbered):
    """What became of a request to use a key."""

    NONE = 0
    APPROVED = 1
    REFUSED = 2
    OUT_OF_TIME = 3
    WITHDRAWN = 4
    FAILED = 5


class By(Numbered):
    """What decided."""

    NONE = 0
    TAP = 1
    GRANT = 2
    SETTING = 3
    RULE = 4


class Use(Numbered):
    """What a key was to do."""

    NONE = 0
    SIGN = 1
    DECRYPT = 2
    DERIVE = 3


def computer_id(static_key: bytes) -> bytes:
    """What stands for a computer in its entries: 16 octets of its static key's digest."""
    return hashlib.sha256(_COMPUTER_LABEL + static_key).digest()[:COMPUTER_SIZE]


def fingerprint(computer: bytes) -> str:
    """What people compare of a computer: its `computer_id` in Base64."""
    return base64.b64encode(computer).decode().rstrip("=")


def marked_name(name: str, computer: bytes) -> str:
    """`me@pc (ctu3M2x2)`: a plain name with the beginning of the fingerprint, within NAME_LIMIT characters."""
    mark = f" ({fingerprint(computer)[:_MARK_SIZE]})"
    return plain_name(name, NAME_LIMIT - len(mark)) + mark


@dataclass(frozen=True, slots=True)
class Entry:
    """One event. Texts are plain and bounded; `time` in seconds since 1970, set with `boot` when it is kept.

    `computer`: whose entry it is (`computer_id`), empty for one of the phone's own; `words`: what else there is to say.
    `integrity_value`: of the program that did it, as last validated; empty where it never was (V19).
    """

    kind: Kind
    outcome: Outcome = Outcome.NONE
    by: By = By.NONE
    time: int = 0
    boot: int = 0
    computer: bytes = b""
    pc_name: str = ""
    caller: Caller = _NOBODY
    use: Use = Use.NONE
    key_label: str = ""
    key: int = 0
    uses: int = 0
    words: str = ""
    integrity_value: bytes = b""

    def __post_init__(self) -> None:
        object.__setattr__(self, "pc_name", plain_name(self.pc_name, NAME_LIMIT))
        object.__setattr__(self, "key_label", plain_name(self.key_label, NAME_LIMIT))
        object.__setattr__(self, "words", plain_name(self.words, WORDS_LIMIT))

    @property
    def operation(self) -> str:
        """`sign`; what a PIN of a single use was not typed for is not known yet."""
        return "use once" if self.use is Use.NONE else self.use.name.lower()

    def to_block(self) -> bytes:
        """The details."""
        numbers = (self.kind, self.outcome, self.by, self.time, self.boot)
        caller = b"" if self.caller == _NOBODY else self.caller.to_block()
        values: tuple[Value, ...] = (
            *(int(number) for number in numbers),
            *(self.computer, self.pc_name.encode(), caller, int(self.use)),
            *(self.key_label.encode(), self.key, self.uses, self.words.encode()),
            *((self.integrity_value,) if self.integrity_value else ()),
        )
        return encode_values(values)

    @classmethod
    def from_block(cls, block: bytes) -> "Entry":
        """Raises AtSyntaxError. Values that a later version added are ignored."""
        if len(block) > DETAILS_LIMIT:
            raise AtSyntaxError(f"details over {DETAILS_LIMIT} octets")
        match decode_values(block):
            case (
                int(kind), int(outcome), int(by), int(time), int(boot), bytes(computer), bytes(pc_name), bytes(caller),
                int(use), bytes(key_label), int(key), int(uses), bytes(words), *later,
            ) if len(computer) in (0, COMPUTER_SIZE):  # fmt: skip
                return cls(
                    Kind.read(kind), Outcome.read(outcome), By.read(by), time, boot, computer, _text(pc_name),
                    Caller.from_block(caller) if caller else _NOBODY, Use.read(use), _text(key_label), key, uses,
                    _text(words), _integrity_value(later),
                )  # fmt: skip
        raise AtSyntaxError("these are no details of an entry")


def _text(octets: bytes) -> str:
    return octets.decode(errors="replace")


def _integrity_value(later: Sequence[Value]) -> bytes:
    """The first of the values that were added; where there is none it is left out."""
    value = later[0] if later else b""
    if not isinstance(value, bytes) or (later and len(value) != INTEGRITY_VALUE_SIZE):
        raise AtSyntaxError("an integrity value has 32 octets")
    return value
