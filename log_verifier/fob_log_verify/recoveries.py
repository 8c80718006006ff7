"""What the log itself says of a database that was put back: notes that something does not follow, and orders.

No box signed a note, and only boxes verify an order: staff could write either. So they explain, and prove nothing.
"""

from dataclasses import dataclass, field

from fob_log_verify.cbor import CborError, read
from fob_log_verify.limits import WARNINGS_LIMIT

_MAC0 = 17
_ID_SIZE = 16


@dataclass(frozen=True, slots=True)
class Recovery:
    """A meter or account (`of`) went on from one counter with another, or a transaction box from a size of the log.

    `place`: of the entry that says so, from 0.
    """

    place: int
    kind: str
    of: str
    before: int
    after: int
    time: int

    @property
    def words(self) -> str:
        """For people."""
        match self.kind:
            case "log":
                return f"{self.of} had signed {self.before} entries, and goes on from {self.after} other ones"
            case _:
                return f"{self.kind} {self.of} goes on from {self.before} with {self.after}"


@dataclass(slots=True)
class Recoveries:
    """The first ones, the newest, and how many there are."""

    shown: list[Recovery] = field(default_factory=list)
    newest: Recovery | None = None
    count: int = 0

    def look_at(self, place: int, note: bytes) -> Recovery | None:
        """What it says, where it is one."""
        found = _read(place, note)
        if found is not None:
            self.count += 1
            self.newest = found
            if len(self.shown) < WARNINGS_LIMIT:
                self.shown.append(found)
        return found

    def order_over(self, size: int) -> Recovery | None:
        """The order by which a box that had signed so many entries went on from others."""
        return next((one for one in self.shown if one.kind == "log" and size <= one.before), None)


def _read(place: int, note: bytes) -> Recovery | None:
    try:
        match read(note):
            case [1, str(serial), int(before), int(after), int(time)]:
                return Recovery(place, "meter", serial, before, after, time)
            case [2, bytes(account), int(before), int(after), int(time)] if len(account) == _ID_SIZE:
                return Recovery(place, "mailer", account.hex(), before, after, time)
    except CborError:
        return _read_order(place, note)
    return None


def _read_order(place: int, note: bytes) -> Recovery | None:
    """The steel box's word for a transaction box: what nobody else can verify."""
    try:
        match read(note, _MAC0):
            case [bytes(_), _, bytes(payload), bytes(_)]:
                match read(payload):
                    case [1, str(box), int(before), bytes(_), int(size), bytes(_), int(time)]:
                        return Recovery(place, "log", box, before, size, time)
    except CborError:
        pass
    return None
