"""The newest view, in a file of the data centre's folder that whoever changes views writes (M34)."""

from pathlib import Path
from typing import Final

from fob_office.centre.boxes.views import View, read_view
from fob_office.centre.bus.errors import DirectoryError
from fob_office.secrets.private_file import replace_file
from fob_protocol.office.errors import OfficeError

FILE: Final = "view"


class ViewFile:
    """Read again when it has changed. An older view than one seen before is not taken."""

    def __init__(self, folder: Path, manufacturing: bytes) -> None:
        self._path = folder / FILE
        self._manufacturing = manufacturing
        self._mark: tuple[int, ...] = ()
        self._view: View | None = None

    def newest(self) -> View:
        """Raises DirectoryError when there is none."""
        try:
            found = self._path.stat()
            mark = (found.st_ino, found.st_mtime_ns, found.st_size)
            if self._view is None or mark != self._mark:
                self._take(read_view(self._manufacturing, self._path.read_bytes()))
                self._mark = mark
        except OSError as error:
            raise DirectoryError(f"{self._path}: {error.strerror}") from None
        except OfficeError as error:
            raise DirectoryError(f"{self._path}: {error}") from None
        if self._view is None:
            raise DirectoryError(f"{self._path}: there is no view yet")
        return self._view

    def _take(self, view: View) -> None:
        if self._view is None or view.number > self._view.number:
            self._view = view


def write_view(folder: Path, signed: bytes) -> None:
    """All of it, or what was there before. Raises OSError."""
    replace_file(folder / FILE, signed)
