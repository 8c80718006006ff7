"""Signatures of calls: the text in each request that names its arguments' types, compiled into a decoder."""

from collections.abc import Callable
from struct import Struct
from typing import Final

from fob_daemon.rpc.attributes import read_attribute_buffers, read_template
from fob_daemon.rpc.mechanisms import read_mechanism
from fob_daemon.rpc.wire import U32, MalformedBodyError, Reader, raw_bytes

Arguments = tuple[object, ...]

# The label of C_InitToken2.
LABEL_LENGTH: Final = 32


def _label(reader: Reader) -> bytes | None:
    label = reader.raw_bytes()
    if label is not None and len(label) != LABEL_LENGTH:
        raise MalformedBodyError(f"a label of {len(label)} bytes, it has {LABEL_LENGTH}")
    return label


_READERS: dict[str, Callable[[Reader], object]] = {
    "y": Reader.byte,
    "u": Reader.ulong,
    "s": _label,
    "z": Reader.raw_bytes,
    "ay": Reader.byte_array,
    "fy": Reader.capacity,
    "fu": Reader.capacity,
    "fA": read_attribute_buffers,
    "aA": read_template,
    "M": read_mechanism,
}


def split_signature(signature: str) -> list[str]:
    """The types of a signature: "uayfy" has "u", "ay" and "fy"."""
    types: list[str] = []
    prefix = ""
    for letter in signature:
        if letter in "af":
            prefix = letter
        else:
            types.append(prefix + letter)
            prefix = ""
    return types


def message_head(call_id: int, signature: str) -> bytes:
    """What a body starts with: the call's id and its signature."""
    return U32.pack(call_id) + raw_bytes(signature.encode("ascii"))


class RequestDecoder:
    """Decodes the requests of one call."""

    __slots__ = ("_fixed", "_head", "_readers", "has_mechanism")

    def __init__(self, call_id: int, signature: str) -> None:
        types = split_signature(signature)
        self.has_mechanism = "M" in types
        self._head = message_head(call_id, signature)
        self._readers = [_READERS[name] for name in types]
        # Most calls of a chatty client have nothing but numbers, and one unpacking reads them all.
        self._fixed = Struct(">" + "Q" * len(types)) if set(types) <= {"u"} else None

    def decode(self, body: bytes, *, legacy_mechanisms: bool) -> Arguments:
        """The arguments of a request. Raises MalformedBodyError, or CkrError for what the arguments say."""
        head = self._head
        if not body.startswith(head):
            raise MalformedBodyError("the signature is another one")
        if self._fixed is not None:
            if len(body) != len(head) + self._fixed.size:
                raise MalformedBodyError("the body has another length")
            return self._fixed.unpack_from(body, len(head))
        reader = Reader(body, len(head), legacy_mechanisms=legacy_mechanisms)
        arguments = tuple([read(reader) for read in self._readers])
        reader.end()
        return arguments
