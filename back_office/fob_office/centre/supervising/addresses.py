"""The directory's addresses of this machine's processes, where the data centre's folder is now."""

from pathlib import Path

from msgspec.structs import replace

from fob_office.centre.bus.directory import FILE, Entry, read_entries, write_entries
from fob_office.centre.bus.errors import DirectoryError
from fob_office.centre.places import is_local, socket_address
from fob_office.errors import OperatorError


def place_sockets(centre: Path, sockets: Path) -> None:
    """After a move, or a restore elsewhere. Raises OperatorError, OSError."""
    try:
        entries = read_entries(centre / FILE)
    except DirectoryError as error:
        raise OperatorError("the data centre does not run", str(error), "restore a backup of the folder") from None
    placed = [_placed(centre, sockets, entry) for entry in entries]
    if placed != entries:
        write_entries(centre, placed)


def _placed(centre: Path, sockets: Path, entry: Entry) -> Entry:
    if not is_local(entry.address) or not (centre / entry.name).is_dir():
        return entry
    return replace(entry, address=socket_address(sockets, entry.name))
