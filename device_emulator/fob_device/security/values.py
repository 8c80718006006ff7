"""Values of a command that the catalogue has checked, narrowed to the kind their handler needs."""

from fob_protocol.at.values import Value
from fob_protocol.errors import AtSyntaxError


def whole(value: Value) -> int:
    """A number. Raises AtSyntaxError."""
    if not isinstance(value, int):
        raise AtSyntaxError("a number is due")
    return value


def positive(value: Value) -> int:
    """A handle. Raises AtSyntaxError."""
    number = whole(value)
    if number == 0:
        raise AtSyntaxError("a handle is due")
    return number


def optional_whole(value: Value) -> int | None:
    """A number or nothing. Raises AtSyntaxError."""
    return None if value is None else whole(value)


def octets(value: Value) -> bytes:
    """A block. Raises AtSyntaxError."""
    if not isinstance(value, bytes):
        raise AtSyntaxError("a block is due")
    return value


def optional_octets(value: Value) -> bytes | None:
    """A block or nothing. Raises AtSyntaxError."""
    return None if value is None else octets(value)


def text(value: Value) -> str:
    """A string. Raises AtSyntaxError."""
    if not isinstance(value, str):
        raise AtSyntaxError("a string is due")
    return value
