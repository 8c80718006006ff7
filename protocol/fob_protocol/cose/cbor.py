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
_VALUES: Final[Mapping[int, bool | None]] = {20: False, 21: True, 22: None}
# The head's low bits that say how many octets of argument follow.
_LONG_ARGUMENTS: Final = {24: 1, 25: 2, 26: 4, 27: 8}
# Heads of one octet, by what stands in it.
_SHORT_HEADS: Final = tuple(bytes((first,)) for first in range(256))
_SIMPLES: Final = {simple: _SHORT_HEADS[_SIMPLE << 5 | low_bits] for low_bits, simple in _VALUES.items()}


def encode(value: Value) -> bytes:
    """The octets of a value. Raises TypeError for a kind that is not used here, OverflowError beyond 64 bits."""
    parts: list[bytes] = []
    _put(parts, value)
    return b"".join(parts)


def encode_tagged(tag: int, value: Value) -> bytes:
    """A value with a tag before it."""
    parts = [_head(_TAG, tag)]
    _put(parts, value)
    return b"".join(parts)


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


def _put(parts: list[bytes], value: Value) -> None:
    """The parts of a value, behind those that are there. Frequent kinds come first; what is a bool is an int too."""
    if isinstance(value, bytes):
        parts += (_head(_OCTETS, len(value)), value)
    elif isinstance(value, str):
        octets = value.encode()
        parts += (_head(_TEXT, len(octets)), octets)
    elif value is None or isinstance(value, bool):
        parts.append(_SIMPLES[value])
    elif isinstance(value, int):
        parts.append(_head(_UNSIGNED, value) if value >= 0 else _head(_NEGATIVE, -1 - value))
    elif isinstance(value, Sequence):
        parts.append(_head(_ARRAY, len(value)))
        for each in value:
            _put(parts, each)
    elif isinstance(value, Mapping):
        parts.append(_head(_MAP, len(value)))
        for key, entry in sorted((encode(key), encode(entry)) for key, entry in value.items()):
            parts += (key, entry)
    else:
        raise TypeError(f"no CBOR for {type(value).__name__}")


def _head(major: int, argument: int) -> bytes:
    if argument < 24:
        return _SHORT_HEADS[major << 5 | argument]
    for low_bits, size in _LONG_ARGUMENTS.items():
        if argument < 1 << 8 * size:
            return bytes((major << 5 | low_bits,)) + argument.to_bytes(size)
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
        if self._at == len(self._octets):
            raise CborError("the value is cut short")
        first = self._octets[self._at]
        self._at += 1
        major, low_bits = first >> 5, first & 31
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
            case 2:
                return self._take(argument)
            case 0:
                return argument
            case 3:
                return self._text(argument)
            case 7:
                return _simple(argument)
            case 1:
                return -1 - argument
            case 6:
                raise CborError("a tag within a value")
        if depth == 0:
            raise CborError(f"more than {DEPTH_LIMIT} levels")
        return self._array(argument, depth - 1) if major == _ARRAY else self._map(argument, depth - 1)

    def _take(self, size: int) -> bytes:
        begin = self._at
        end = begin + size
        if end > len(self._octets):
            raise CborError("the value is cut short")
        self._at = end
        return self._octets[begin:end]

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
        return _VALUES[argument]
    except KeyError:
        raise CborError("a float, or a simple value that is not used here") from None
