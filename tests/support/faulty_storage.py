"""A disk whose power fails: until it is flushed, a change may be there after a cut, or not, or in part.

A cut between two steps stands for cuts during the first of them as well, since that one may then have happened in part.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

PossibilityT = TypeVar("PossibilityT")
Files = dict[str, bytes]
# One of so many possibilities, by its index.
Choose = Callable[[int], int]
# How many octets of a torn write of this size may have come to the disk.
Tears = Callable[[int], Iterable[int]]


class PowerCutError(Exception):
    """The power is off."""


@dataclass(frozen=True)
class Write:
    """`position` None: a whole file in place of what it held."""

    position: int | None
    octets: bytes

    def on(self, old: bytes) -> bytes:
        """Done."""
        if self.position is None:
            return self.octets
        return old[: self.position].ljust(self.position, b"\0") + self.octets + old[self.position + len(self.octets) :]

    def outcomes(self, old: bytes, tears: Tears) -> list[bytes]:
        """Not done; done; and torn: cut short, with zeros behind, and with what was there behind."""
        found = [old, self.on(old)]
        for size in tears(len(self.octets)):
            torn = self.octets[:size]
            for rest in (b"", bytes(len(self.octets) - size)):
                found.append(replace(self, octets=torn + rest).on(old))
            found.append(Write(self.position or 0, torn).on(old))
        return list(dict.fromkeys(found))


@dataclass(frozen=True)
class Inode:
    """What is certainly on the disk, what a reader sees, and the writes between the two."""

    kept: bytes = b""
    seen: bytes = b""
    pending: tuple[Write, ...] = ()

    def written(self, write: Write) -> "Inode":
        return Inode(self.kept, write.on(self.seen), (*self.pending, write))

    def flushed(self) -> "Inode":
        return Inode(self.seen, self.seen)


@dataclass(frozen=True)
class NameChange:
    """A name made (`old` None), moved, or deleted (`new` None)."""

    inode: int
    old: str | None
    new: str | None

    def on(self, names: dict[str, int], *, leaves_old: bool = False) -> dict[str, int]:
        """Whatever other changes have happened."""
        names = dict(names)
        if self.old is not None and names.get(self.old) == self.inode and not leaves_old:
            del names[self.old]
        if self.new is not None:
            names[self.new] = self.inode
        return names

    def outcomes(self, names: dict[str, int]) -> list[dict[str, int]]:
        """Not done, done, and a rename that has left its old name as well."""
        found = [names, self.on(names)]
        if self.old is not None and self.new is not None:
            found.append(self.on(names, leaves_old=True))
        return found


@dataclass(frozen=True)
class Disk:
    """One moment of it; nothing changes it."""

    inodes: tuple[Inode, ...] = ()
    names: dict[str, int] = field(default_factory=dict)
    kept_names: dict[str, int] = field(default_factory=dict)
    pending: tuple[NameChange, ...] = ()

    @classmethod
    def holding(cls, files: Mapping[str, bytes]) -> "Disk":
        """All of it flushed."""
        names = {name: number for number, name in enumerate(files)}
        return cls(tuple(Inode(octets, octets) for octets in files.values()), names, names)

    @property
    def files(self) -> Files:
        """As a program sees them."""
        return {name: self.inodes[number].seen for name, number in self.names.items()}

    def with_inode(self, number: int, inode: Inode) -> "Disk":
        return replace(self, inodes=(*self.inodes[:number], inode, *self.inodes[number + 1 :]))

    def with_change(self, change: NameChange) -> "Disk":
        return replace(self, names=change.on(self.names), pending=(*self.pending, change))

    def after_cut(self, choose: Choose, tears: Tears) -> Files:
        """What a cut now leaves: one of the possibilities at every choice."""
        names = self.kept_names
        for change in self.pending:
            names = _one(change.outcomes(names), choose)
        settled: dict[int, bytes] = {}
        for number in sorted(set(names.values())):
            octets = self.inodes[number].kept
            for write in self.inodes[number].pending:
                octets = _one(write.outcomes(octets, tears), choose)
            settled[number] = octets
        return {name: settled[number] for name, number in sorted(names.items())}

    def every_cut(self, tears: Tears) -> Iterator[Files]:
        """All that a cut now may leave."""
        path: list[tuple[int, int]] = []
        while True:
            choices = _Replay(path)
            yield self.after_cut(choices, tears)
            path = choices.taken
            while path and path[-1][0] + 1 == path[-1][1]:
                path.pop()
            if not path:
                return
            path[-1] = (path[-1][0] + 1, path[-1][1])


class FaultyStorage:
    """Storage on a Disk. `cut_after` steps the power fails; `watch` sees the disk before every step."""

    def __init__(
        self, disk: Disk, *, cut_after: int | None = None, watch: Callable[[Disk], None] | None = None
    ) -> None:
        self.disk = disk
        self.steps = 0
        self._cut_after = cut_after
        self._watch = watch

    def names(self) -> list[str]:
        return sorted(self.disk.names)

    def read(self, name: str) -> bytes | None:
        return self.disk.files.get(name)

    def write(self, name: str, octets: bytes) -> None:
        self._write(name, Write(None, octets))

    def write_at(self, name: str, position: int, octets: bytes) -> None:
        self._write(name, Write(position, octets))

    def flush(self, name: str) -> None:
        self._step()
        number = self.disk.names[name]
        self.disk = self.disk.with_inode(number, self.disk.inodes[number].flushed())
        self.flush_names()

    def flush_names(self) -> None:
        self._step()
        self.disk = replace(self.disk, kept_names=self.disk.names, pending=())

    def rename(self, old: str, new: str) -> None:
        self._step()
        self.disk = self.disk.with_change(NameChange(self.disk.names[old], old, new))

    def delete(self, name: str) -> None:
        self._step()
        if name in self.disk.names:
            self.disk = self.disk.with_change(NameChange(self.disk.names[name], name, None))

    def _write(self, name: str, write: Write) -> None:
        self._step()
        if name not in self.disk.names:
            made = NameChange(len(self.disk.inodes), None, name)
            self.disk = replace(self.disk, inodes=(*self.disk.inodes, Inode())).with_change(made)
        number = self.disk.names[name]
        self.disk = self.disk.with_inode(number, self.disk.inodes[number].written(write))

    def _step(self) -> None:
        if self._watch is not None:
            self._watch(self.disk)
        if self.steps == self._cut_after:
            raise PowerCutError
        self.steps += 1


class _Replay:
    """Takes the choices of a path, and the first possibility behind it."""

    def __init__(self, path: list[tuple[int, int]]) -> None:
        self._path = path
        self.taken: list[tuple[int, int]] = []

    def __call__(self, count: int) -> int:
        at = len(self.taken)
        index = self._path[at][0] if at < len(self._path) else 0
        self.taken.append((index, count))
        return index


def _one(possibilities: list[PossibilityT], choose: Choose) -> PossibilityT:
    return possibilities[choose(len(possibilities))]
