"""The program vector table: what stands where, and what starts when (C16). Every rule raises OfficeError."""

from collections.abc import Sequence

from fob_device.components.memory_map import Area, MemoryMap, first_overlap
from fob_device.components.offer import Item
from fob_protocol.office.component import Kind, words
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.factory import RegionUse

USES = {Kind.MODULE: RegionUse.MODULES, Kind.DATA: RegionUse.DATA}


def check_places(items: Sequence[Item], memory_map: MemoryMap) -> None:
    """Each component lies within one region of its use, and none over another."""
    for item in items:
        _check_region(item, memory_map)
    if clash := first_overlap([_area(item) for item in items]):
        raise OfficeError(Fault.OVERLAP, f"{clash[0].name} and {clash[1].name} lie over each other")


def check_order(items: Sequence[Item]) -> None:
    """The orders are 1 to n, and what a component depends on starts earlier."""
    if sorted(item.entry.order for item in items) != list(range(1, len(items) + 1)):
        raise OfficeError(Fault.WRONG_ORDER, f"the orders are not 1 to {len(items)}, each once")
    orders = {item.entry.component: item.entry.order for item in items}
    for item in items:
        for needed in item.release.dependencies:
            if orders.get(needed.id, 0) >= item.entry.order:
                raise OfficeError(Fault.WRONG_ORDER, f"{item.release.id} starts before {needed.id}, which it needs")


def check_dependencies(items: Sequence[Item]) -> None:
    """What a component depends on is in the set, new enough."""
    versions = {item.release.id: item.release.version for item in items}
    for item in items:
        for needed in item.release.dependencies:
            found = versions.get(needed.id)
            if found is None or found < needed.least:
                there = "it is not there" if found is None else f"that is {words(found)}"
                why = f"{item.release.id} needs {needed.id} from {words(needed.least)} on: {there}"
                raise OfficeError(Fault.MISSING_DEPENDENCY, why)


def check_commands(items: Sequence[Item]) -> None:
    """A command belongs to one component, and that is a module."""
    owners: dict[str, str] = {}
    for item in items:
        release = item.release
        if release.commands and release.kind is not Kind.MODULE:
            raise OfficeError(Fault.MALFORMED, f"{release.id} is data and has commands")
        for command in release.commands:
            if command in owners:
                raise OfficeError(Fault.NAME_IN_USE, f"+{command} of {release.id} is {owners[command]}'s too")
            owners[command] = release.id


def _check_region(item: Item, memory_map: MemoryMap) -> None:
    region = memory_map.region(item.entry.region)
    if region is None:
        raise OfficeError(Fault.UNKNOWN_ID, f"this device has no region {item.entry.region}")
    if region.use is not USES[item.release.kind]:
        why = f"{item.release.id} is no {region.use.name.lower()}, for which {region.name} is"
        raise OfficeError(Fault.OUT_OF_RANGE, why)
    if not Area(region.name, region.start, region.size).contains(_area(item)):
        raise OfficeError(Fault.OUT_OF_RANGE, f"{item.release.id} does not lie within {region.name}")


def _area(item: Item) -> Area:
    return Area(item.release.id, item.entry.start, item.release.size)
