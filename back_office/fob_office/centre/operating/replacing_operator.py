"""The operator's own pass anew, where its folder was changed: by hand, as the first one was given at the founding."""

from pathlib import Path
from typing import Final

from msgspec.structs import replace

from fob_office.centre.boxes.alone import alone_in
from fob_office.centre.boxes.errors import TamperedError
from fob_office.centre.boxes.folder import create_folder, open_folder
from fob_office.centre.boxes.identity import ADMISSION, IDENTITY, admit, make_identity
from fob_office.centre.boxes.manufacturing import ManufacturingBox
from fob_office.centre.bus.directory import FILE as DIRECTORY
from fob_office.centre.bus.directory import Entry, read_entries, write_entries
from fob_office.centre.bus.passes import Kind
from fob_office.centre.next_step import STATUS
from fob_office.centre.operating.here import next_number
from fob_office.centre.places import MANUFACTURING, load_centre, save_centre, socket_address, sockets_folder
from fob_office.centre.supervising.lock import supervising
from fob_office.errors import OperatorError
from fob_office.surroundings import Surroundings

_NOT_ADDED: Final = "no operator was added"


def replace_operator(centre: Path, surroundings: Surroundings) -> str:
    """While nothing runs; the name of the new one, in the place of the one before.

    Raises OperatorError, TamperedError: the manufacturing box's folder; DirectoryError, OSError.
    """
    settings = load_centre(centre)
    with supervising(centre), alone_in(centre / MANUFACTURING):
        if _is_whole(centre, settings.operator, surroundings):
            why = f"{settings.operator} is as it was made, and a data centre has one"
            raise OperatorError(_NOT_ADDED, why, STATUS)
        top = open_folder(centre / MANUFACTURING, MANUFACTURING, surroundings.random)
        manufacturing = ManufacturingBox(top, surroundings)
        # The first one may be gone without a trace.
        name = f"{Kind.OPERATOR.word}-{next_number(centre, Kind.OPERATOR, least=2)}"
        folder = create_folder(centre / name, name, surroundings.random)
        given = manufacturing.admit(make_identity(folder, Kind.OPERATOR, surroundings.random))
        admit(folder, manufacturing.public_key, given.shown, given.masters)
        entry = Entry(name, Kind.OPERATOR, socket_address(sockets_folder(centre), name), given.shown)
        others = [one for one in read_entries(centre / DIRECTORY) if one.kind != Kind.OPERATOR]
        write_entries(centre, [*others, entry])
        save_centre(centre, replace(settings, operator=name))
    return name


def _is_whole(centre: Path, name: str, surroundings: Surroundings) -> bool:
    """What was changed and not found yet is found."""
    if not (centre / name).is_dir():
        return False
    try:
        folder = open_folder(centre / name, name, surroundings.random)
        for file in (IDENTITY, ADMISSION):
            folder.read(file)
    except (TamperedError, FileNotFoundError):
        return False
    return True
