"""The boot program: copies the loader to its address, points the program vector there, and follows it (C14)."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from fob_device.components.equipment import Equipment
from fob_device.components.errors import EquipmentError
from fob_device.components.memory import Memory
from fob_device.components.memory_map import VECTOR_SIZE, MemoryMap

ResultT = TypeVar("ResultT")


def fresh_memory(equipment: Equipment) -> Memory:
    """As it is when the power comes."""
    return Memory(equipment.memory_map.areas(len(equipment.loader)))


def copy_loader(equipment: Equipment, memory: Memory) -> None:
    """Loader and vector stand where the memory map says."""
    places = equipment.memory_map
    memory.write(places.loader, equipment.loader)
    memory.write(places.vector, places.loader.to_bytes(VECTOR_SIZE))


def follow_vector(places: MemoryMap, memory: Memory, programs: Mapping[bytes, Callable[[Memory], ResultT]]) -> ResultT:
    """Execute what stands where the vector points: an emulator knows a program by its image.

    Raises EquipmentError when that is no program; MemoryFaultError when there is no memory.
    """
    address = int.from_bytes(memory.read(places.vector, VECTOR_SIZE))
    for image, program in programs.items():
        if memory.read(address, len(image)) == image:
            return program(memory)
    raise EquipmentError("loader", f"no program at {address:#x}, to which the program vector points")
