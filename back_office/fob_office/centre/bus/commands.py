"""What is said on the bus: commands, replies and refusals, in MessagePack.

It is decoded in C, and nothing on the bus is signed or stored as it is encoded there; what is, travels as octets.
"""

from collections.abc import Iterable
from functools import cache
from types import GenericAlias
from typing import Any, Final, Generic, TypeVar, Union, get_args

import msgspec

from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.limits import FRAME_LIMIT
from fob_office.centre.words import Word


class Reply(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag=True):
    """A subclass declares what is answered; its own name goes before the elements."""


ReplyT = TypeVar("ReplyT", bound=Reply)


class Command(msgspec.Struct, Generic[ReplyT], frozen=True, array_like=True, forbid_unknown_fields=True, tag=True):
    """`class Frank(Command[Franked], frozen=True)`: what is asked, and by which Reply it is answered."""


class Done(Reply, frozen=True):
    """There is nothing to say but that it is done."""


class MalformedError(Exception):
    """A frame that breaks the rules of frames: whoever sent it is no part of this data centre's programs."""


class _Answer(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """`[number, reply]`, or `[number, word, why, data]`."""

    number: int
    body: msgspec.Raw
    why: str | None = None
    data: bytes | None = None


class _Numbered(msgspec.Struct, frozen=True, array_like=True):
    number: int
    body: msgspec.Raw


class _Named(msgspec.Struct, frozen=True, array_like=True):
    name: str


# Arrays in arrays, thousands deep, end in the last.
_UNREADABLE: Final = (msgspec.DecodeError, msgspec.ValidationError, RecursionError)
_ENCODER: Final = msgspec.msgpack.Encoder()
_ANSWER: Final = msgspec.msgpack.Decoder(_Answer)
_NUMBERED: Final = msgspec.msgpack.Decoder(_Numbered)
_NAMED: Final = msgspec.msgpack.Decoder(_Named)
_WORD: Final = msgspec.msgpack.Decoder(str)


def reply_of(command: type[Command[ReplyT]]) -> type[ReplyT]:
    """The type that answers a command."""
    # `Command[Franked]`, as it was written.
    (base,) = vars(command)["__orig_bases__"]
    reply: type[ReplyT] = get_args(base)[0]
    return reply


def name_of(command: type[Command[Any]]) -> str:
    """The first element of every command of this type."""
    return str(command.__struct_config__.tag)


def encode_command(number: int, command: Command[Any]) -> bytes:
    """The frame. Raises ValueError for more than FRAME_LIMIT octets."""
    frame = _ENCODER.encode((number, command))
    if len(frame) > FRAME_LIMIT:
        raise ValueError(f"a {type(command).__name__} of {len(frame)} octets; a frame has {FRAME_LIMIT}")
    return frame


def encode_reply(number: int, reply: Reply) -> bytes:
    """The frame. Raises BusRefusedError TOO_LARGE."""
    frame = _ENCODER.encode((number, reply))
    if len(frame) > FRAME_LIMIT:
        raise BusRefusedError(Word.TOO_LARGE, f"the answer has {len(frame)} octets; a frame has {FRAME_LIMIT}")
    return frame


def encode_refusal(number: int, refused: BusRefusedError) -> bytes:
    """The frame. Raises ValueError for more than FRAME_LIMIT octets."""
    frame = _ENCODER.encode((number, refused.word, refused.why, refused.data))
    if len(frame) > FRAME_LIMIT:
        raise ValueError(f"a refusal of {len(frame)} octets; a frame has {FRAME_LIMIT}")
    return frame


class CommandReader:
    """Reads the commands of one table."""

    def __init__(self, commands: Iterable[type[Command[Any]]]) -> None:
        commands = tuple(commands)
        self._names = frozenset(map(name_of, commands))
        union: Any = Union[commands]  # noqa: UP007 - made of a tuple
        self._decoder: msgspec.msgpack.Decoder[tuple[int, Command[Any]]] = msgspec.msgpack.Decoder(
            GenericAlias(tuple, (int, union))
        )

    def read(self, frame: bytes) -> tuple[int, Command[Any] | BusRefusedError]:
        """The number, and the command or why it is refused. Raises MalformedError when there is no number."""
        try:
            return self._decoder.decode(frame)
        except _UNREADABLE as error:
            return self._refusal(frame, str(error))

    def _refusal(self, frame: bytes, why: str) -> tuple[int, BusRefusedError]:
        try:
            numbered = _NUMBERED.decode(frame)
            name = _NAMED.decode(numbered.body).name
        except _UNREADABLE:
            raise MalformedError("a frame without a number and a command") from None
        if name not in self._names:
            return numbered.number, BusRefusedError(Word.UNKNOWN_COMMAND, "it is not answered here")
        return numbered.number, BusRefusedError(Word.MALFORMED, why)


@cache
def _reply_decoder(command: type[Command[Any]]) -> msgspec.msgpack.Decoder[Any]:
    """One for each type of command, made when it is first asked."""
    return msgspec.msgpack.Decoder(reply_of(command))


def read_reply(command: Command[ReplyT], body: msgspec.Raw) -> ReplyT:
    """What answers this command. Raises MalformedError."""
    try:
        reply: ReplyT = _reply_decoder(type(command)).decode(body)
    except _UNREADABLE as error:
        raise MalformedError(f"an answer of another shape: {error}") from None
    return reply


def split_answer(frame: bytes) -> tuple[int, msgspec.Raw | BusRefusedError]:
    """The number, and the reply as it came or the refusal. Raises MalformedError."""
    try:
        answer = _ANSWER.decode(frame)
        if answer.why is None:
            return answer.number, answer.body
        return answer.number, BusRefusedError(_WORD.decode(answer.body), answer.why, answer.data)
    except _UNREADABLE:
        raise MalformedError("a frame that is no answer") from None
