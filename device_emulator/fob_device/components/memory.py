"""The emulated memory: areas of octets, and nothing between them."""

from collections.abc import Iterable

from fob_device.components.errors import MemoryFaultError
from fob_device.components.memory_map import Area


class Memory:
    """All zeros at first. An access has to lie within one area."""

    def __init__(self, areas: Iterable[Area]) -> None:
        self._areas = [(area, bytearray(area.size)) for area in areas]

    def write(self, address: int, octets: bytes) -> None:
        """Raises MemoryFaultError."""
        area, held = self._find(address, len(octets))
        at = address - area.start
        held[at : at + len(octets)] = octets

    def read(self, address: int, size: int) -> bytes:
        """A copy, which nothing changes any more. Raises MemoryFaultError."""
        area, held = self._find(address, size)
        at = address - area.start
        return bytes(held[at : at + size])

    def _find(self, address: int, size: int) -> tuple[Area, bytearray]:
        wanted = Area("", address, size)
        for area, held in self._areas:
            if area.contains(wanted):
                return area, held
        raise MemoryFaultError(f"nothing at {address:#x} to {wanted.end:#x}")
