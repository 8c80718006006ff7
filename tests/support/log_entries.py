"""What the leaves of a data centre's log say."""

from typing import Final

from fob_protocol.metering.log.entry import Entry
from fob_protocol.metering.log.limits import CONTENT_LIMIT
from fob_protocol.office.message import read

# Octets of a leaf: what it records, with the array's and its own heads.
ENTRY_LIMIT: Final = CONTENT_LIMIT + 16


def read_entry(octets: bytes) -> Entry:
    """Of one leaf. Raises OfficeError."""
    return read(Entry, octets)
