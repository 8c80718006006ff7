"""Whether a module could run on a device: looked at before it is signed, by the compiler that devices have."""

from functools import cache
from typing import Final

from wasmtime import Config, Engine, FuncType, Linker, MemoryType, Module, Store, Trap, TrapCode, WasmtimeError

from fob_protocol.office.modules import (
    ALLOC,
    CALL,
    ENGINE_SETTINGS,
    EXPORTS,
    IMPORT_MODULE,
    IMPORTS,
    MEMORY,
    MODULE_FUEL,
    MODULE_MEMORY,
    MODULE_TABLE,
    START,
    Signature,
)

_MAGIC: Final = b"\0asm"
# Whatever data a device has, these come again there; another trap may come of data that is not here.
_ENDLESS: Final = (TrapCode.OUT_OF_FUEL, TrapCode.STACK_OVERFLOW)


def wrong_with(content: bytes, *, has_commands: bool) -> str:
    """Why no device would run it; empty when nothing is wrong. None of its functions is called but a start section's.

    Its self test is for devices, which have the data that it reads.
    """
    if content[: len(_MAGIC)] != _MAGIC:
        return "that is no WebAssembly module"
    try:
        module = Module(_engine(), content)
    except WasmtimeError as error:
        return f"that is no module for devices: {_first_line(error)}"
    return _imported(module) or _exported(module, has_commands) or _begun(module)


@cache
def _engine() -> Engine:
    config = Config()
    for name, value in ENGINE_SETTINGS.items():
        setattr(config, name, value)
    return Engine(config)


def _imported(module: Module) -> str:
    for wanted in module.imports:
        offered = IMPORTS.get(wanted.name or "") if wanted.module == IMPORT_MODULE else None
        if offered is None or not _is_function(wanted.type, offered):
            return f"it imports {wanted.module}.{wanted.name}, which no device offers so"
    return ""


def _exported(module: Module, has_commands: bool) -> str:
    exports = {export.name: export.type for export in module.exports}
    if has_commands and not isinstance(exports.get(MEMORY), MemoryType):
        return f"it has commands, and exports no {MEMORY}"
    needed = (ALLOC, CALL) if has_commands else ()
    for name in (*needed, *({START} & exports.keys())):
        if not _is_function(exports.get(name), EXPORTS[name]):
            return f"it exports no function {name} of the right type"
    return ""


def _begun(module: Module) -> str:
    """Made once under a device's bounds, as each start of a device makes it."""
    store = Store(_engine())
    store.set_limits(memory_size=MODULE_MEMORY, table_elements=MODULE_TABLE, instances=1, tables=1, memories=1)
    store.set_fuel(MODULE_FUEL)
    linker = Linker(_engine())
    linker.define_unknown_imports_as_traps(module)
    try:
        linker.instantiate(store, module)
    except Trap as trap:
        return "its start does not come to an end" if trap.trap_code in _ENDLESS else ""
    except WasmtimeError as error:
        # What a device offers traps here: that says nothing about the module.
        return "" if "unknown import" in str(error) else f"it does not fit into a device: {_first_line(error)}"
    return ""


def _is_function(kind: object, wanted: Signature) -> bool:
    if not isinstance(kind, FuncType):
        return False
    return (tuple(map(str, kind.params)), tuple(map(str, kind.results))) == wanted


def _first_line(error: WasmtimeError) -> str:
    return str(error).partition("\n")[0][:200]
