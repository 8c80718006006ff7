"""Who is where: the processes of the data centre, in a file that operators write and every process reads."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from fob_office.centre.bus.errors import DirectoryError, PassError
from fob_office.centre.bus.passes import Kind, Pass, read_pass
from fob_office.centre.limits import DIRECTORY_LIMIT
from fob_office.secrets.private_file import replace_file
from fob_protocol.office.hashing import is_same

FILE: Final = "directory"


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One process: its address (`unix:PATH`, `tcp:HOST:PORT`) and its pass as signed."""

    name: str
    kind: Kind
    address: str
    shown: bytes


class Directory:
    """The file of a data centre's folder, read again when it has changed. It is checked by the passes in it."""

    def __init__(self, folder: Path, manufacturing: bytes) -> None:
        self.folder = folder
        self._path = folder / FILE
        self.manufacturing = manufacturing
        self._mark: tuple[int, ...] = ()
        # Why what stands there now cannot be used; empty as a rule.
        self._why = ""
        self._entries: dict[str, Entry] = {}
        self._passes: dict[str, Pass] = {}

    def named(self, name: str) -> Entry:
        """Raises DirectoryError."""
        self._refresh()
        try:
            return self._entries[name]
        except KeyError:
            raise DirectoryError(f"the directory knows no {name}") from None

    def of_kind(self, kind: Kind) -> tuple[Entry, ...]:
        """In order of their names. Raises DirectoryError."""
        self._refresh()
        return tuple(entry for entry in self._entries.values() if entry.kind == kind)

    def pass_of(self, name: str) -> Pass:
        """What the manufacturing box says of it: its keys. Raises DirectoryError."""
        self.named(name)
        return self._passes[name]

    def renewed(self, mine: Pass) -> bytes | None:
        """A newer pass for the same key, as signed; None: there is none here. Raises DirectoryError."""
        entry = self.named(mine.name)
        found = self._passes[mine.name]
        return entry.shown if found.number > mine.number and is_same(found.static, mine.static) else None

    def _refresh(self) -> None:
        try:
            found = self._path.stat()
        except OSError as error:
            raise DirectoryError(f"{self._path}: {error.strerror}") from None
        mark = (found.st_ino, found.st_mtime_ns, found.st_size)
        if mark != self._mark:
            self._mark, self._why = mark, self._take()
        if self._why:
            raise DirectoryError(self._why)

    def _take(self) -> str:
        """Why not."""
        try:
            entries = {entry.name: entry for entry in read_entries(self._path)}
            self._passes = {name: self._checked(entry) for name, entry in entries.items()}
        except DirectoryError as error:
            return str(error)
        self._entries = dict(sorted(entries.items()))
        return ""

    def _checked(self, entry: Entry) -> Pass:
        try:
            shown = read_pass(self.manufacturing, entry.shown)
        except PassError as error:
            raise DirectoryError(f"{self._path}: {entry.name}: {error}") from None
        if (shown.name, shown.kind) != (entry.name, entry.kind):
            raise DirectoryError(f"{self._path}: {entry.name} has the pass of {shown.name}")
        return shown


def read_entries(path: Path) -> list[Entry]:
    """As they stand there, unchecked. Raises DirectoryError."""
    try:
        with path.open("rb") as file:
            octets = file.read(DIRECTORY_LIMIT + 1)
        if len(octets) > DIRECTORY_LIMIT:
            raise DirectoryError(f"{path} has more than {DIRECTORY_LIMIT} octets")
        return msgspec.json.decode(octets, type=list[Entry])
    except OSError as error:
        raise DirectoryError(f"{path}: {error.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DirectoryError(f"{path} is damaged: {error}") from None


def write_entries(folder: Path, entries: Iterable[Entry]) -> None:
    """All of them, or what was there before. Raises OSError."""
    replace_file(folder / FILE, msgspec.json.format(msgspec.json.encode(list(entries))) + b"\n")
