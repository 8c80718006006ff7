"""Command state: a V.250 console. Octets in, command lines out; results back to octets (docs, section 1)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from fob_protocol.at.command import Command, read_extended
from fob_protocol.at.values import ValueReader
from fob_protocol.errors import AtSyntaxError
from fob_protocol.limits import COMMAND_LINE_LIMIT

CR, LF, BS = 0x0D, 0x0A, 0x08
BASIC_LETTERS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ")

# V.250 5.2.2: a person may space a line as she likes; strings keep their spaces.
_SPACES_OUTSIDE_STRINGS = re.compile(rb'("[^"]*"?)|[ \t]+')


class Result(Enum):
    """Final result codes (V.250 5.7.1): the words, and the digit of `V0`."""

    OK = (b"OK", b"0")
    CONNECT = (b"CONNECT", b"1")
    NO_CARRIER = (b"NO CARRIER", b"3")
    ERROR = (b"ERROR", b"4")


class CmeError(Enum):
    """Why a command failed (3GPP TS 27.007, 9.2)."""

    NOT_ALLOWED = (3, "operation not allowed")
    NOT_SUPPORTED = (4, "operation not supported")
    TOO_LONG = (24, "text string too long")
    INCORRECT_PARAMETERS = (50, "incorrect parameters")
    UNKNOWN = (100, "unknown")


@dataclass(frozen=True, slots=True)
class BasicCommand:
    """A basic command (V.250 5.3.1): `letter` with its `&` if it has one, and its number (0 when absent)."""

    letter: str
    number: int = 0


LineCommand = BasicCommand | Command


@dataclass(slots=True)
class LineAssembler:
    """Turns the octets of a line into command lines; keeps the last one for `A/`."""

    buffer: bytearray = field(default_factory=bytearray)
    overlong: bool = False
    last: bytes = b""

    def feed(self, octet: int) -> bytes | None:
        """Take one octet; the body of a command line when it completes one, else None. Raises AtSyntaxError for an
        overlong line, at its end."""
        if octet == CR:
            return self._end_of_line()
        if octet == BS:
            del self.buffer[-1:]
        elif octet != LF and octet != 0:
            self._keep(octet)
        if self._repeats():
            self.buffer.clear()
            return self.last
        return None

    def _keep(self, octet: int) -> None:
        self.buffer.append(octet)
        if len(self.buffer) > COMMAND_LINE_LIMIT:
            self.overlong = True
            del self.buffer[:-1]

    def _repeats(self) -> bool:
        return not self.overlong and self.buffer[-2:].upper() == b"A/" and b"AT" not in self.buffer.upper()

    def _end_of_line(self) -> bytes | None:
        line, overlong = bytes(self.buffer), self.overlong
        self.buffer.clear()
        self.overlong = False
        if overlong:
            raise AtSyntaxError(f"a command line over {COMMAND_LINE_LIMIT} octets")
        start = line.upper().find(b"AT")
        if start < 0:
            return None
        self.last = line[start + 2 :]
        return self.last


def parse_body(body: bytes) -> Iterator[LineCommand]:
    """The commands of a line's body, one at a time, so that those before a fault still run. Raises AtSyntaxError."""
    reader = ValueReader(_SPACES_OUTSIDE_STRINGS.sub(rb"\1", body), blocks=False)
    while reader.position < len(reader.data):
        if reader.data[reader.position] == ord("+"):
            command = read_extended(reader)
            _expect_separator(reader)  # before it runs: what stands behind its values may change what was meant
            yield command
        else:
            yield _read_basic(reader)


def _expect_separator(reader: ValueReader) -> None:
    if reader.position == len(reader.data):
        return
    if reader.data[reader.position] != ord(";"):
        raise AtSyntaxError("extended commands are separated by ;")
    reader.position += 1


def _read_basic(reader: ValueReader) -> BasicCommand:
    letter = ""
    if reader.data.startswith(b"&", reader.position):
        letter = "&"
        reader.position += 1
    head = reader.data[reader.position : reader.position + 1].upper()
    if not head or head[0] not in BASIC_LETTERS:
        raise AtSyntaxError("a basic command is a letter and perhaps a number")
    reader.position += 1
    number = reader.read_value() if reader.data[reader.position : reader.position + 1].isdigit() else 0
    return BasicCommand(letter + head.decode(), number if isinstance(number, int) else 0)


@dataclass(slots=True)
class ResultWriter:
    """Formats answers as the settings say: verbose (`V`), quiet (`Q`), and the error form (`+CMEE`)."""

    verbose: bool = True
    quiet: bool = False
    cmee: int = 1

    def text(self, line: str) -> bytes:
        """One line of information text."""
        octets = line.encode("ascii", "backslashreplace")
        return b"\r\n%b\r\n" % octets if self.verbose else octets + b"\r\n"

    def result(self, result: Result) -> bytes:
        """A final result code, nothing when quiet."""
        if self.quiet:
            return b""
        words, digit = result.value
        return b"\r\n%b\r\n" % words if self.verbose else digit + b"\r"

    def error(self, error: CmeError) -> bytes:
        """A failure in the form that `+CMEE` asks for."""
        number, words = error.value
        if self.quiet or self.cmee == 0:
            return self.result(Result.ERROR)
        return self.text(f"+CME ERROR: {words if self.cmee == 2 else number}")
