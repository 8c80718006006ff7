"""The fields of a request, taken one by one with their bounds; what is left over is an error. No I/O in here."""

import json
from collections.abc import Iterable
from enum import StrEnum
from typing import Final, TypeVar

from fob_daemon.control.errors import ControlError, ExitCode

DOCUMENT: Final = "docs/control-api.md"

Choice = TypeVar("Choice", bound=StrEnum)


def bad_request(why: str, status: int = 400) -> ControlError:
    """The request breaks a rule of the API; `why` names the rule and repeats no value."""
    return ControlError("the request is not understood", why, f"see {DOCUMENT}", ExitCode.USAGE, status=status)


class Fields:
    """A flat set of named values, from a JSON body or a query. Every method raises ControlError (400)."""

    def __init__(self, values: Iterable[tuple[str, object]]) -> None:
        self._values: dict[str, object] = {}
        for name, value in values:
            if name in self._values:
                raise bad_request("a field stands twice")
            self._values[name] = value

    @classmethod
    def from_body(cls, body: bytes) -> "Fields":
        """The fields of a JSON object; an empty body has none."""
        if not body:
            return cls(())
        try:
            # A PIN must not come with the error, which shows what it could not read.
            fields = json.loads(body, object_pairs_hook=lambda pairs: cls(tuple(pairs)))
        except (ValueError, RecursionError):
            raise bad_request("the body is no JSON") from None
        if not isinstance(fields, cls):
            raise bad_request("the body is no JSON object")
        return fields

    def text(self, name: str, limit: int) -> str:
        """A text of 1 to `limit` characters, all printable."""
        value = self.optional_text(name, limit)
        if value is None:
            raise bad_request(f"'{name}' is missing")
        return value

    def optional_text(self, name: str, limit: int) -> str | None:
        """As `text`; None when it is absent or null."""
        value = self._values.pop(name, None)
        if value is None:
            return None
        if not isinstance(value, str) or not 0 < len(value) <= limit:
            raise bad_request(f"'{name}' has to be a text of 1 to {limit} characters")
        if not value.isprintable():
            raise bad_request(f"'{name}' has characters that cannot be shown")
        return value

    def optional_secret(self, name: str, limit: int) -> bytes | None:
        """Any text of at most `limit` octets in UTF-8, as octets."""
        value = self._values.pop(name, None)
        if value is None:
            return None
        octets = _octets(value) if isinstance(value, str) else b""
        if not 0 < len(octets) <= limit:
            raise bad_request(f"'{name}' has to be a text of 1 to {limit} octets")
        return octets

    def optional_hex(self, name: str, limit: int) -> bytes | None:
        """Hexadecimal octets, 1 to `limit`."""
        text = self.optional_text(name, 2 * limit)
        return None if text is None else hex_octets(name, text)

    def boolean(self, name: str) -> bool:
        """true or false."""
        value = self._values.pop(name, None)
        if not isinstance(value, bool):
            raise bad_request(f"'{name}' has to be true or false")
        return value

    def number(self, name: str, default: int, highest: int) -> int:
        """A decimal number of a query, from 0 to `highest`."""
        value = self._values.pop(name, None)
        if value is None:
            return default
        digits = value if isinstance(value, str) and value.isascii() and value.isdecimal() else ""
        if not digits or len(digits) > len(str(highest)) or int(digits) > highest:
            raise bad_request(f"'{name}' has to be a number from 0 to {highest}")
        return int(digits)

    def choice(self, name: str, choices: type[Choice]) -> Choice:
        """One of the words of an enumeration."""
        value = self._values.pop(name, None)
        found = next((choice for choice in choices if choice.value == value), None)
        if found is None:
            raise bad_request(f"'{name}' has to be one of {', '.join(choices)}")
        return found

    def end(self) -> None:
        """No field is left: a typing error must not be silent."""
        if self._values:
            raise bad_request(f"{len(self._values)} field(s) too many; the request has others than the ones documented")


def hex_octets(name: str, text: str) -> bytes:
    """The octets of a hexadecimal text without spaces. Raises ControlError (400)."""
    try:
        octets = bytes.fromhex(text)
    except ValueError:
        octets = b""
    if octets.hex() != text.lower() or not octets:
        raise bad_request(f"'{name}' has to be hexadecimal, two digits an octet")
    return octets


def _octets(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can spell
        return b""
