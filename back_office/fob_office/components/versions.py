"""Versions as numbers that sort as versions do."""

import re
from typing import Final

from fob_office.errors import UsageError
from fob_protocol.office.message import Version

_PATTERN: Final = re.compile(r"(\d{1,3})\.(\d{1,3})\.(\d{1,3})", re.ASCII)
_MOST: Final = 255


def pack(version: Version) -> int:
    """As it stands in tables."""
    return version[0] << 16 | version[1] << 8 | version[2]


def unpack(number: int) -> Version:
    """Out of a table."""
    return number >> 16, number >> 8 & _MOST, number & _MOST


def parse(text: str) -> Version:
    """`1.4.0`. Raises UsageError."""
    found = _PATTERN.fullmatch(text)
    version = tuple(map(int, found.groups())) if found else ()
    if len(version) != 3 or max(version) > _MOST:
        raise UsageError("that is no version", "a version is three numbers up to 255, as 1.4.0", "--version 1.0.0")
    return version


def next_above(version: Version) -> Version | None:
    """The lowest one above; None: there is none."""
    number = pack(version) + 1
    return unpack(number) if number < 1 << 24 else None
