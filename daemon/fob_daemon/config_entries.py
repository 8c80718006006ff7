"""What an entry of the configuration file may be: one rule for each kind of value.

By hand: a library that validates data takes longer to load than asyncio does, at every start, for a dozen entries.
"""

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T")
Section = TypeVar("Section", bound="DataclassInstance")

# Gives the value of an entry, or raises EntryError.
Rule = Callable[[object], T]

RULE: Final = "rule"


class EntryError(ValueError):
    """An entry breaks its rule; the text names both."""

    def __init__(self, rule: str, *place: str) -> None:
        self.rule = rule
        self.place = place
        super().__init__(f"'{'.'.join(place)}': {rule}")


def must(rule: Rule[object]) -> dict[str, Rule[object]]:
    """The `metadata` of a section's field."""
    return {RULE: rule}


def section(kind: type[Section]) -> Rule[Section]:
    """A table of the entries that `kind` has as fields, and no others: a typing error must not be silent."""
    rules: dict[str, Rule[object]] = {known.name: known.metadata[RULE] for known in fields(kind)}

    def read(value: object) -> Section:
        if not isinstance(value, dict):
            raise EntryError("must be a table")
        return kind(**{name: read_entry(name, given) for name, given in value.items()})

    def read_entry(name: str, given: object) -> object:
        if name not in rules:
            raise EntryError(f"is not known; known are {', '.join(rules)}", name)
        try:
            return rules[name](given)
        except EntryError as error:
            raise EntryError(error.rule, name, *error.place) from None

    return read


def path(value: object) -> Path:
    """Where something is."""
    if not isinstance(value, str) or not value:
        raise EntryError("must be a path")
    return Path(value)


def user_ids(value: object) -> frozenset[int]:
    """Users by number."""
    if not isinstance(value, list) or not all(type(uid) is int and uid >= 0 for uid in value):
        raise EntryError("must be a list of user ids")
    return frozenset(value)


def one_of(*words: str) -> Rule[str]:
    """One of a few words."""

    def read(value: object) -> str:
        if not isinstance(value, str) or value not in words:
            raise EntryError(f"must be one of {', '.join(words)}")
        return value

    return read


def seconds(most: float, *, or_none: bool = False) -> Rule[float]:
    """A time above 0 s, and 0 s too with `or_none`."""

    def read(value: object) -> float:
        # TOML's booleans are numbers to Python.
        if not isinstance(value, int | float) or isinstance(value, bool) or not is_allowed(value):
            raise EntryError(f"must be a number of seconds, {'from' if or_none else 'above'} 0 to {most:g}")
        return float(value)

    def is_allowed(value: float) -> bool:
        return 0 < value <= most or (or_none and value == 0)

    return read
