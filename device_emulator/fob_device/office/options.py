"""The options that run: components as the loader hands them on, and the commands and data that they offer (C17)."""

from dataclasses import dataclass, field
from typing import Final

from fob_device.components.running import LoadedComponent
from fob_device.components.runtime.errors import RunError, RunFault
from fob_device.components.runtime.module import RunnableModule
from fob_protocol.at.values import Values
from fob_protocol.cose.cbor import Value
from fob_protocol.errors import AtSyntaxError
from fob_protocol.limits import NUMBER_VALUE_LIMIT
from fob_protocol.office.component import Kind

# Octets of data in one answer of the line.
DATA_PAGE: Final = 32_768


@dataclass(frozen=True, slots=True)
class Command:
    """One command of a module; slow, off the loop."""

    module: RunnableModule = field(repr=False)
    number: int

    def call(self, values: Values) -> Values:
        """What the module answers. Raises AtSyntaxError, RunError, WrongParametersError."""
        given: list[Value] = []
        for value in values:
            if value is None:
                raise AtSyntaxError("a component takes no absent values")
            given.append(value)
        return tuple(_answered(value) for value in self.module.call(self.number, given))


class Options:
    """A Runtime. What a component is started with stays with it until all are stopped."""

    def __init__(self) -> None:
        self._data: dict[str, bytes] = {}
        self._commands: dict[str, Command] = {}

    def start(self, component: LoadedComponent) -> None:
        """Data is offered; a module is compiled and tested. Raises RunError."""
        release = component.release
        if release.kind is Kind.DATA:
            self._data[release.id] = component.content
            return
        needed = {one.id: self._data[one.id] for one in release.dependencies if one.id in self._data}
        module = RunnableModule(component.content, needed, has_commands=bool(release.commands))
        module.test()
        for number, name in enumerate(release.commands):
            self._commands[f"+{name}"] = Command(module, number)

    def stop(self) -> None:
        """Nothing runs."""
        self._data, self._commands = {}, {}

    def command(self, name: str) -> Command | None:
        """`+XRATE`; None when no component has it."""
        return self._commands.get(name)

    def data(self, component: str) -> bytes | None:
        """The content of a data component that runs."""
        return self._data.get(component)


def _answered(value: Value) -> int | str | bytes:
    """As it crosses the line. Raises RunError BAD_ANSWER."""
    if isinstance(value, str | bytes):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= NUMBER_VALUE_LIMIT:
        return value
    raise RunError(RunFault.BAD_ANSWER, f"its answer holds a {type(value).__name__}, which crosses no line")
