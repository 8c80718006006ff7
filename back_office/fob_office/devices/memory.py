"""A device's memory, as it stands in a record."""

from collections.abc import Sequence
from itertools import pairwise

from fob_protocol.office.factory import Region
from fob_protocol.office.message import Message, read


class MemoryMap(Message, frozen=True):
    """The factory's regions."""

    regions: tuple[Region, ...]


def regions_of(octets: bytes) -> tuple[Region, ...]:
    """Out of a record."""
    return read(MemoryMap, octets).regions


def overlapping(regions: Sequence[Region]) -> tuple[Region, Region] | None:
    """Two that share an octet, the lower one first."""
    ordered = sorted((region for region in regions if region.size), key=lambda region: region.start)
    for lower, upper in pairwise(ordered):
        if upper.start < lower.start + lower.size:
            return lower, upper
    return None
