"""Which processes belong to this machine: their folders are in the data centre's."""

import re
from pathlib import Path

from fob_office.centre.bus.directory import FILE as DIRECTORY
from fob_office.centre.bus.directory import read_entries
from fob_office.centre.bus.passes import Kind


def next_number(centre: Path, kind: Kind, least: int = 1) -> int:
    """No name is given twice: folders of what was removed, or begun and cut off, stay, without their keys."""
    found = (re.fullmatch(rf"{kind.word}-([0-9]+)", path.name) for path in centre.iterdir())
    return max(least, 1 + max((int(one[1]) for one in found if one is not None), default=0))


def names_here(centre: Path, kind: Kind) -> list[str]:
    """Of this kind. Raises DirectoryError."""
    names = [entry.name for entry in read_entries(centre / DIRECTORY) if entry.kind == kind]
    return [name for name in names if (centre / name).is_dir()]
