"""What stands where in memory: the program vector, the loader, and the regions of components (C14, C16)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from fob_device.components.errors import EquipmentError
from fob_protocol.office.factory import REGIONS_LIMIT, Region

# The program vector is one address, big-endian.
VECTOR_SIZE: Final = 8


class Area(NamedTuple):
    """`size` octets from `start`."""

    name: str
    start: int
    size: int

    @property
    def end(self) -> int:
        """The first address behind it."""
        return self.start + self.size

    def contains(self, other: "Area") -> bool:
        """Whether all of `other` lies within."""
        return self.start <= other.start and other.end <= self.end


@dataclass(frozen=True, slots=True)
class MemoryMap:
    """The factory's. `vector` and `loader` are addresses."""

    vector: int
    loader: int
    regions: tuple[Region, ...]

    def region(self, name: str) -> Region | None:
        """By name."""
        return next((region for region in self.regions if region.name == name), None)

    def areas(self, loader_size: int) -> Iterator[Area]:
        """All that there is."""
        yield Area("vector", self.vector, VECTOR_SIZE)
        yield Area("loader", self.loader, loader_size)
        yield from (Area(region.name, region.start, region.size) for region in self.regions)

    def check(self, loader_size: int) -> None:
        """Raises EquipmentError: two areas overlap or share a name, or there are too many."""
        if len(self.regions) > REGIONS_LIMIT:
            raise EquipmentError("memory map", f"more than {REGIONS_LIMIT} regions")
        areas = list(self.areas(loader_size))
        if len({area.name for area in areas}) < len(areas):
            raise EquipmentError("memory map", "two areas of one name")
        if clash := first_overlap(areas):
            raise EquipmentError("memory map", f"{clash[0].name} overlaps {clash[1].name}")


def first_overlap(areas: list[Area]) -> tuple[Area, Area] | None:
    """Two areas that share an octet, the lower one first."""
    ordered = sorted((area for area in areas if area.size), key=lambda area: area.start)
    last: Area | None = None
    for area in ordered:
        if last is not None and area.start < last.end:
            return last, area
        last = area
    return None
