"""A module that imports no more than a device offers, and exports what a device calls."""

from collections.abc import Mapping

from wasmtime import FuncType, MemoryType, Module

from fob_device.components.runtime.data import function_type
from fob_device.components.runtime.engine import compile_module
from fob_device.components.runtime.errors import RunError, RunFault, WrongParametersError
from fob_device.components.runtime.limits import CALL_LIMIT
from fob_device.components.runtime.run import Run
from fob_protocol.cose.cbor import Value, decode, encode
from fob_protocol.cose.errors import CborError
from fob_protocol.office.modules import ALLOC, CALL, EXPORTS, IMPORT_MODULE, IMPORTS, MEMORY, START, Signature

_BITS_32, _BITS_64 = (1 << 32) - 1, (1 << 64) - 1


class RunnableModule:
    """`data`: the data components that it depends on, by id. Raises RunError when it cannot be run here."""

    def __init__(self, content: bytes, data: Mapping[str, bytes], *, has_commands: bool) -> None:
        self._module = compile_module(content)
        self._data = data
        _check_imports(self._module)
        exports = {export.name: export.type for export in self._module.exports}
        if has_commands:
            _check_exports(exports)
        self._has_start = START in exports
        if self._has_start:
            _check_function(exports, START)

    def test(self) -> None:
        """It is made once, under its bounds, and its self test, if it has one, ends well. Raises RunError."""
        run = Run(self._module, self._data)
        result = run.number(START) if self._has_start else 0
        if result != 0:
            raise RunError(RunFault.SELF_TEST, f"its self test ended with {result}")

    def call(self, command: int, values: list[Value]) -> list[Value]:
        """What a command answers; commands count from 0. Raises RunError, WrongParametersError."""
        given = encode(values)
        if len(given) > CALL_LIMIT:
            raise WrongParametersError(f"more than {CALL_LIMIT} octets")
        run = Run(self._module, self._data)
        at = run.number(ALLOC, len(given)) & _BITS_32
        run.write(at, given)
        answer = run.number(CALL, command, at, len(given)) & _BITS_64
        if answer == 0:
            raise WrongParametersError("the module does not take these values")
        return _values(run.read(answer >> 32, answer & _BITS_32))


def _check_imports(module: Module) -> None:
    for wanted in module.imports:
        offered = IMPORTS.get(wanted.name or "") if wanted.module == IMPORT_MODULE else None
        if offered is None or not _is_same(wanted.type, offered):
            raise RunError(RunFault.BAD_IMPORT, f"it wants {wanted.module}.{wanted.name}, which no device offers so")


def _check_exports(exports: Mapping[str, object]) -> None:
    if not isinstance(exports.get(MEMORY), MemoryType):
        raise RunError(RunFault.BAD_EXPORT, "it exports no memory")
    _check_function(exports, ALLOC)
    _check_function(exports, CALL)


def _check_function(exports: Mapping[str, object], name: str) -> None:
    if not _is_same(exports.get(name), EXPORTS[name]):
        raise RunError(RunFault.BAD_EXPORT, f"it exports no function {name} of the right type")


def _is_same(kind: object, signature: Signature) -> bool:
    wanted = function_type(signature)
    return isinstance(kind, FuncType) and kind.params == wanted.params and kind.results == wanted.results


def _values(octets: bytes) -> list[Value]:
    try:
        values = decode(octets)
    except CborError as error:
        raise RunError(RunFault.BAD_ANSWER, f"its answer is no CBOR: {error}") from None
    if not isinstance(values, list):
        raise RunError(RunFault.BAD_ANSWER, "its answer is no array")
    return values
