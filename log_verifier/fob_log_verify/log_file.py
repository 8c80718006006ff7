"""An exported log: the head, entries and an end mark, each with four octets of length before it."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from fob_log_verify.cbor import CborError, Value, read
from fob_log_verify.errors import UnreadableError
from fob_log_verify.limits import KEYS_LIMIT, PART_LIMIT

_TITLE: Final = "fob/1 exported log"
_LENGTH_SIZE: Final = 4
_KEY_SIZE: Final = 32


class LogFile:
    """A file that is open; its head is read. `origin` is the log's name, `keys` are those that the log lists."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        """Raises UnreadableError for a file that is no log."""
        self._path = path
        self._file = file
        # Octets that were read.
        self.position = 0
        head = self._part()
        try:
            self.origin, self.keys = _read_head(read(head))
        except CborError as error:
            raise self._unreadable(f"it does not begin as an exported log: {error}") from None

    def entries(self) -> Iterator[bytes]:
        """One after another, once. Raises UnreadableError where the file does not go on."""
        while entry := self._part():
            yield entry
        if self._file.read(1):
            raise self._unreadable(f"there is more behind its end, at octet {self.position}")

    def _part(self) -> bytes:
        length = int.from_bytes(self._take(_LENGTH_SIZE))
        if length > PART_LIMIT:
            raise self._unreadable(f"no entry is as long as the {length} octets that octet {self.position} tells of")
        return self._take(length)

    def _take(self, size: int) -> bytes:
        try:
            octets = self._file.read(size)
        except OSError as error:
            raise self._unreadable(f"{error.strerror}, at octet {self.position}") from None
        self.position += len(octets)
        if len(octets) != size:
            raise self._unreadable(f"it is cut short, at octet {self.position}")
        return octets

    def _unreadable(self, why: str) -> UnreadableError:
        return UnreadableError(
            f"{self._path} cannot be read as a log", why, "fob-log-verify --help    (it says what a log is)"
        )


def _read_head(head: Value) -> tuple[str, list[bytes]]:
    match head:
        case [str(title), str(origin), list(keys)] if title == _TITLE:
            listed = [key for key in keys if isinstance(key, bytes) and len(key) == _KEY_SIZE]
            if len(listed) == len(keys) <= KEYS_LIMIT:
                return origin, listed
    raise CborError("title, origin and keys are due")
