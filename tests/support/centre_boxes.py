"""Boxes of the tests: a founded data centre, and boxes that its manufacturing box admitted."""

import random
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from fob_office.centre.boxes.box import Box
from fob_office.centre.boxes.folder import BoxFolder, create_folder, open_folder
from fob_office.centre.boxes.identity import Public, admit, make_identity
from fob_office.centre.boxes.manufacturing import ManufacturingBox, found
from fob_office.centre.boxes.process import open_box
from fob_office.centre.bus.directory import FILE, Entry, read_entries, write_entries
from fob_office.centre.bus.passes import Kind, read_pass
from fob_office.surroundings import Surroundings

NOW: Final = 1_800_000_000


class Boxes:
    """A data centre in a folder; its manufacturing box and an operator, in this process."""

    def __init__(self, folder: Path, seed: int = 11, now: int = NOW) -> None:
        self.folder = folder
        self.now = now
        self.surroundings = Surroundings(lambda: self.now, random.Random(seed).randbytes)
        self._entries: list[Entry] = []
        operator = create_folder(folder / "operator-1", "operator-1", self.surroundings.random)
        asker = make_identity(operator, Kind.OPERATOR, self.surroundings.random)
        top = create_folder(folder / "manufacturing", "manufacturing", self.surroundings.random)
        founded = found(top, asker, self.surroundings)
        self.manufacturing_key = founded.manufacturing
        admit(operator, founded.manufacturing, founded.operator.shown, founded.operator.masters)
        self._enter(founded.shown)
        self._enter(founded.operator.shown)
        self.manufacturing = ManufacturingBox(top, self.surroundings)

    def make(self, kind: Kind, name: str) -> BoxFolder:
        """A box of this kind, made and admitted."""
        folder = create_folder(self.folder / name, name, self.surroundings.random)
        admitted = self.manufacturing.admit(make_identity(folder, kind, self.surroundings.random))
        admit(folder, self.manufacturing_key, admitted.shown, admitted.masters)
        self._enter(admitted.shown)
        return folder

    def new(self, kind: Kind, name: str) -> tuple[BoxFolder, Public]:
        """A box that nobody has admitted yet, and what it shows."""
        folder = create_folder(self.folder / name, name, self.surroundings.random)
        return folder, make_identity(folder, kind, self.surroundings.random)

    def open(self, name: str) -> Box:
        """As its process does when it starts."""
        folder = open_folder(self.folder / name, name, self.surroundings.random)
        return open_box(folder, self.folder, self.surroundings)

    def address(self, name: str) -> str:
        """Where it answers."""
        return f"unix:{self.folder}/{name}.sock"

    def move(self, name: str, address: str) -> None:
        """Its entry says another place from now on."""
        self._entries = [replace(entry, address=address) if entry.name == name else entry for entry in self._entries]
        write_entries(self.folder, self._entries)

    def leave_out(self, name: str) -> None:
        """An operator has removed it."""
        self._entries = [entry for entry in self._entries if entry.name != name]
        write_entries(self.folder, self._entries)

    def read_again(self) -> None:
        """Somebody else has written the directory."""
        self._entries = read_entries(self.folder / FILE)

    def _enter(self, signed: bytes) -> None:
        shown = read_pass(self.manufacturing_key, signed)
        self._entries.append(Entry(shown.name, shown.kind, self.address(shown.name), signed))
        write_entries(self.folder, self._entries)
