"""An exported log: what `fob-log-verify` reads, one part after another and each with four octets of length before it.

The head, then the entries in their order, then an empty part: so a file that was cut short is known as one.
"""

from collections.abc import Sequence
from typing import Annotated, Final

from msgspec import Meta

from fob_protocol.metering.log.entry import Entry
from fob_protocol.metering.log.limits import KEYS_LIMIT
from fob_protocol.office.message import Message, Name, Octets32

_LENGTH_SIZE: Final = 4

# What stands behind the last entry.
EXPORT_END: Final = bytes(_LENGTH_SIZE)


class ExportHead(Message, tag="fob/1 exported log", frozen=True):
    """The log's name, and the keys of all transaction boxes that ever signed for it (raw)."""

    origin: Name
    keys: Annotated[Sequence[Octets32], Meta(max_length=KEYS_LIMIT)]


def exported(part: ExportHead | Entry) -> bytes:
    """A part as it stands in the file."""
    return exported_octets(part.octets())


def exported_octets(octets: bytes) -> bytes:
    """The same of a part as a database holds it, whatever became of it there."""
    return len(octets).to_bytes(_LENGTH_SIZE) + octets
