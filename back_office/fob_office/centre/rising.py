"""Pages that are asked for one after the other: keys go up, or whoever gives them is asked for ever."""

from collections.abc import Iterable
from typing import Any

from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.words import Word


def check_rising(what: str, after: Any, keys: Iterable[Any]) -> None:
    """Each key of a page is above the one before it, and the first above `after` (None: it is the first page).

    Texts in the order of their octets. Raises BusRefusedError MALFORMED, also for keys that have no order.
    """
    for key in keys:
        if after is not None and not _is_above(key, after):
            raise BusRefusedError(Word.MALFORMED, f"{what} did not come in the order of their keys, each once")
        after = key


def _is_above(key: Any, after: Any) -> bool:
    try:
        return bool(key > after)
    except TypeError:
        return False
