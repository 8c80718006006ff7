"""Which masters each kind of box holds: the one table of docs/meter-protocol.md, section 2."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from fob_office.centre.bus.passes import Kind


class Purpose(StrEnum):
    """What a master is for: no key of one purpose does the task of another."""

    TOKEN = "token"  # noqa: S105 - a name
    RECORD = "record"
    USER = "user"
    USER_RECORD = "user record"
    ORDER = "order"
    FUND = "fund"
    PERMISSION = "permission"
    CHANGE = "change"
    PASSWORD = "password"  # noqa: S105 - a name


HELD: Final[Mapping[Kind, frozenset[Purpose]]] = {
    Kind.STEEL: frozenset((Purpose.TOKEN, Purpose.USER, Purpose.ORDER)),
    Kind.METER: frozenset(
        (Purpose.TOKEN, Purpose.RECORD, Purpose.ORDER, Purpose.FUND, Purpose.PERMISSION, Purpose.CHANGE)
    ),
    Kind.AUTHENTICATION: frozenset(
        (Purpose.USER, Purpose.USER_RECORD, Purpose.ORDER, Purpose.PERMISSION, Purpose.PASSWORD)
    ),
    Kind.TRANSACTION: frozenset((Purpose.ORDER, Purpose.FUND, Purpose.PERMISSION, Purpose.CHANGE)),
}

# What stands before the context in the derivation of a key.
NAMES: Final[Mapping[Purpose, str]] = {
    Purpose.TOKEN: "fob/1 token kek",
    Purpose.RECORD: "fob/1 meter record",
    Purpose.USER: "fob/1 user kek",
    Purpose.USER_RECORD: "fob/1 user record",
    Purpose.ORDER: "fob/1 order",
    Purpose.FUND: "fob/1 fund record",
    Purpose.PERMISSION: "fob/1 permission",
    Purpose.CHANGE: "fob/1 change",
    Purpose.PASSWORD: "fob/1 password",
}


def held_by(kind: Kind) -> frozenset[Purpose]:
    """None for processes that are no boxes, and for those that make keys only."""
    return HELD.get(kind, frozenset())
