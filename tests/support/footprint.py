"""How much an object holds: what stays bounded whatever a peer sends."""

import gc
from types import FunctionType, ModuleType

_SHARED = (type, ModuleType, FunctionType)


def octets_held(*roots: object) -> int:
    """Octets in all byte strings that can be reached from `roots`, each counted once."""
    seen: set[int] = set()
    total, waiting = 0, list(roots)
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen or isinstance(thing, _SHARED):
            continue
        seen.add(id(thing))
        if isinstance(thing, bytes | bytearray):
            total += len(thing)
        else:
            waiting += gc.get_referents(thing)
    return total
