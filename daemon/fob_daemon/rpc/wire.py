"""The value types of the p11-kit RPC protocol: a reader with every length checked, and the encoders of answers.

Integers are big-endian. `u` is a CK_ULONG of 8 bytes whatever the client's is; lengths and counts have 4 bytes.
"""

from collections.abc import Sequence
from struct import Struct

U8 = Struct(">B")
U32 = Struct(">I")
U64 = Struct(">Q")

# A length that stands for a NULL pointer; as a capacity (`fy`, `fu`) it is a buffer that has no room.
NULL_LENGTH = 0xFFFF_FFFF

_FLAGGED_U32 = Struct(">BI")


class MalformedBodyError(Exception):
    """A request's body does not have the shape that its call prescribes."""


class Reader:
    """Reads the arguments of one request, in order; every method raises MalformedBodyError at the body's end."""

    __slots__ = ("_data", "_offset", "legacy_mechanisms")

    def __init__(self, data: bytes, offset: int = 0, *, legacy_mechanisms: bool = False) -> None:
        self._data = data
        self._offset = offset
        self.legacy_mechanisms = legacy_mechanisms

    def end(self) -> None:
        """Nothing may follow the last argument."""
        if self._offset != len(self._data):
            raise MalformedBodyError(f"{len(self._data) - self._offset} bytes too many")

    def byte(self) -> int:
        """`y`."""
        return self._number(U8)

    def u32(self) -> int:
        """A count, a length, or an attribute or mechanism type."""
        return self._number(U32)

    def ulong(self) -> int:
        """`u`."""
        return self._number(U64)

    def ulongs(self, count: int) -> tuple[int, ...]:
        """`count` CK_ULONGs in a row; the caller has bounded `count`."""
        data = self._take(8 * count)
        return tuple(value for (value,) in U64.iter_unpack(data))

    def counted(self, limit: int) -> int:
        """A count of at most `limit`."""
        count = self.u32()
        if count > limit:
            raise MalformedBodyError(f"{count} elements, the limit is {limit}")
        return count

    def raw_bytes(self) -> bytes | None:
        """A length and that many bytes, None for a NULL pointer."""
        length = self.u32()
        return None if length == NULL_LENGTH else self._take(length)

    def byte_array(self) -> bytes | None:
        """`ay`, None for a NULL pointer."""
        if self.byte():
            return self.raw_bytes()
        if length := self.u32():
            raise MalformedBodyError(f"a NULL pointer with a length of {length}")
        return None

    def capacity(self) -> int | None:
        """`fy` and `fu`: room for how many elements, None when the caller asks for the number only."""
        room = self.u32()
        if room == NULL_LENGTH:
            return 0
        return room or None

    def _number(self, form: Struct) -> int:
        offset = self._offset
        self._offset = end = offset + form.size
        if end > len(self._data):
            raise MalformedBodyError("the body breaks off")
        value: int = form.unpack_from(self._data, offset)[0]
        return value

    def _take(self, length: int) -> bytes:
        offset = self._offset
        self._offset = end = offset + length
        if end > len(self._data):
            raise MalformedBodyError("the body breaks off")
        return self._data[offset:end]


def raw_bytes(data: bytes) -> bytes:
    """A length and the bytes."""
    return U32.pack(len(data)) + data


def byte_output(output: bytes | int) -> bytes:
    """`ay` of an answer: the bytes, or the length that the caller's buffer would need."""
    if isinstance(output, int):
        return _FLAGGED_U32.pack(0, output)
    return _FLAGGED_U32.pack(1, len(output)) + output


def ulong_output(values: Sequence[int], room: int | None) -> bytes:
    """`au` of an answer: the values, or their number where the caller has no room for them.

    An empty list is always sent as such: clients from before 0.25 ask with the same bytes whether they have a buffer
    of length 0 or none, and for those that have one a mere number means "too small".
    """
    if values and len(values) > (room or 0):
        return _FLAGGED_U32.pack(0, len(values))
    return _FLAGGED_U32.pack(1, len(values)) + b"".join(map(U64.pack, values))


def padded(text: str, size: int) -> bytes:
    """A CK_UTF8CHAR field: blank-padded to `size` bytes, cut between characters."""
    cut = text.encode()[:size].decode(errors="ignore")
    return cut.encode().ljust(size)
