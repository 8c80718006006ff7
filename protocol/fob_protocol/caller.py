"""Who asks for the use of a key, as the PC tells the device (docs/protocol.md, section 4.1)."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from fob_protocol.at.values import decode_values, encode_values
from fob_protocol.errors import AtSyntaxError
from fob_protocol.names import plain_name, shortened

# Numbers that a PC gives to callers; two digits keep a signature's request within its octets.
CALLERS_LIMIT: Final = 64

# From the program that asks to the one that began it all; a screen shows no more.
PROGRAMS_LIMIT: Final = 8
PROGRAM_SIZE: Final = 32
# A host's name (RFC 1035, 2.3.4) or a key's fingerprint; a namespace is shorter.
HOST_SIZE: Final = 255
NAMESPACE_SIZE: Final = 64

# What a device remembers for a PC; a list of all of it, with its words, fits one answer (TEXT_LIMIT).
GRANTS_LIMIT: Final = 64

# The answer to a caller's number that the device has no block of: CKR_VENDOR_DEFINED with a number of ours.
CALLER_UNKNOWN: Final = 0x8000_0001


class Purpose(IntEnum):
    """What a signature is for, as far as the PC can tell."""

    UNKNOWN = 0
    LOGIN = 1
    SIGNATURE = 2
    TLS_CLIENT = 3


@dataclass(frozen=True, slots=True)
class Caller:
    """A program with those that started it, and what it is about. Texts are plain and bounded on either side: the
    middle of a program's name and of a host that are longer is cut out, since both ends tell which they are.

    `host`: where a LOGIN goes; `namespace`: what a SIGNATURE is of, "git" or "file" (SSHSIG). `is_forwarded`: the
    request came through an ssh agent from another machine.
    """

    programs: tuple[str, ...] = ()
    purpose: Purpose = Purpose.UNKNOWN
    host: str = ""
    namespace: str = ""
    is_forwarded: bool = False

    def __post_init__(self) -> None:
        programs = tuple(plain_name(shortened(name, PROGRAM_SIZE)) for name in self.programs[:PROGRAMS_LIMIT])
        object.__setattr__(self, "programs", programs)
        object.__setattr__(self, "host", plain_name(shortened(self.host, HOST_SIZE), HOST_SIZE))
        object.__setattr__(self, "namespace", plain_name(self.namespace, NAMESPACE_SIZE))

    def to_block(self) -> bytes:
        """Purpose, forwarded, host, namespace, programs."""
        texts = (self.host, self.namespace, *self.programs)
        return encode_values((int(self.purpose), int(self.is_forwarded), *(text.encode() for text in texts)))

    @classmethod
    def from_block(cls, block: bytes) -> "Caller":
        """Raises AtSyntaxError. A purpose that is not known yet is UNKNOWN."""
        match decode_values(block):
            case (int(purpose), 0 | 1 as is_forwarded, *rest) if 2 <= len(rest) <= 2 + PROGRAMS_LIMIT:
                texts = [text.decode(errors="replace") for text in rest if isinstance(text, bytes)]
                if len(texts) == len(rest):
                    known = Purpose(purpose) if purpose in tuple(Purpose) else Purpose.UNKNOWN
                    return cls(tuple(texts[2:]), known, texts[0], texts[1], bool(is_forwarded))
        raise AtSyntaxError("this is no caller")
