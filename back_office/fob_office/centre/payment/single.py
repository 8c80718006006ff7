"""A data centre has one payment provider: a number of a meter is done once because one book says so."""

from pathlib import Path

from fob_office.centre.bus.directory import FILE as DIRECTORY
from fob_office.centre.bus.directory import read_entries
from fob_office.centre.bus.passes import Kind
from fob_office.errors import OperatorError


def check_one_provider(centre: Path) -> None:
    """Raises OperatorError: there are several, as versions of before made them; DirectoryError."""
    names = [entry.name for entry in read_entries(centre / DIRECTORY) if entry.kind == Kind.PAYMENT]
    if len(names) > 1:
        why = f"{', '.join(names)} keep a book each, and a card would be charged by more than one"
        command = "fob-office centre init --state FOLDER    (another data centre; it has one payment provider)"
        raise OperatorError("the data centre does not run", why, command)
