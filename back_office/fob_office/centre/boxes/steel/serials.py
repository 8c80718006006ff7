"""Serial numbers of meters: `FM`, two digits of the box, eight of its counter, and a check digit."""

import re
from typing import Final

from fob_office.centre.boxes.rows import Row
from fob_office.centre.boxes.store import Store
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.words import Word
from fob_office.errors import OperatorError

PREFIX: Final = "FM"
COUNTER_DIGITS: Final = 8

# Names are given once in a data centre, and so are these numbers.
_NAME: Final = re.compile(r"steel(?:-([1-9][0-9]?))?", re.ASCII)
_DIGITS: Final = re.compile(r"[0-9]{11}", re.ASCII)
_TABLE: Final = "serials"
_KEY: Final = b""
_COUNTER_SIZE: Final = 8


class Serials:
    """Never the same again: the counter is on the disk before a serial is given out."""

    def __init__(self, box: str, store: Store) -> None:
        """Raises OperatorError for a box whose name gives no number."""
        self._number = box_number(box)
        self._store = store
        self._last = int.from_bytes(store.get(_TABLE, _KEY) or b"")

    @property
    def last(self) -> int:
        """The newest of its counter, 0 before the first."""
        return self._last

    async def next(self) -> str:
        """Raises BusRefusedError UNAVAILABLE after 10^8 of them, StoreError, TamperedError."""
        if self._last + 1 >= 10**COUNTER_DIGITS:
            raise BusRefusedError(Word.UNAVAILABLE, "this box has given out all its serial numbers; ask another one")
        self._last += 1
        serial = make_serial(self._number, self._last)
        await self._store.put_all((Row(_TABLE, _KEY, self._last.to_bytes(_COUNTER_SIZE)),))
        return serial


def box_number(name: str) -> int:
    """1 to 99 of `steel-1` to `steel-99`, 0 of `steel`. Raises OperatorError."""
    found = _NAME.fullmatch(name)
    if found is None:
        raise OperatorError(
            f"{name} cannot number meters",
            "a steel box is called steel, or steel-1 to steel-99: its number stands in serials",
            "make the box with such a name",
        )
    return int(found[1] or 0)


def make_serial(box: int, counter: int) -> str:
    """13 characters, of a box's number (0 to 99) and its counter."""
    digits = f"{box:02}{counter:0{COUNTER_DIGITS}}"
    return f"{PREFIX}{digits}{check_digit(digits)}"


def serials_of(box: int) -> str:
    """How those of a box begin, by its number."""
    return f"{PREFIX}{box:02}"


def counter_of(serial: str) -> int | None:
    """Of the box that gave it out; None: none did."""
    digits = serial.removeprefix(PREFIX)
    if not serial.startswith(PREFIX) or _DIGITS.fullmatch(digits) is None or check_digit(digits[:-1]) != digits[-1]:
        return None
    return int(digits[2:-1])


def check_digit(digits: str) -> str:
    """ISO/IEC 7064:2003, MOD 11,10: finds each wrong digit."""
    product = 10
    for digit in digits:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return str((11 - product) % 10)
