"""Contents on the disk, sealed as they came, once for each release; and the parts of those that are still coming."""

from typing import Final

from fob_device.components.offer import Item
from fob_device.components.sealed_size import chunk_size
from fob_device.components.storage import Storage
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.hashing import digest
from fob_protocol.office.limits import CHUNK_SIZE
from fob_protocol.office.release import Release, check_chunk, chunks_of, open_content

# A power cut costs at most so many chunks: a few seconds of a serial line, and a flush is worth a dozen writes.
FLUSH_EVERY: Final = 8


def content_file(release: bytes) -> str:
    """The name of a whole content's file, by the digest of its signed release."""
    return f"content-{release.hex()}"


def part_file(release: bytes) -> str:
    """The name of the file that it comes into."""
    return f"part-{release.hex()}"


class Contents:
    """What is under its name is whole and was opened once. Methods raise OSError."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        # Of the contents that are coming: which chunks are not there.
        self._missing: dict[bytes, set[int]] = {}

    def missing(self, item: Item) -> set[int]:
        """The chunks that have to be fetched; every other one is there, and is what was released."""
        name = item.entry.release
        if name not in self._missing:
            self._missing[name] = self._look(item)
        return set(self._missing[name])

    def add(self, item: Item, index: int, chunk: bytes) -> None:
        """A chunk that may have come before. Raises OfficeError; nothing of it is taken then."""
        missing = self.missing(item)
        _check(item.release, index, chunk)
        if index not in missing:
            return
        name = part_file(item.entry.release)
        self._storage.write_at(name, index * CHUNK_SIZE, chunk)
        missing.remove(index)
        if len(missing) % FLUSH_EVERY == 0:
            self._storage.flush(name)
        if not missing:
            self._finish(item)
        self._missing[item.entry.release] = missing

    def open(self, item: Item) -> bytes:
        """The component itself. Raises OfficeError WRONG_DIGEST, WRONG_SIZE."""
        sealed = self._storage.read(content_file(item.entry.release))
        if sealed is None:
            raise OfficeError(Fault.WRONG_DIGEST, f"the content of {item.release.id} is gone")
        return open_content(item.release, sealed, item.key)

    def sealed(self, item: Item) -> bytes:
        """As it stands on the disk, whatever it is; empty when it is gone."""
        return self._storage.read(content_file(item.entry.release)) or b""

    def forget(self) -> None:
        """The installation is over."""
        self._missing.clear()

    def _look(self, item: Item) -> set[int]:
        chunks = item.release.chunks
        whole = self._storage.read(content_file(item.entry.release))
        if whole is not None and tuple(map(digest, chunks_of(whole))) == chunks:
            # Under another key it would come to nothing at the trial.
            open_content(item.release, whole, item.key)
            return set()
        part = self._storage.read(part_file(item.entry.release))
        if part is None:
            part = self._salvage(item, whole or b"")
        there = [digest(chunk) for chunk in chunks_of(part)]
        missing = {index for index, wanted in enumerate(chunks) if there[index : index + 1] != [wanted]}
        if not missing:
            self._finish(item)
        return missing

    def _salvage(self, item: Item, damaged: bytes) -> bytes:
        """What a content has become is where fetching begins: only chunks that are wrong come again."""
        size = sum(chunk_size(item.release, index) for index in range(len(item.release.chunks)))
        if damaged:
            self._storage.write(part_file(item.entry.release), damaged[:size])
        return damaged[:size]

    def _finish(self, item: Item) -> None:
        """All of it is there, and takes its name when it opens."""
        part = part_file(item.entry.release)
        self._storage.flush(part)
        open_content(item.release, self._storage.read(part) or b"", item.key)
        # Its new name is kept by the next flush; a cut before that leaves the part, which is whole.
        self._storage.rename(part, content_file(item.entry.release))


def _check(release: Release, index: int, chunk: bytes) -> None:
    if not 0 <= index < len(release.chunks):
        raise OfficeError(Fault.TOO_LARGE, f"{release.id} has no chunk {index + 1}")
    if len(chunk) != chunk_size(release, index):
        fault = Fault.TOO_LARGE if len(chunk) > CHUNK_SIZE else Fault.WRONG_SIZE
        raise OfficeError(fault, f"chunk {index + 1} of {release.id} has {len(chunk)} octets")
    check_chunk(release, index, chunk)
