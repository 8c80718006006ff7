"""Values of an AT command or answer: numbers, strings, blocks, or nothing.

ITU-T V.250 5.4.2 (numbers, string constants) and IEEE 488.2 8.7.9 (definite-length blocks).
"""

from collections.abc import Iterable

from fob_protocol.errors import AtSyntaxError
from fob_protocol.limits import NUMBER_DIGITS_LIMIT, NUMBER_VALUE_LIMIT, VALUES_LIMIT

Value = int | str | bytes | None
Values = tuple[Value, ...]

COMMA, QUOTE, BACKSLASH, HASH = b',"\\#'
DIGITS = frozenset(b"0123456789")
HEX = frozenset(b"0123456789ABCDEFabcdef")
STRING_PLAIN = frozenset(range(0x20, 0x7F)) - {QUOTE, BACKSLASH}


def encode_value(value: Value) -> bytes:
    """One value as octets; raises ValueError for a negative number."""
    if value is None:
        return b""
    if isinstance(value, int):
        if value < 0:
            raise ValueError("an AT number is never negative")
        return b"%d" % value
    if isinstance(value, str):
        return encode_string(value)
    size = b"%d" % len(value)
    return b"#%d%b%b" % (len(size), size, value)


def encode_string(text: str) -> bytes:
    """A quoted string constant; octets that V.250 keeps out stand as backslash and two hexadecimal digits."""
    inner = b"".join(b"%c" % o if o in STRING_PLAIN else b"\\%02X" % o for o in text.encode())
    return b'"%b"' % inner


def encode_values(values: Iterable[Value]) -> bytes:
    """A comma-separated list; trailing absent values are not written."""
    parts = [encode_value(value) for value in values]
    while parts and not parts[-1]:
        parts.pop()
    return b",".join(parts)


class ValueReader:
    """Reads a value list from `data` at `position`; `position` moves on as values are read.

    The list ends at the end of the data or at an octet that no value can hold (CR or `;`), which the caller looks at.
    """

    def __init__(self, data: bytes, position: int = 0, *, blocks: bool = True) -> None:
        self.data = data
        self.position = position
        self.blocks = blocks

    def read_list(self) -> Values:
        """All values up to the end of the list. Raises AtSyntaxError."""
        values = [self.read_value()]
        while self._at(COMMA):
            if len(values) == VALUES_LIMIT:
                raise AtSyntaxError(f"more than {VALUES_LIMIT} values")
            self.position += 1
            values.append(self.read_value())
        return tuple(values)

    def read_value(self) -> Value:
        """One value, None where the place is empty. Raises AtSyntaxError."""
        if self.position >= len(self.data):
            return None
        octet = self.data[self.position]
        if octet in DIGITS:
            return self._number()
        if octet == QUOTE:
            return self._string()
        if octet == HASH:
            return self._block()
        return None

    def _at(self, octet: int) -> bool:
        return self.position < len(self.data) and self.data[self.position] == octet

    def _number(self) -> int:
        start = self.position
        while self.position < len(self.data) and self.data[self.position] in DIGITS:
            self.position += 1
        if self.position - start > NUMBER_DIGITS_LIMIT:
            raise AtSyntaxError(f"a number of more than {NUMBER_DIGITS_LIMIT} digits")
        number = int(self.data[start : self.position])
        if number > NUMBER_VALUE_LIMIT:
            raise AtSyntaxError("a number of more than 64 bits")
        return number

    def _string(self) -> str:
        octets = bytearray()
        self.position += 1
        while not self._at(QUOTE):
            octets.append(self._string_octet())
        self.position += 1
        try:
            return octets.decode()
        except UnicodeDecodeError:
            raise AtSyntaxError("a string is not UTF-8") from None

    def _string_octet(self) -> int:
        if self.position >= len(self.data):
            raise AtSyntaxError("a string without its closing quote")
        octet = self.data[self.position]
        if octet == BACKSLASH:
            digits = self.data[self.position + 1 : self.position + 3]
            if len(digits) != 2 or not HEX.issuperset(digits):
                raise AtSyntaxError("a backslash needs two hexadecimal digits")
            self.position += 3
            return int(digits, 16)
        if octet not in STRING_PLAIN:
            raise AtSyntaxError("a control octet inside a string")
        self.position += 1
        return octet

    def _block(self) -> bytes:
        if not self.blocks:
            raise AtSyntaxError("blocks are for data state")
        head = self.data[self.position + 1 : self.position + 2]
        if head not in {b"1", b"2", b"3", b"4", b"5"}:
            raise AtSyntaxError("a block starts with # and the number of its length digits, 1 to 5")
        start = self.position + 2 + int(head)
        size = self.data[self.position + 2 : start]
        if len(size) != int(head) or not DIGITS.issuperset(size):
            raise AtSyntaxError("a block's length is not a number")
        end = start + int(size)
        if end > len(self.data):
            raise AtSyntaxError("a block is longer than its text")
        self.position = end
        return self.data[start:end]


def decode_values(data: bytes) -> Values:
    """A whole text that is one value list. Raises AtSyntaxError."""
    reader = ValueReader(data)
    values = reader.read_list()
    if reader.position != len(data):
        raise AtSyntaxError(f"an unexpected octet at place {reader.position} of a value list")
    return values


def checked(values: Values, kinds: Iterable[type]) -> Values:
    """`values`, when there are as many as `kinds` and each is of its kind or absent. Raises AtSyntaxError."""
    kinds = tuple(kinds)
    padded = values + (None,) * (len(kinds) - len(values))
    if len(padded) != len(kinds):
        raise AtSyntaxError(f"{len(values)} values where {len(kinds)} are due")
    for value, kind in zip(padded, kinds, strict=True):
        if value is not None and not isinstance(value, kind):
            raise AtSyntaxError(f"a {kind.__name__} is due where a {type(value).__name__} stands")
    return padded
