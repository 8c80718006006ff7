"""Bounds of a call, each with its reason; those that the office knows too are in fob_protocol/office/modules.py."""

from typing import Final

# What asking the device for data costs of MODULE_FUEL: as much time as so many instructions take.
IMPORT_FUEL: Final = 10_000

# What one call is given and answers: as a text of the line, with room for its head.
CALL_LIMIT: Final = 32 << 10
