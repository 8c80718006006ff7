"""The little DER (X.690) that a token needs: tag, length, value."""

from typing import Final

OCTET_STRING: Final = 0x04
INTEGER: Final = 0x02
SEQUENCE: Final = 0x30
_LONG_FORM: Final = 0x80


class DerError(ValueError):
    """Not DER, or not what is due here."""


def encode(tag: int, content: bytes) -> bytes:
    """One element with a definite length in its shortest form."""
    size = len(content)
    if size < _LONG_FORM:
        return bytes([tag, size]) + content
    digits = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([tag, _LONG_FORM | len(digits)]) + digits + content


class Reader:
    """Elements of one octet string, one after the other."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    @property
    def at_end(self) -> bool:
        """Whether everything was read."""
        return self._position == len(self._data)

    def next_tag(self) -> int | None:
        """The tag that comes next, None at the end."""
        return None if self.at_end else self._data[self._position]

    def element(self) -> bytes:
        """The next element as it stands. Raises DerError."""
        start = self._position
        self.content(self._data[start] if start < len(self._data) else SEQUENCE)
        return self._data[start : self._position]

    def content(self, tag: int) -> bytes:
        """The content of the next element, which must have `tag`. Raises DerError."""
        header = self._data[self._position : self._position + 2]
        if len(header) < 2 or header[0] != tag:
            raise DerError(f"tag {tag:#04x} is due")
        start, size = self._length(self._position + 2, header[1])
        if size > len(self._data) - start:
            raise DerError("cut short")
        self._position = start + size
        return self._data[start : start + size]

    def _length(self, start: int, first: int) -> tuple[int, int]:
        if first < _LONG_FORM:
            return start, first
        digits = self._data[start : start + (first & 0x7F)]
        # Four digits say 4 GiB; DER writes no leading zero and no long form where the short one does.
        if not 1 <= first & 0x7F <= 4 or len(digits) != first & 0x7F or digits[0] == 0:
            raise DerError("bad length")
        size = int.from_bytes(digits)
        if size < _LONG_FORM:
            raise DerError("length not in its shortest form")
        return start + len(digits), size


def only_content(tag: int, data: bytes) -> bytes:
    """The content of the single element that `data` is. Raises DerError."""
    reader = Reader(data)
    content = reader.content(tag)
    if not reader.at_end:
        raise DerError("octets after the end")
    return content
