"""The pass that a process shows: it is renewed while the process runs, by whoever writes the directory."""

from fob_office.centre.bus.directory import Directory
from fob_office.centre.bus.errors import DirectoryError
from fob_office.centre.bus.passes import read_pass


class OwnPass:
    """`admitted` is the one that stands in the process's folder, as signed."""

    def __init__(self, directory: Directory, admitted: bytes) -> None:
        """Raises PassError."""
        self._directory = directory
        self._admitted = admitted
        self._mine = read_pass(directory.manufacturing, admitted)

    def __call__(self) -> bytes:
        """The newest that is known, as signed."""
        try:
            return self._directory.renewed(self._mine) or self._admitted
        except DirectoryError:
            return self._admitted
