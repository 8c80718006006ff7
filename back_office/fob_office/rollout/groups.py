"""Which group of a rollout a device is in: a share of all, the same whenever it asks."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from fob_protocol.office.hashing import digest

_ALL: Final = 100
_WIDTH: Final = 8


def group_of(salt: bytes, serial: str, shares: Sequence[int]) -> int:
    """The number, from 1, of the first group whose share (percent, rising to 100) reaches this far."""
    place = int.from_bytes(digest(salt + serial.encode())[:_WIDTH])
    return next(number for number, share in enumerate(shares, 1) if place * _ALL < share << 8 * _WIDTH)


def check_shares(shares: Sequence[int]) -> str | None:
    """What is wrong with a plan, if anything."""
    if not shares or shares[-1] != _ALL:
        return "the last group has to reach 100 percent"
    if shares[0] < 1 or any(later <= earlier for earlier, later in pairwise(shares)):
        return "each group has to reach further than the one before"
    return None
