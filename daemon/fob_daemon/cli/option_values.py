"""The values of a component's command as a person types them, and as they are printed. No I/O in here."""

import re
from typing import Any, Final

import click

from fob_daemon.control.json_form import Json
from fob_daemon.control.rules import fault_of_octets
from fob_protocol.limits import NUMBER_VALUE_LIMIT
from fob_protocol.office.limits import BODY_LIMIT

_DIGITS: Final = re.compile(r"[0-9]{1,20}")
_TEXT: Final = "text:"
_HEX: Final = "hex:"


def value_of(word: str) -> Json:
    """A number for decimal digits, octets behind `hex:`, a text for all else and behind `text:`.

    Raises click.UsageError.
    """
    if word.startswith(_TEXT):
        return word.removeprefix(_TEXT)
    if word.startswith(_HEX):
        octets = word.removeprefix(_HEX)
        fault = fault_of_octets(octets, BODY_LIMIT)
        if fault is not None:
            raise click.UsageError(f"what stands behind {_HEX} {fault}")
        return {"hex": octets}
    if _DIGITS.fullmatch(word) is None:
        return word
    number = int(word)
    if number > NUMBER_VALUE_LIMIT:
        raise click.UsageError(f"{word} has more than 64 bits; as a text it is {_TEXT}{word}")
    return number


def words_for(value: Any) -> str:
    """A value of an answer, for a person; octets as they would be typed."""
    if isinstance(value, dict):
        return f"{_HEX}{value['hex']}"
    return str(value)
