"""One life of a module, for one call: it leaves nothing behind."""

from collections.abc import Mapping

from wasmtime import Func, Memory, Module, Store, Trap, WasmtimeError

from fob_device.components.runtime.data import linker
from fob_device.components.runtime.engine import engine, explained
from fob_device.components.runtime.errors import RunError, RunFault
from fob_device.components.runtime.limits import CALL_LIMIT
from fob_protocol.office.modules import MODULE_FUEL, MODULE_MEMORY, MODULE_TABLE


class Run:
    """`data`: what the module may read, by id. Raises RunError when it does not even begin."""

    def __init__(self, module: Module, data: Mapping[str, bytes]) -> None:
        self._store = Store(engine())
        self._store.set_limits(
            memory_size=MODULE_MEMORY, table_elements=MODULE_TABLE, instances=1, tables=1, memories=1
        )
        self._store.set_fuel(MODULE_FUEL)
        try:
            self._exports = linker(self._store, data).instantiate(self._store, module).exports(self._store)
        except Trap as trap:
            raise explained(trap) from None
        except WasmtimeError as error:
            raise RunError(RunFault.OUT_OF_MEMORY, str(error).partition("\n")[0]) from None

    def number(self, name: str, *arguments: int) -> int:
        """What an exported function gives. Raises RunError."""
        function = self._exports[name]
        assert isinstance(function, Func)  # noqa: S101 - looked at when the module was taken
        try:
            result: int = function(self._store, *arguments)
        except Trap as trap:
            raise explained(trap) from None
        return result

    def read(self, at: int, size: int) -> bytes:
        """Of its memory. Raises RunError BAD_ANSWER."""
        if size > CALL_LIMIT or at + size > self._memory.data_len(self._store):
            raise RunError(RunFault.BAD_ANSWER, f"an answer of {size} octets at {at}: outside its memory, or too long")
        return bytes(self._memory.read(self._store, at, at + size))

    def write(self, at: int, octets: bytes) -> None:
        """Into its memory. Raises RunError BAD_ANSWER."""
        if at + len(octets) > self._memory.data_len(self._store):
            raise RunError(RunFault.BAD_ANSWER, f"it wants its values at {at}, outside its memory")
        self._memory.write(self._store, octets, at)

    @property
    def _memory(self) -> Memory:
        memory = self._exports["memory"]
        assert isinstance(memory, Memory)  # noqa: S101 - looked at when the module was taken
        return memory
