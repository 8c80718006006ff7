"""The folders that fob made for its files: they go with them, once they are empty; no other folder does."""

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from fob_daemon.cli.changes import files
from fob_daemon.control.errors import ControlError

NAME: Final = "folders-made-by-fob.json"


def missing_above(paths: Iterable[Path]) -> list[Path]:
    """The folders that these files need and that are not there, the outermost first."""
    found = {folder for path in paths for folder in path.resolve().parents if not os.path.exists(folder)}
    return sorted(found, key=_depth)


def remove_empty(folders: Iterable[Path]) -> list[Path]:
    """Which are removed: those that are there and empty, the innermost first."""
    return [folder for folder in sorted(folders, key=_depth, reverse=True) if _is_removed(folder)]


class MadeFolders:
    """What is known of them, in the state folder."""

    def __init__(self, state: Path) -> None:
        self._path = state / NAME

    @contextmanager
    def noted(self, paths: Sequence[Path]) -> Iterator[None]:
        """What is made in the `with` block for these files is known; nothing where it fails. Raises ControlError."""
        known, new = self._load(), missing_above(paths)
        if not new:
            yield
            return
        new += missing_above([self._path])
        # First: should the rest not come to its end, they can still be taken back.
        self._store([*known, *new])
        try:
            yield
        except ControlError:
            self._store(known)
            remove_empty(new)
            raise

    def remove_empty(self) -> list[Path]:
        """Which are removed; those that somebody uses are known still. Raises ControlError."""
        known = self._load()
        removed = remove_empty(known)
        left = [folder for folder in known if folder.is_dir()]
        if not set(left) <= set(self._path.parents):
            self._store(left)
            return removed
        # What is known stood in the last of them itself.
        self._store([])
        return [*removed, *remove_empty(left)]

    def _load(self) -> list[Path]:
        text = files.read(self._path)
        if text is None:
            return []
        try:
            found = json.loads(text)
        except ValueError:
            found = None
        if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
            why = f"{self._path} is damaged"
            raise ControlError("which folders fob has made is not known", why, f"rm {self._path}")
        return list(map(Path, found))

    def _store(self, folders: Sequence[Path]) -> None:
        if folders:
            files.write(self._path, json.dumps(list(map(str, dict.fromkeys(folders)))), files.PRIVATE)
        elif self._path.exists():
            files.remove(self._path)


def _depth(folder: Path) -> int:
    return len(folder.parts)


def _is_removed(folder: Path) -> bool:
    try:
        folder.rmdir()
    except OSError:
        return False
    return True
