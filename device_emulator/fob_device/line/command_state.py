"""Command state: V.250, for anyone at the line (docs/protocol.md, section 1)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from fob_protocol.at.command import Command, Verb
from fob_protocol.at.console import BasicCommand, CmeError, LineAssembler, LineCommand, Result, ResultWriter, parse_body
from fob_protocol.at.values import encode_values
from fob_protocol.catalogue import COMMANDS
from fob_protocol.errors import AtSyntaxError
from fob_protocol.versions import SPOKEN, VERSIONS_LINE

OPEN: Final = "+FOBOPEN"


@dataclass(frozen=True, slots=True)
class Product:
    """What any passer-by may know of the device."""

    manufacturer: str
    model: str
    revision: str
    serial: str
    label: str
    token_flags: int


class RefusedError(Exception):
    """A command of the line fails."""

    def __init__(self, error: CmeError) -> None:
        self.error = error
        super().__init__(error.value[1])


@dataclass(slots=True)
class CommandState:
    """Octets in, octets out; `opened` is the protocol version once a PC asked for data state."""

    product: Callable[[], Product]
    echo: bool = True
    writer: ResultWriter = field(default_factory=ResultWriter)
    opened: int | None = None
    _assembler: LineAssembler = field(default_factory=LineAssembler)

    def feed(self, octet: int) -> bytes:
        """Take one octet of the line; what to write back."""
        out = bytes((octet,)) if self.echo else b""
        try:
            body = self._assembler.feed(octet)
        except AtSyntaxError:
            return out + self.writer.error(CmeError.TOO_LONG)
        return out if body is None else out + self._run_line(body)

    def _run_line(self, body: bytes) -> bytes:
        out = b""
        try:
            for command in parse_body(body):
                out += self._run(command)
                if self.opened is not None:
                    return out + self.writer.result(Result.CONNECT)
        except AtSyntaxError:
            return out + self.writer.error(CmeError.INCORRECT_PARAMETERS)
        except RefusedError as refusal:
            return out + self.writer.error(refusal.error)
        return out + self.writer.result(Result.OK)

    def _run(self, command: LineCommand) -> bytes:
        if isinstance(command, BasicCommand):
            return self._run_basic(command)
        if command.name == OPEN:
            return self._open(command)
        if command.name == "+CMEE":
            return self._cmee(command)
        if command.name in _INFORMATION and command.verb in (Verb.EXECUTE, Verb.READ):
            return self.writer.text(_INFORMATION[command.name](self.product()))
        if command.name in _INFORMATION and command.verb is Verb.TEST:
            return b""
        raise RefusedError(CmeError.NOT_ALLOWED if command.name in COMMANDS else CmeError.NOT_SUPPORTED)

    def _run_basic(self, command: BasicCommand) -> bytes:
        match command.letter, command.number:
            case "E", 0 | 1:
                self.echo = bool(command.number)
            case "V", 0 | 1:
                self.writer.verbose = bool(command.number)
            case "Q", 0 | 1:
                self.writer.quiet = bool(command.number)
            case (("Z" | "&F"), 0):
                self.echo, self.writer = True, ResultWriter()
            case "I", _:
                product = self.product()
                return self.writer.text(f"{product.manufacturer} {product.model} {product.revision}")
            case (("E" | "V" | "Q" | "Z" | "&F"), _):
                raise RefusedError(CmeError.INCORRECT_PARAMETERS)
            case _:
                raise RefusedError(CmeError.NOT_SUPPORTED)
        return b""

    def _open(self, command: Command) -> bytes:
        if command.verb is Verb.TEST:
            return self.writer.text(f"{OPEN}: {VERSIONS_LINE.decode()}")
        match command.verb, command.values:
            case Verb.SET, (int(version),) if version in SPOKEN:
                self.opened = version
                return b""
        raise RefusedError(CmeError.INCORRECT_PARAMETERS)

    def _cmee(self, command: Command) -> bytes:
        if command.verb is Verb.TEST:
            return self.writer.text("+CMEE: (0-2)")
        if command.verb is Verb.READ:
            return self.writer.text(f"+CMEE: {self.writer.cmee}")
        match command.values:
            case ((0 | 1 | 2) as form,):
                self.writer.cmee = form
                return b""
        raise RefusedError(CmeError.INCORRECT_PARAMETERS)


def _command_list(product: Product) -> str:
    return ",".join(("AT", OPEN, "+CMEE", *_INFORMATION, *(n for n in COMMANDS if n not in _INFORMATION)))


def _token_info(product: Product) -> str:
    names = (product.label, product.manufacturer, product.model, product.serial)
    return f"+C_GETTOKENINFO: {encode_values((*names, product.token_flags)).decode()}"


_INFORMATION: Final[dict[str, Callable[[Product], str]]] = {
    "+GMI": lambda product: product.manufacturer,
    "+GMM": lambda product: product.model,
    "+GMR": lambda product: product.revision,
    "+GSN": lambda product: product.serial,
    "+CGMI": lambda product: product.manufacturer,
    "+CGMM": lambda product: product.model,
    "+CGMR": lambda product: product.revision,
    "+CGSN": lambda product: product.serial,
    "+GCAP": lambda product: "+GCAP: +FOB",
    "+CLAC": _command_list,
    "+C_GETTOKENINFO": _token_info,
}
