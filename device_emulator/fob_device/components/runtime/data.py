"""What a module may ask its device for: the data components that its release depends on, and nothing else."""

from collections.abc import Callable, Mapping
from typing import Final

from wasmtime import Caller, FuncType, Linker, Memory, Store, ValType

from fob_device.components.runtime.engine import engine
from fob_device.components.runtime.limits import IMPORT_FUEL
from fob_protocol.office.modules import IMPORT_MODULE, IMPORTS, Signature

_VALUES: Final = {"i32": ValType.i32(), "i64": ValType.i64()}
# The answer for data that is not there, or for addresses outside the memory.
ABSENT: Final = -1


def function_type(signature: Signature) -> FuncType:
    """As the engine has it."""
    parameters, results = signature
    return FuncType([_VALUES[name] for name in parameters], [_VALUES[name] for name in results])


def linker(store: Store, data: Mapping[str, bytes]) -> Linker:
    """The imports, for a module that may read `data`, by id, and pays with the store's fuel."""
    imports = Linker(engine())
    reader = _Reader(store, data)
    functions: dict[str, Callable[..., int]] = {"data_size": reader.size, "data_read": reader.read}
    for name, signature in IMPORTS.items():
        imports.define_func(IMPORT_MODULE, name, function_type(signature), functions[name], access_caller=True)
    return imports


class _Reader:
    def __init__(self, store: Store, data: Mapping[str, bytes]) -> None:
        self._store = store
        self._data = data

    def size(self, caller: Caller, at: int, size: int) -> int:
        """Octets of a data component."""
        content = self._content(caller, at, size)
        return ABSENT if content is None else len(content)

    def read(self, caller: Caller, at: int, size: int, begin: int, to: int, limit: int) -> int:
        """How many octets were copied."""
        content = self._content(caller, at, size)
        memory = _memory(caller)
        if content is None or memory is None or begin < 0 or limit < 0:
            return ABSENT
        piece = content[begin : begin + limit]
        if not _is_within(caller, memory, to, len(piece)):
            return ABSENT
        memory.write(caller, piece, to)
        return len(piece)

    def _content(self, caller: Caller, at: int, size: int) -> bytes | None:
        self._store.set_fuel(max(self._store.get_fuel() - IMPORT_FUEL, 0))
        memory = _memory(caller)
        if memory is None or not _is_within(caller, memory, at, size):
            return None
        name = bytes(memory.read(caller, at, at + size))
        return self._data.get(name.decode(errors="replace"))


def _memory(caller: Caller) -> Memory | None:
    memory = caller.get("memory")
    return memory if isinstance(memory, Memory) else None


def _is_within(caller: Caller, memory: Memory, at: int, size: int) -> bool:
    return at >= 0 and size >= 0 and at + size <= memory.data_len(caller)
