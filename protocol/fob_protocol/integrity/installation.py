"""An installation as one octet string (docs/integrity-protocol.md, section 7): files by name, sizes, contents."""

import bisect
import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from typing import Final

from fob_protocol.cose.cbor import encode
from fob_protocol.integrity.limits import FILE_NAME_LIMIT, FILES_LIMIT, INSTALLATION_LIMIT, PIECE_SIZE
from fob_protocol.office.message import Version

_RELEASE: Final = re.compile(r"(\d+)\.(\d+)\.(\d+)")


class InstallationError(Exception):
    """These files are no installation; says why."""


@dataclass(frozen=True, slots=True)
class File:
    """`read(at, size)` gives octets of its content, which has `size`."""

    name: str
    size: int
    read: Callable[[int, int], bytes] = field(repr=False)


def release_of(version: str) -> Version:
    """`0.1.0`, with whatever behind it; 0.0.0 for what does not begin so."""
    found = _RELEASE.match(version)
    numbers = tuple(map(int, found.groups())) if found else (0, 0, 0)
    return numbers[0], numbers[1], numbers[2]


class Installation:
    """A Source. Reading raises OSError, and InstallationError when a file has become shorter."""

    def __init__(self, files: Iterable[File]) -> None:
        """Raises InstallationError for too many or too large files, two of one name, and a name that is no UTF-8."""
        self._files = sorted(files, key=lambda file: file.name)
        _check(self._files)
        self._heads = [encode([file.name, file.size]) for file in self._files]
        sizes = (len(head) + file.size for head, file in zip(self._heads, self._files, strict=True))
        self._ends = list(accumulate(sizes))

    @property
    def length(self) -> int:
        """In octets."""
        return self._ends[-1] if self._ends else 0

    def read(self, at: int, size: int) -> bytes:
        """A piece, of as many files as it lies in."""
        parts = []
        index = bisect.bisect_right(self._ends, at)
        while size > 0:
            begin = self._ends[index - 1] if index else 0
            part = self._read_one(index, at - begin, min(size, self._ends[index] - at))
            parts.append(part)
            at, size, index = at + len(part), size - len(part), index + 1
        return b"".join(parts)

    def digest(self) -> bytes:
        """SHA-256 of all of it."""
        value = hashlib.sha256()
        for at in range(0, self.length, PIECE_SIZE):
            value.update(self.read(at, min(PIECE_SIZE, self.length - at)))
        return value.digest()

    def _read_one(self, index: int, at: int, size: int) -> bytes:
        head, file = self._heads[index], self._files[index]
        here = head[at : at + size]
        rest = size - len(here)
        if not rest:
            return here
        content = file.read(max(0, at - len(head)), rest)
        if len(content) != rest:
            raise InstallationError(f"{file.name} is shorter than it was")
        return here + content


def _check(files: list[File]) -> None:
    if len(files) > FILES_LIMIT:
        raise InstallationError(f"{len(files)} files, more than {FILES_LIMIT}")
    total = sum(file.size for file in files)
    if total > INSTALLATION_LIMIT:
        raise InstallationError(f"{total} octets, more than {INSTALLATION_LIMIT}")
    for file in files:
        if not 1 <= len(file.name) <= FILE_NAME_LIMIT:
            raise InstallationError(f"a file's name has 1 to {FILE_NAME_LIMIT} characters")
        if not _is_text(file.name):
            raise InstallationError(f"a file's name is no UTF-8: {file.name!a}")
    for one, other in pairwise(files):
        if one.name == other.name:
            raise InstallationError(f"{one.name} is there twice")


def _is_text(name: str) -> bool:
    """Whether a file system's name has no octets that stand for themselves (PEP 383)."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
