"""What a transaction record says, as far as it is checked here."""

from dataclasses import dataclass
from enum import IntEnum

from fob_log_verify.cbor import CborError, Value, read
from fob_log_verify.indicia import Indicium, read_indicium
from fob_log_verify.limits import NUMBER_LIMIT

_HASH_SIZE = 32


class Deed(IntEnum):
    """What was done with a meter; those that are not here leave its registers as they are."""

    CREATE = 1
    LOAD = 2
    FRANK = 3
    REFUND = 4
    CREDIT = 8
    SETTLE = 9


_DEEDS = range(1, 11)


@dataclass(frozen=True, slots=True)
class Transaction:
    """`before` and `after` are hashes of the meter's record; `before` is None where there was none.

    `indicia` were franked, or one is given back. `fee` was paid besides, for signing up.
    """

    request: bytes
    serial: str
    deed: int
    counter: int
    amount: int
    ascending: int
    descending: int
    loads: int
    pieces: int
    before: bytes | None
    after: bytes
    indicia: tuple[Indicium, ...]
    time: int
    fee: int

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.counter} of {self.serial}"


def read_transaction(payload: bytes) -> Transaction:
    """Raises CborError for a payload of another shape."""
    match read(payload):
        case [
            1, bytes(request), str(serial), int(deed), int(counter), int(amount), int(ascending), int(descending),
            int(loads), int(pieces), list(indicia), bytes() | None, int(time), before, after, int(fee),
        ] if (
            deed in _DEEDS
            and min(counter, amount, ascending, descending, loads, pieces, time, fee) >= 0
            and max(counter, time) <= NUMBER_LIMIT
        ):  # fmt: skip
            return Transaction(
                request, serial, deed, counter, amount, ascending, descending, loads, pieces,
                None if before is None else _hash(before), _hash(after), tuple(map(_indicium, indicia)), time, fee,
            )  # fmt: skip
    raise CborError("the elements of a transaction record are due")


def _indicium(value: Value) -> Indicium:
    match value:
        case [bytes(indicium), bytes(_)]:
            return read_indicium(indicium)
    raise CborError("an indicium with its token is due")


def _hash(value: Value) -> bytes:
    if not isinstance(value, bytes) or len(value) != _HASH_SIZE:
        raise CborError("a hash has 32 octets")
    return value
