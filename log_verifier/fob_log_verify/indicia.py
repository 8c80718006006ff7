"""What an indicium says, as far as it is checked here: of which piece it is, and for how much."""

import hashlib
from dataclasses import dataclass

from fob_log_verify.cbor import CborError, read
from fob_log_verify.limits import NUMBER_LIMIT


@dataclass(frozen=True, slots=True)
class Indicium:
    """`piece` counts from 0 in its transaction; `ascending` is the register after it; `digest` is of its octets."""

    serial: str
    counter: int
    piece: int
    amount: int
    ascending: int
    digest: bytes


def read_indicium(octets: bytes) -> Indicium:
    """Raises CborError for octets of another shape."""
    match read(octets):
        case [
            1, str(serial), int(counter), int(piece), int(amount), str(_), int(_), str(_), str(_), bytes(_), str(_),
            int(ascending), int(_),
        ] if amount > 0 and min(counter, piece, ascending) >= 0 and counter <= NUMBER_LIMIT:  # fmt: skip
            return Indicium(serial, counter, piece, amount, ascending, hashlib.sha256(octets).digest())
    raise CborError("the elements of an indicium are due")
