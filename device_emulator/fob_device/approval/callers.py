"""Who asks, by the numbers that a PC gives its programs (docs/protocol.md, section 4.1)."""

from dataclasses import dataclass, field

from fob_protocol.caller import CALLERS_LIMIT, Caller
from fob_protocol.errors import AtSyntaxError

NOBODY = Caller()


class CallerUnknownError(Exception):
    """The PC names a caller of which this device has no block: it restarted, or the block was lost."""

    def __init__(self, number: int) -> None:
        super().__init__(f"caller {number} is not known here")


@dataclass(slots=True)
class Callers:
    """The callers of one PC over all its sessions, at most CALLERS_LIMIT."""

    _known: dict[int, Caller] = field(default_factory=dict)

    def resolve(self, number: int | None, block: bytes | None) -> Caller:
        """The caller with this number, which `block` names or names anew; nobody without a number.

        Raises CallerUnknownError, AtSyntaxError.
        """
        if number is None:
            if block is not None:
                raise AtSyntaxError("a caller block without a caller")
            return NOBODY
        if number >= CALLERS_LIMIT:
            raise AtSyntaxError(f"a caller is a number from 0 to {CALLERS_LIMIT - 1}")
        if block is not None:
            self._known[number] = Caller.from_block(block)
        if number not in self._known:
            raise CallerUnknownError(number)
        return self._known[number]
