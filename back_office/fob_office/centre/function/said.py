"""A trouble that lasts is said once, not each time that somebody looks."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Final

# After so many other troubles one is said again.
SAID_LIMIT: Final = 1024


class Said:
    """What was said last, of what; bounded."""

    def __init__(self) -> None:
        self._said: OrderedDict[Hashable, str] = OrderedDict()

    def is_new(self, of: Hashable, trouble: str) -> bool:
        """Whether something else, or nothing, was said of it last; from now on this was."""
        before = self._said.pop(of, None)
        self._said[of] = trouble
        if len(self._said) > SAID_LIMIT:
            self._said.popitem(last=False)
        return before != trouble

    def forget(self, of: Hashable) -> None:
        """It is over: found again it is said again."""
        self._said.pop(of, None)
