"""One extended command, as it stands in a request record or, with others, in a V.250 command line (5.4)."""

import re
from dataclasses import dataclass
from enum import Enum

from fob_protocol.at.values import ValueReader, Values, encode_values
from fob_protocol.errors import AtSyntaxError

# V.250 5.4.1: a plus sign and one to sixteen characters.
NAME = re.compile(rb"\+[A-Za-z][A-Za-z0-9!%\-./:_]{0,15}")


class Verb(Enum):
    """What is asked of a command: V.250 5.4.3 and 5.4.4."""

    EXECUTE = b""
    SET = b"="
    READ = b"?"
    TEST = b"=?"


@dataclass(frozen=True, slots=True)
class Command:
    """An extended command: `name` with its plus sign, in capitals; an empty name is the bare `AT`."""

    name: str
    verb: Verb = Verb.EXECUTE
    values: Values = ()

    def __repr__(self) -> str:
        """Names the command only: values may be PINs or plaintext."""
        return f"Command({self.name}{self.verb.value.decode()})"


BARE = Command("")


def encode_command(command: Command) -> bytes:
    """A request's text: `AT`, name, verb and values, without CR."""
    return b"AT%b%b%b" % (command.name.encode(), command.verb.value, encode_values(command.values))


def decode_command(text: bytes) -> Command:
    """A request's text back to its one command. Raises AtSyntaxError."""
    if text[:2].upper() != b"AT":
        raise AtSyntaxError("a command starts with AT")
    if len(text) == 2:
        return BARE
    reader = ValueReader(text, 2)
    command = read_extended(reader)
    if reader.position != len(text):
        raise AtSyntaxError(f"an unexpected octet after {command.name}")
    return command


def read_extended(reader: ValueReader) -> Command:
    """The extended command at the reader's place; the reader moves behind it. Raises AtSyntaxError."""
    match = NAME.match(reader.data, reader.position)
    if match is None:
        raise AtSyntaxError("a name is + and up to sixteen characters")
    name = match[0].decode().upper()
    reader.position = match.end()
    for verb in (Verb.TEST, Verb.READ, Verb.SET):
        if reader.data.startswith(verb.value, reader.position):
            reader.position += len(verb.value)
            values = reader.read_list() if verb is Verb.SET else ()
            return Command(name, verb, values)
    return Command(name)
