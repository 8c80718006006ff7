"""Requests that follow from another one, or from a record: the same each time they are made (M29)."""

from typing import Final

from fob_protocol.cose.cbor import Value, encode
from fob_protocol.office.hashing import digest

REFILL: Final = "fob/1 refill"
PER_USE: Final = "fob/1 per use"
SETTLEMENT: Final = "fob/1 settlement"

# Octets of a request's id.
ID_SIZE: Final = 16


def derived_digest(what: str, serial: str, of: Value) -> bytes:
    """H of what stands for the request; its first ID_SIZE octets are the id."""
    return digest(encode([what, serial, of]))


def rule_digest(below: int) -> bytes:
    """Which rule a permission to refill is by: its `pieces`."""
    return digest(encode(["fob/1 refill rule", below]))
