"""The fields of a request, taken one by one with their bounds; what is left over is an error. No I/O in here."""

import json
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Final, TypeVar

from fob_daemon.control.errors import ControlError, ExitCode
from fob_daemon.control.limits import MAX_BODY
from fob_daemon.control.rules import fault_of_hex, fault_of_label, fault_of_name, fault_of_octets
from fob_protocol.at.values import Value as AtValue
from fob_protocol.limits import NUMBER_VALUE_LIMIT
from fob_protocol.names import is_plain_name

DOCUMENT: Final = "docs/control-api.md"

Choice = TypeVar("Choice", bound=StrEnum)
Value = TypeVar("Value")
# What is wrong with a text that is bounded by a number; None when nothing is.
FaultOf = Callable[[str, int], str | None]


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

    def name(self, name: str, limit: int) -> str:
        """A text of 1 to `limit` characters, all visible."""
        return _found(name, self.optional_name(name, limit))

    def optional_name(self, name: str, limit: int) -> str | None:
        """As `name`; None when it is absent or null."""
        return self._text(name, limit, fault_of_name)

    def label(self, name: str, limit: int) -> str:
        """As `name`; `limit` in octets of UTF-8."""
        return _found(name, self._text(name, limit, fault_of_label))

    def optional_secret(self, name: str, limit: int) -> bytes | None:
        """Any text of at most `limit` octets in UTF-8, as octets."""
        value = self._values.pop(name, None)
        if value is None:
            return None
        octets = _octets(value) if isinstance(value, str) else b""
        if not 0 < len(octets) <= limit:
            raise bad_request(f"'{name}' has to be a text of 1 to {limit} octets")
        return octets

    def octets(self, name: str, limit: int) -> bytes:
        """Octets, 1 to `limit`, in hexadecimal."""
        return _found(name, self.optional_octets(name, limit))

    def optional_octets(self, name: str, limit: int) -> bytes | None:
        """As `octets`; None when it is absent or null."""
        text = self._text(name, limit, fault_of_hex)
        return None if text is None else bytes.fromhex(text)

    def boolean(self, name: str) -> bool:
        """true or false."""
        value = self._values.pop(name, None)
        if not isinstance(value, bool):
            raise bad_request(f"'{name}' has to be true or false")
        return value

    def flag(self, name: str) -> bool:
        """As `boolean`; false when it is absent."""
        return self.boolean(name) if name in self._values else False

    def number(self, name: str, default: int, highest: int) -> int:
        """A decimal number of a query, from 0 to `highest`."""
        value = self._values.pop(name, None)
        if value is None:
            return default
        digits = value if isinstance(value, str) and value.isascii() and value.isdecimal() else ""
        if not digits or len(digits) > len(str(highest)) or int(digits) > highest:
            raise bad_request(f"'{name}' has to be a number from 0 to {highest}")
        return int(digits)

    def whole(self, name: str, highest: int) -> int:
        """A whole number of a body, from 0 to `highest`."""
        value = self._values.pop(name, None)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= highest:
            raise bad_request(f"'{name}' has to be a number from 0 to {highest}")
        return value

    def positive(self, name: str, highest: int) -> int:
        """A whole number of a body, from 1 to `highest`."""
        return _found(name, self.optional_positive(name, highest))

    def optional_positive(self, name: str, highest: int) -> int | None:
        """As `positive`; None when it is absent or null."""
        value = self._values.pop(name, None)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= highest):
            raise bad_request(f"'{name}' has to be a number from 1 to {highest}")
        return value

    def names(self, name: str, most: int, limit: int) -> tuple[str, ...]:
        """A list of 1 to `most` texts, each as `name` takes one."""
        values = self._values.pop(name, None)
        if not isinstance(values, list) or not 1 <= len(values) <= most:
            raise bad_request(f"'{name}' has to be a list of 1 to {most} texts")
        return tuple(Fields(((name, value),)).name(name, limit) for value in values)

    def objects(self, name: str, most: int) -> "tuple[Fields, ...]":
        """A list of 1 to `most` objects."""
        values = self._values.pop(name, None)
        if not isinstance(values, list) or not 1 <= len(values) <= most:
            raise bad_request(f"'{name}' has to be a list of 1 to {most} objects")
        found = tuple(value for value in values if isinstance(value, Fields))
        if len(found) < len(values):
            raise bad_request(f"each of '{name}' has to be an object")
        return found

    def choice(self, name: str, choices: type[Choice]) -> Choice:
        """One of the words of an enumeration."""
        value = self._values.pop(name, None)
        found = next((choice for choice in choices if choice.value == value), None)
        if found is None:
            raise bad_request(f"'{name}' has to be one of {', '.join(choices)}")
        return found

    def optional_texts(self, name: str, most: int, name_limit: int, limit: int) -> dict[str, str] | None:
        """An object of at most `most` texts, each of at most `limit` octets in UTF-8; None when absent or null."""
        value = self._values.pop(name, None)
        if value is None:
            return None
        if not isinstance(value, Fields) or len(value._values) > most:
            raise bad_request(f"'{name}' has to be an object of at most {most} texts")
        return {key: _text_of(name, key, text, name_limit, limit) for key, text in value._values.items()}

    def at_values(self, name: str, most: int) -> tuple[AtValue, ...]:
        """A list of AT values: numbers, texts, and octets as {"hex": "0a0b"}."""
        values = self._values.pop(name, None)
        if not isinstance(values, list) or len(values) > most:
            raise bad_request(f"'{name}' has to be a list of at most {most} values")
        return tuple(_at_value(name, value) for value in values)

    def end(self) -> None:
        """No field is left: a typing error must not be silent."""
        if self._values:
            raise bad_request(f"{len(self._values)} field(s) too many; the request has others than the ones documented")

    def _text(self, name: str, limit: int, fault_of: FaultOf) -> str | None:
        value = self._values.pop(name, None)
        if value is None:
            return None
        fault = fault_of(value if isinstance(value, str) else "", limit)
        if fault is not None or not isinstance(value, str):
            raise bad_request(f"'{name}' {fault}")
        return value


def _found(name: str, value: Value | None) -> Value:
    if value is None:
        raise bad_request(f"'{name}' is missing")
    return value


def _text_of(name: str, key: str, text: object, name_limit: int, limit: int) -> str:
    fault = fault_of_name(key, name_limit)
    if fault is not None:
        raise bad_request(f"a name in '{name}' {fault}")
    if not isinstance(text, str) or not is_plain_name(text) or len(text.encode()) > limit:
        raise bad_request(f"each of '{name}' has to be a text of at most {limit} octets that can be shown")
    return text


def _at_value(name: str, value: object) -> AtValue:
    match value:
        case bool():
            pass
        case int() if 0 <= value <= NUMBER_VALUE_LIMIT:
            return value
        case str() if not value or _octets(value):
            return value
        case Fields():
            octets = value._text("hex", MAX_BODY, fault_of_octets)
            value.end()
            if octets is not None:
                return bytes.fromhex(octets)
    raise bad_request(f"each of '{name}' has to be a number of 64 bits, a text, or an object with octets in 'hex'")


def _octets(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can spell
        return b""
