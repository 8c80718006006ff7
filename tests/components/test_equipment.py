"""What the factory gives: whole, or what is missing is named and nothing begins."""

from dataclasses import fields, replace

import pytest

from fob_device.components.boot_program import copy_loader, follow_vector, fresh_memory
from fob_device.components.equipment import Equipment, Supplied
from fob_device.components.errors import EquipmentError, MemoryFaultError
from fob_device.components.machine import Machine
from fob_device.components.memory import Memory
from fob_device.components.memory_map import VECTOR_SIZE, MemoryMap
from fob_protocol.office.factory import Region, RegionUse
from support.component_device import LOADER, MAP, NotingRuntime, supplied
from support.faulty_storage import Disk, FaultyStorage
from support.office_signers import OfficeSigners


def wrong(items: Supplied) -> EquipmentError:
    with pytest.raises(EquipmentError) as raised:
        Equipment.complete(items)
    return raised.value


@pytest.mark.clause("C12")
@pytest.mark.parametrize("item", [item.name for item in fields(Supplied)])
def test_an_item_that_is_missing_is_named(signers: OfficeSigners, item: str) -> None:
    assert wrong(replace(supplied(signers), **{item: None})).item == item.replace("_", " ")


@pytest.mark.clause("C12")
def test_an_item_that_is_of_no_use_is_named_too(signers: OfficeSigners) -> None:
    good = supplied(signers)
    assert wrong(replace(good, serial="no serial")).item == "serial"
    assert wrong(replace(good, hardware="METER")).item == "hardware"
    assert wrong(replace(good, issuer=bytes(32))).item == "server certificate"
    assert wrong(replace(good, issuer=bytes(31))).item == "issuer"
    assert wrong(replace(good, device_secret=bytes(31))).item == "device secret"


@pytest.mark.clause("C12")
def test_no_secret_is_shown(signers: OfficeSigners) -> None:
    items = supplied(signers)
    assert items.device_secret is not None
    for shown in (repr(items), repr(Equipment.complete(items))):
        assert repr(items.device_secret) not in shown
        assert "PrivateKey" not in shown


def data(name: str, start: int) -> Region:
    return Region(name, start, 1, RegionUse.DATA)


@pytest.mark.clause("C14", "C16")
@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        (replace(MAP, loader=0x4), "vector overlaps loader"),
        (replace(MAP, loader=0x1_0000 - len(LOADER) + 1), "loader overlaps programs"),
        (replace(MAP, regions=(*MAP.regions, data("data", 0x9_0000))), "two areas of one name"),
        (replace(MAP, regions=(data("vector", 0x9_0000),)), "two areas of one name"),
        (replace(MAP, regions=tuple(data(f"r{n}", n) for n in range(17))), "more than 16 regions"),
    ],
)
def test_a_memory_map_that_cannot_be(signers: OfficeSigners, wanted: MemoryMap, why: str) -> None:
    error = wrong(replace(supplied(signers), memory_map=wanted))
    assert (error.item, why in str(error)) == ("memory map", True)


class TestBootProgram:
    """It copies the loader to its address, points the program vector there, and follows it."""

    @pytest.mark.clause("C14")
    def test_the_loader_stands_at_its_address_and_the_vector_says_so(self, device: Equipment) -> None:
        memory = fresh_memory(device)
        assert memory.read(MAP.loader, len(LOADER)) == bytes(len(LOADER))
        copy_loader(device, memory)
        assert memory.read(MAP.loader, len(LOADER)) == LOADER
        assert memory.read(MAP.vector, VECTOR_SIZE) == bytes.fromhex("0000000000001000")

    @pytest.mark.clause("C14")
    def test_what_stands_where_the_vector_points_is_executed(self, device: Equipment) -> None:
        memory = fresh_memory(device)
        copy_loader(device, memory)
        other = b"another program"
        memory.write(0x1_0100, other)
        programs = {LOADER: lambda memory: "loader", other: lambda memory: "other"}
        assert follow_vector(MAP, memory, programs) == "loader"
        memory.write(MAP.vector, (0x1_0100).to_bytes(VECTOR_SIZE))
        assert follow_vector(MAP, memory, programs) == "other"

    @pytest.mark.clause("C14")
    def test_a_vector_to_nowhere(self, device: Equipment) -> None:
        memory = fresh_memory(device)
        copy_loader(device, memory)
        memory.write(MAP.vector, (0x1_0000).to_bytes(VECTOR_SIZE))
        with pytest.raises(EquipmentError, match="no program at 0x10000"):
            follow_vector(MAP, memory, {LOADER: lambda memory: None})
        memory.write(MAP.vector, (0x7_0000).to_bytes(VECTOR_SIZE))
        with pytest.raises(MemoryFaultError, match="nothing at 0x70000"):
            follow_vector(MAP, memory, {LOADER: lambda memory: None})

    @pytest.mark.clause("C14")
    def test_a_generic_device_starts_and_runs_nothing(self, device: Equipment) -> None:
        machine = Machine(FaultyStorage(Disk()), device, NotingRuntime())
        running = machine.power_on()
        assert (running.held, running.components, running.catalogue, running.failures) == (None, (), (), ())


def test_memory_is_its_areas_and_nothing_between_them() -> None:
    memory = Memory(MemoryMap(0, 8, (Region("data", 16, 8, RegionUse.DATA),)).areas(4))
    memory.write(16, b"whole...")
    assert memory.read(16, 8) == b"whole..."
    assert memory.read(24, 0) == b""
    for address, size in ((12, 1), (15, 2), (17, 8), (8, 5), (1 << 60, 0)):
        with pytest.raises(MemoryFaultError):
            memory.read(address, size)
