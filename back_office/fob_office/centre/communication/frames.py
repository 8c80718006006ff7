"""Between a web worker and a communication server of the same machine: questions and answers, sealed by others.

4 octets of length, then MessagePack: `[number, question]`, answered `[number, status, answer]` in any order.
"""

import asyncio
from enum import IntEnum
from typing import Final, TypeVar

import msgspec

from fob_protocol.office.limits import ANSWER_LIMIT, QUESTION_LIMIT

_LENGTH_SIZE: Final = 4
# What stands around the octets.
_AROUND: Final = 64
# Questions of one worker that have no answer yet.
QUESTIONS_IN_HAND: Final = 512

PartT = TypeVar("PartT")


class Status(IntEnum):
    """Of an answer."""

    OK = 0
    # No function server has a key that opens it, or it is no question.
    MALFORMED = 1
    # Nobody answers now; it may be asked again.
    UNAVAILABLE = 2


class Asked(msgspec.Struct, frozen=True, array_like=True):
    """A question of a device."""

    number: int
    question: bytes


class Answered(msgspec.Struct, frozen=True, array_like=True):
    """What goes back to it; of what is MALFORMED why, in UTF-8, and of what is UNAVAILABLE nothing."""

    number: int
    status: Status
    answer: bytes


class BrokenError(Exception):
    """The other side breaks the rules of frames."""


_LIMITS: Final[dict[type, int]] = {Asked: QUESTION_LIMIT + _AROUND, Answered: ANSWER_LIMIT + _AROUND}


def frame(part: Asked | Answered) -> bytes:
    """As it goes over the socket."""
    octets = msgspec.msgpack.encode(part)
    return len(octets).to_bytes(_LENGTH_SIZE) + octets


async def read_frame(reader: asyncio.StreamReader, kind: type[PartT]) -> PartT | None:
    """None is the end. Raises BrokenError."""
    try:
        size = int.from_bytes(await reader.readexactly(_LENGTH_SIZE))
        if size > _LIMITS[kind]:
            raise BrokenError(f"a frame of {size} octets")
        return msgspec.msgpack.decode(await reader.readexactly(size), type=kind)
    except (asyncio.IncompleteReadError, OSError):
        return None
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise BrokenError(str(error)) from None
