"""Bounds of a module, each with its reason. Sizes in octets."""

from typing import Final

# Room for tables and pictures; a phone can give it to each call.
MODULE_MEMORY: Final = 4 << 20
# Instructions of one call: a tenth of a second on a small machine.
MODULE_FUEL: Final = 20_000_000
# What asking the device for data costs of it: as much time as so many instructions take.
IMPORT_FUEL: Final = 10_000
MODULE_STACK: Final = 256 << 10
MODULE_TABLE: Final = 1024

# What one call is given and answers: as a text of the line, with room for its head.
CALL_LIMIT: Final = 32 << 10
