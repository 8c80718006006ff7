"""What stands behind `?` in the URL of a line, on either side of it: `serial:/dev/ttyUSB0?baud=115200`."""

from typing import Final
from urllib.parse import parse_qsl

BAUD: Final = "baud"
DEFAULT_BAUD: Final = 115_200
# Slower, a single frame takes longer than a person waits: 23 seconds at 300 baud.
BAUD_MINIMUM: Final = 300
# The fastest that Linux has a constant for (termios.h).
BAUD_MAXIMUM: Final = 4_000_000
# Start bit, eight data bits, stop bit.
BITS_PER_OCTET: Final = 10
TCP_PORT_MAXIMUM: Final = 65_535

# Of any number here; Python refuses to read one of thousands.
_DIGITS_LIMIT: Final = 9


class LineOptionError(ValueError):
    """An option of a line that cannot be; the text names it."""


def read_options(query: str, *known: str) -> dict[str, str]:
    """The options by name. Raises LineOptionError for one that is not `known`, and for one that stands there twice."""
    options: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in known:
            raise LineOptionError(f"this kind of line has no option '{name}'")
        if name in options:
            raise LineOptionError(f"the option '{name}' stands there twice")
        options[name] = value
    return options


def read_baud(query: str) -> int:
    """The speed of a serial line, bits per second, from its options. Raises LineOptionError."""
    options = read_options(query, BAUD)
    if BAUD not in options:
        return DEFAULT_BAUD
    return read_number(BAUD, options[BAUD], BAUD_MINIMUM, BAUD_MAXIMUM)


def read_number(name: str, text: str, minimum: int, maximum: int) -> int:
    """The number that stands for `name`. Raises LineOptionError."""
    is_number = text.isascii() and text.isdecimal() and len(text) <= _DIGITS_LIMIT
    if not is_number or not minimum <= int(text) <= maximum:
        raise LineOptionError(f"{name} is a number from {minimum} to {maximum}")
    return int(text)
