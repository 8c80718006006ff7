"""Frames: kind, fields, body, CRC-16, closed by a zero octet (docs/protocol.md, section 2)."""

import struct
from binascii import crc_hqx
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from fob_protocol.limits import FRAME_LIMIT
from fob_protocol.link import cobs

DELIMITER = b"\0"
CRC_START = 0xFFFF
LEAVE_TEXT = b"+++FOB"

# The tag of a record's seal: the least that a record's body holds.
_SEAL_SIZE: Final = 16


class Kind(IntEnum):
    """Frame kinds; from 0x10 on they are records, from 0x20 on the device's."""

    PAIR = 0x01
    HANDSHAKE = 0x02
    REFUSE = 0x03
    LEAVE = 0x04
    REQUEST = 0x10
    REQUEST_PART = 0x11
    FETCH = 0x12
    CANCEL = 0x13
    RELEASE = 0x14
    EVENT_RECEIVED = 0x15
    CLOSE = 0x16
    ANSWER = 0x20
    ANSWER_PART = 0x21
    PART_RECEIVED = 0x22
    WORKING = 0x23
    EVENT = 0x24


class Reason(IntEnum):
    """Why the device refuses a handshake."""

    VERSION = 1
    NOT_PAIRED = 2
    PAIRING_CLOSED = 3
    BAD_MESSAGE = 4
    PERSON_SAID_NO = 5
    BUSY = 6
    OUT_OF_TIME = 7


_STEP: Final = struct.Struct(">B")
_NUMBER: Final = struct.Struct(">H")
_INDEX: Final = struct.Struct(">HH")
_TOTAL: Final = struct.Struct(">HHH")
_NONE: Final = struct.Struct("")

_FIELDS: Final = {
    Kind.PAIR: _STEP,
    Kind.HANDSHAKE: _STEP,
    Kind.REFUSE: _STEP,
    Kind.LEAVE: _NONE,
    Kind.REQUEST: _NUMBER,
    Kind.REQUEST_PART: _TOTAL,
    Kind.FETCH: _INDEX,
    Kind.CANCEL: _NUMBER,
    Kind.RELEASE: _NUMBER,
    Kind.EVENT_RECEIVED: _NUMBER,
    Kind.CLOSE: _NONE,
    Kind.ANSWER: _NUMBER,
    Kind.ANSWER_PART: _TOTAL,
    Kind.PART_RECEIVED: _INDEX,
    Kind.WORKING: _NUMBER,
    Kind.EVENT: _NUMBER,
}


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame. `fields` are the kind's numbers: step or reason; number; number, index; number, index, total."""

    kind: Kind
    fields: tuple[int, ...] = ()
    body: bytes = field(default=b"", repr=False)

    @property
    def header(self) -> bytes:
        """Kind and fields as they travel: a record's associated data."""
        return bytes((self.kind,)) + _FIELDS[self.kind].pack(*self.fields)

    @property
    def is_from_pc(self) -> bool:
        """True when only a PC sends such a frame; of conversations in steps the PC has the odd ones."""
        return self.kind in _FROM_PC or (self.kind in _FROM_BOTH and self.fields[0] % 2 == 1)

    def to_bytes(self) -> bytes:
        """The octets on the line, with the closing zero."""
        content = self.header + self.body
        return cobs.encode(content + crc_hqx(content, CRC_START).to_bytes(2, "big")) + DELIMITER

    @classmethod
    def from_content(cls, content: bytes) -> "Frame | None":
        """The frame that decoded octets (without CRC) hold, None when the kind is unknown or its length wrong."""
        try:
            kind = Kind(content[0])
            fields = _FIELDS[kind]
            frame = cls(kind, fields.unpack_from(content, 1), content[1 + fields.size :])
        except (ValueError, IndexError, struct.error):
            return None
        return frame if frame._body_fits() else None

    def _body_fits(self) -> bool:
        if self.kind is Kind.LEAVE:
            return self.body == LEAVE_TEXT
        if self.kind is Kind.REFUSE:
            return not self.body
        return self.kind < Kind.REQUEST or len(self.body) >= _SEAL_SIZE


LEAVE: Final = Frame(Kind.LEAVE, (), LEAVE_TEXT)

# What a device says when it leaves data state. As COBS it would begin a frame of kind 0A, which there is none of.
NO_CARRIER: Final = b"\r\nNO CARRIER\r\n"

_FROM_PC: Final = frozenset(kind for kind in Kind if kind is Kind.LEAVE or Kind.REQUEST <= kind < Kind.ANSWER)
_FROM_BOTH: Final = frozenset({Kind.PAIR, Kind.HANDSHAKE})

# COBS adds an octet for each 254 begun.
_ENCODED_LIMIT: Final = FRAME_LIMIT + FRAME_LIMIT // cobs.RUN_LIMIT + 1


@dataclass(slots=True)
class FrameReader:
    """Octets in, whole frames out. Damage costs the frame it hit, never the next one; `damaged` counts it.

    `heard_no_carrier` is set by NO CARRIER where no frame can hold it: at a frame's beginning, or in octets that,
    once a zero closed them, were no frame.
    """

    damaged: int = 0
    heard_no_carrier: bool = False
    _buffer: bytearray = field(default_factory=bytearray, repr=False)
    _overlong: bool = False

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Take octets of the line; yields the frames they complete. The rest waits for more."""
        *whole, rest = data.split(DELIMITER)
        for text in whole:
            frame = self._close(text)
            if frame is not None:
                yield frame
        self._keep(rest)
        self.heard_no_carrier |= self._buffer.startswith(NO_CARRIER)

    def _keep(self, octets: bytes) -> None:
        if len(self._buffer) + len(octets) > _ENCODED_LIMIT:
            self._overlong = True
            self._buffer.clear()
        elif not self._overlong:
            self._buffer += octets

    def _close(self, octets: bytes) -> Frame | None:
        self._keep(octets)
        text, overlong = bytes(self._buffer), self._overlong
        self._buffer.clear()
        self._overlong = False
        if not text and not overlong:
            return None
        frame = None if overlong else _parse(text)
        if frame is None:
            self.damaged += 1
            self.heard_no_carrier |= NO_CARRIER in text
        return frame


def _parse(text: bytes) -> Frame | None:
    try:
        content = cobs.decode(text)
    except cobs.CobsError:
        return None
    if not 3 <= len(content) <= FRAME_LIMIT or crc_hqx(content, CRC_START):
        return None
    return Frame.from_content(content[:-2])
