"""A reader of deterministic CBOR (RFC 8949, section 4.2.1), as far as logs have it, and the little that is written."""

from typing import Final, TypeAlias

from fob_log_verify.limits import DEPTH_LIMIT

Value: TypeAlias = "int | bytes | str | list[Value] | dict[int, Value] | None"

# What the five low bits of a first octet mean: so many octets with the number follow.
_FOLLOWING: Final = {24: 1, 25: 2, 26: 4, 27: 8}

_NUMBER: Final = 0
_OCTETS: Final = 2
_TEXT: Final = 3
_ARRAY: Final = 4
_MAP: Final = 5
_TAG: Final = 6
_SIMPLE: Final = 7
_NULL: Final = 22


class CborError(ValueError):
    """The octets are not one value of the kinds that logs have, in its one encoding."""


def read(octets: bytes, tag: int | None = None) -> Value:
    """The one value that all the octets are; with `tag` it has to stand behind that tag. Raises CborError."""
    at = 0
    if tag is not None:
        major, number, at = _head(octets, at)
        if (major, number) != (_TAG, tag):
            raise CborError(f"tag {tag} is missing")
    value, at = _value(octets, at, DEPTH_LIMIT)
    if at != len(octets):
        raise CborError("more octets than the value has")
    return value


def octets_item(octets: bytes) -> bytes:
    """An octet string, written."""
    return _written_head(_OCTETS, len(octets)) + octets


def text_item(text: str) -> bytes:
    """A text, written."""
    return _written_head(_TEXT, len(text.encode())) + text.encode()


def number_item(number: int) -> bytes:
    """A number from 0, written."""
    return _written_head(_NUMBER, number)


def array_item(*items: bytes) -> bytes:
    """An array of items that are written already."""
    return _written_head(_ARRAY, len(items)) + b"".join(items)


def _written_head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes([major << 5 | number])
    for low_bits, size in _FOLLOWING.items():
        if number < 256**size:
            return bytes([major << 5 | low_bits]) + number.to_bytes(size)
    raise CborError("a number over 64 bits")


def _head(octets: bytes, at: int) -> tuple[int, int, int]:
    """Major type, number, and where what follows begins."""
    if at >= len(octets):
        raise CborError("cut short")
    major, low_bits = octets[at] >> 5, octets[at] & 0x1F
    at += 1
    if low_bits < 24:
        return major, low_bits, at
    size = _FOLLOWING.get(low_bits)
    if size is None:
        raise CborError("an indefinite length")
    number, at = int.from_bytes(_slice(octets, at, size)), at + size
    if number < 24 or (size > 1 and number < 256 ** (size // 2)):
        raise CborError("a number in more octets than it needs")
    return major, number, at


def _slice(octets: bytes, at: int, size: int) -> bytes:
    if len(octets) - at < size:
        raise CborError("cut short")
    return octets[at : at + size]


def _value(octets: bytes, at: int, depth: int) -> tuple[Value, int]:
    major, number, at = _head(octets, at)
    if major in (0, 1):
        return (number if major == 0 else -1 - number), at
    if major in (_OCTETS, _TEXT):
        content = _slice(octets, at, number)
        return (content if major == _OCTETS else _text(content)), at + number
    if major in (_ARRAY, _MAP):
        if depth == 0:
            raise CborError(f"more than {DEPTH_LIMIT} levels")
        return _array(octets, at, number, depth - 1) if major == _ARRAY else _map(octets, at, number, depth - 1)
    if (major, number) != (_SIMPLE, _NULL):
        raise CborError("a kind of value that logs do not have")
    return None, at


def _text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise CborError("a text that is not UTF-8") from None


def _array(octets: bytes, at: int, count: int, depth: int) -> tuple[Value, int]:
    # Every value has an octet: what cannot be there is not waited for.
    _slice(octets, at, count)
    values: list[Value] = []
    for _ in range(count):
        value, at = _value(octets, at, depth)
        values.append(value)
    return values, at


def _map(octets: bytes, at: int, count: int, depth: int) -> tuple[Value, int]:
    _slice(octets, at, 2 * count)
    entries: dict[int, Value] = {}
    before = b""
    for _ in range(count):
        begin = at
        key, at = _value(octets, at, 0)
        if not isinstance(key, int) or octets[begin:at] <= before:
            raise CborError("a map's key that is no number, out of order or there twice")
        before = octets[begin:at]
        entries[key], at = _value(octets, at, depth)
    return entries, at
