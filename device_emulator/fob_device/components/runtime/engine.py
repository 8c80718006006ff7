"""The one engine, which compiles WebAssembly as far as a component may use it."""

from functools import cache
from typing import Final

from wasmtime import Config, Engine, Module, Trap, TrapCode, WasmtimeError

from fob_device.components.runtime.errors import RunError, RunFault
from fob_protocol.office.modules import ENGINE_SETTINGS

_BY_TRAP: Final[dict[TrapCode | None, tuple[RunFault, str]]] = {
    TrapCode.OUT_OF_FUEL: (RunFault.OUT_OF_FUEL, "it ran for too long"),
    TrapCode.STACK_OVERFLOW: (RunFault.OUT_OF_STACK, "its calls go too deep"),
}


@cache
def engine() -> Engine:
    """Made when the first module is compiled: a device without modules does not load a compiler."""
    config = Config()
    for name, value in ENGINE_SETTINGS.items():
        setattr(config, name, value)
    return Engine(config)


def compile_module(content: bytes) -> Module:
    """Raises RunError BAD_MODULE. A text form is no module."""
    if content[:4] != b"\0asm":
        raise RunError(RunFault.BAD_MODULE, "that is no WebAssembly")
    try:
        return Module(engine(), content)
    except WasmtimeError as error:
        raise RunError(RunFault.BAD_MODULE, str(error).partition("\n")[0]) from None


def explained(trap: Trap) -> RunError:
    """A trap by its name."""
    code = trap.trap_code
    if code in _BY_TRAP:
        return RunError(*_BY_TRAP[code])
    return RunError(RunFault.TRAP, code.name.lower().replace("_", " ") if code else "it gave up")
