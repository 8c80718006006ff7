"""The pass that a process shows: it is renewed while the process runs, by whoever writes the directory."""

from fob_office.centre.bus.directory import Directory
from fob_office.centre.bus.errors import DirectoryError
from fob_office.centre.bus.passes import read_pass


class OwnPass:
    """`admitted` is the one that stands in the process's folder, as signed."""

    def __init__(self, directory: Directory, admitted: bytes) -> None:
        """Raises PassError."""
        self._directory = directory
        self._newest = admitted
        self._mine = read_pass(directory.manufacturing, admitted)

    def __call__(self) -> bytes:
        """The newest that was ever seen, as signed: whoever was shown it takes no older one."""
        try:
            found = self._directory.renewed(self._mine)
        except DirectoryError:
            found = None
        if found is not None:
            self._newest = found
            self._mine = read_pass(self._directory.manufacturing, found)
        return self._newest
