"""All views so far: each box is given every one, in its order (docs/meter-protocol.md, section 5)."""

from pathlib import Path
from typing import Final

from fob_office.centre.boxes.views import View, read_view
from fob_office.centre.view_file import write_view
from fob_office.secrets.private_file import replace_file
from fob_protocol.office.errors import OfficeError

FOLDER: Final = "views"
# A box that was away for more of them is complete in nothing when it comes back.
KEPT: Final = 1000


class History:
    """In the folder of the data centre, of which one process at a time makes views."""

    def __init__(self, centre: Path, manufacturing: bytes) -> None:
        """Raises OSError."""
        self._centre = centre
        self._folder = centre / FOLDER
        self._manufacturing = manufacturing
        self._newest = self._load()

    @property
    def newest(self) -> View | None:
        """None: there is none yet, or it is not of this data centre."""
        return self._newest

    @property
    def newest_signed(self) -> bytes | None:
        """The same as it was signed."""
        return self.signed(self._newest.number) if self._newest is not None else None

    def signed(self, number: int) -> bytes | None:
        """None: it is kept no more."""
        try:
            return (self._folder / str(number)).read_bytes()
        except FileNotFoundError:
            return None

    def after(self, number: int) -> list[bytes]:
        """Those that a box lacks which holds this one (0: none), oldest first. Raises OSError."""
        if self._newest is not None and number >= self._newest.number:
            return []
        found = (self.signed(one) for one in self._numbers() if one > number)
        return [signed for signed in found if signed is not None]

    def add(self, signed: bytes) -> View:
        """A new view, for all to see. Raises OfficeError: it is none; OSError."""
        view = read_view(self._manufacturing, signed)
        self._folder.mkdir(mode=0o700, exist_ok=True)
        replace_file(self._folder / str(view.number), signed)
        write_view(self._centre, signed)
        self._newest = view
        for number in self._numbers()[:-KEPT]:
            (self._folder / str(number)).unlink(missing_ok=True)
        return view

    def _load(self) -> View | None:
        numbers = self._numbers()
        signed = self.signed(numbers[-1]) if numbers else None
        if signed is None:
            return None
        try:
            return read_view(self._manufacturing, signed)
        except OfficeError:
            return None

    def _numbers(self) -> list[int]:
        if not self._folder.is_dir():
            return []
        return sorted(int(path.name) for path in self._folder.iterdir() if path.name.isdecimal())
