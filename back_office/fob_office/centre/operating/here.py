"""Which processes belong to this machine: their folders are in the data centre's."""

from pathlib import Path

from fob_office.centre.bus.directory import FILE as DIRECTORY
from fob_office.centre.bus.directory import read_entries
from fob_office.centre.bus.passes import Kind


def names_here(centre: Path, kind: Kind) -> list[str]:
    """Of this kind. Raises DirectoryError."""
    names = [entry.name for entry in read_entries(centre / DIRECTORY) if entry.kind == kind]
    return [name for name in names if (centre / name).is_dir()]
