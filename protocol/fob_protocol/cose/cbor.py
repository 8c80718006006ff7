"""Deterministic CBOR (RFC 8949, section 4.2.1), as far as messages need it: every value has one encoding.

A decoder that knows all of CBOR builds what its peer chooses (regular expressions, decimals, cycles); this one knows
integers, octet strings, text, arrays, maps, true, false and null. Decision 0008.
"""

from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

from fob_protocol.cose.errors import CborError

Value: TypeAlias = "int | bytes | str | bool | Sequence[Value] | Mapping[int | str, Value] | None"

# Levels of arrays and maps. Messages have five.
DEPTH_LIMIT: Final = 8

_UNSIGNED, _NEGATIVE, _OCTETS, _TEXT, _ARRAY, _MAP, _TAG, _SIMPLE = range(8)
_FALSE, _TRUE, _NULL = 20, 21, 22
# The head's low bits that say how many octets of argument follow.
_LONG_ARGUMENTS: Final = {24: 1, 25: 2, 26: 4, 27: 8}


def encode(value: Value) -> bytes:
    """The octets of a value. Raises TypeError for a kind that is not used here, OverflowError beyond 64 bits."""
    match value:
        case None:
            return _head(_SIMPLE, _NULL)
        case bool():
            return _head(_SIMPLE, _TRUE if value else _FALSE)
        case int():
            return _head(_UNSIGNED, value) if value >= 0 else _head(_NEGATIVE, -1 - value)
        case bytes():
            return _head(_OCTETS, len(value)) + value
        case str():
            octets = value.encode()
            return _head(_TEXT, len(octets)) + octets
        case Sequence():
            return _head(_ARRAY, len(value)) + b"".join(map(encode, value))
        case Mapping():
            entries = sorted((encode(key), encode(entry)) for key, entry in value.items())
            return _head(_MAP, len(entries)) + b"".join(key + entry for key, entry in entries)
    raise TypeError(f"no CBOR for {type(value).__name__}")


def encode_tagged(tag: int, value: Value) -> bytes:
    """A value with a tag before it."""
    return _head(_TAG, tag) + encode(value)


def decode(octets: bytes) -> Value:
    """The one value that all the octets are. Raises CborError."""
    reader = _Reader(octets)
    value = reader.value(DEPTH_LIMIT)
    reader.end()
    return value


def decode_tagged(tag: int, octets: bytes) -> Value:
    """The value behind a tag that has to be this one. Raises CborError."""
    reader = _Reader(octets)
    if reader.head() != (_TAG, tag):
        raise CborError(f"not tagged {tag}")
    value = reader.value(DEPTH_LIMIT)
    reader.end()
    return value


def _head(major: int, argument: int) -> bytes:
    if argument < 24:
        return bytes([major << 5 | argument])
    for low_bits, size in _LONG_ARGUMENTS.items():
        if argument < 1 << 8 * size:
            return bytes([major << 5 | low_bits]) + argument.to_bytes(size)
    raise OverflowError(f"{argument} does not fit into 64 bits")


class _Reader:
    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._at = 0

    def end(self) -> None:
        if self._at != len(self._octets):
            raise CborError(f"{len(self._octets) - self._at} octets behind the value")

    def head(self) -> tuple[int, int]:
        """Major type and argument, in the shortest form."""
        major, low_bits = divmod(self._take(1)[0], 32)
        if low_bits < 24:
            return major, low_bits
        if low_bits not in _LONG_ARGUMENTS:
            raise CborError("a length that is not definite")
        argument = int.from_bytes(self._take(_LONG_ARGUMENTS[low_bits]))
        if argument < (24 if low_bits == 24 else 1 << 4 * _LONG_ARGUMENTS[low_bits]):
            raise CborError("a head that is not in its shortest form")
        return major, argument

    def value(self, depth: int) -> Value:
        """The next value, with at most `depth` levels."""
        major, argument = self.head()
        match major:
            case 0:
                return argument
            case 1:
                return -1 - argument
            case 2:
                return self._take(argument)
            case 3:
                return self._text(argument)
            case 7:
                return _simple(argument)
            case 6:
                raise CborError("a tag within a value")
        if depth == 0:
            raise CborError(f"more than {DEPTH_LIMIT} levels")
        return self._array(argument, depth - 1) if major == _ARRAY else self._map(argument, depth - 1)

    def _take(self, size: int) -> bytes:
        if size > len(self._octets) - self._at:
            raise CborError("the value is cut short")
        self._at += size
        return self._octets[self._at - size : self._at]

    def _text(self, size: int) -> str:
        try:
            return self._take(size).decode()
        except UnicodeDecodeError:
            raise CborError("a text that is not UTF-8") from None

    def _array(self, size: int, depth: int) -> list[Value]:
        self._check_count(size)
        return [self.value(depth) for _ in range(size)]

    def _map(self, size: int, depth: int) -> dict[int | str, Value]:
        self._check_count(2 * size)
        entries: dict[int | str, Value] = {}
        last = b""
        for _ in range(size):
            begin = self._at
            key = self.value(0)
            encoded = self._octets[begin : self._at]
            if not isinstance(key, int | str) or isinstance(key, bool):
                raise CborError("a map's key that is neither a number nor a text")
            if encoded <= last:
                raise CborError("a map's keys are out of order, or one is there twice")
            last = encoded
            entries[key] = self.value(depth)
        return entries

    def _check_count(self, values: int) -> None:
        """Each has an octet at least, so no short text makes a long list."""
        if values > len(self._octets) - self._at:
            raise CborError("the value is cut short")


def _simple(argument: int) -> bool | None:
    try:
        return {_FALSE: False, _TRUE: True, _NULL: None}[argument]
    except KeyError:
        raise CborError("a float, or a simple value that is not used here") from None
