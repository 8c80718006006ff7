"""What is measured: octets that are read at a place, from memory or from a file (V5)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol


class Source(Protocol):
    """`read` gives exactly `size` octets from `at` on, or raises what its storage raises."""

    @property
    def length(self) -> int:
        """In octets."""

    def read(self, at: int, size: int) -> bytes:
        """`at + size` is at most `length`."""


@dataclass(frozen=True, slots=True)
class Octets:
    """In memory."""

    octets: bytes = field(repr=False)

    @property
    def length(self) -> int:
        """In octets."""
        return len(self.octets)

    def read(self, at: int, size: int) -> bytes:
        """A piece."""
        return self.octets[at : at + size]


@dataclass(frozen=True, slots=True)
class Joined:
    """One source behind the other: a program and its mark."""

    first: Source
    second: Source

    @property
    def length(self) -> int:
        """Of both."""
        return self.first.length + self.second.length

    def read(self, at: int, size: int) -> bytes:
        """A piece, of either or of both."""
        border = self.first.length
        if at >= border:
            return self.second.read(at - border, size)
        here = min(size, border - at)
        rest = size - here
        return self.first.read(at, here) + (self.second.read(0, rest) if rest else b"")


@dataclass(frozen=True, slots=True)
class Stored:
    """What something else keeps, such as a file: its length, and how to read it."""

    length: int
    reader: Callable[[int, int], bytes] = field(repr=False)

    def read(self, at: int, size: int) -> bytes:
        """Raises what the reader raises; EOFError when it gives fewer octets."""
        piece = self.reader(at, size)
        if len(piece) != size:
            raise EOFError(f"{len(piece)} octets at {at}, not {size}")
        return piece
