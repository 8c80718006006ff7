"""What a leaf is: one record of the meters' centre, as it was signed."""

from enum import IntEnum
from typing import Annotated, Final

from msgspec import Meta

from fob_protocol.cose import cbor
from fob_protocol.metering.log.hashes import leaf_hash
from fob_protocol.metering.log.limits import CONTENT_LIMIT
from fob_protocol.office.message import Message

# The version before an entry's elements.
_VERSION: Final = 1


class Kind(IntEnum):
    """What is recorded."""

    TRANSACTION_RECORD = 1
    METER_RECORD = 2
    USER_RECORD = 3
    # What the postal side saw of an indicium.
    SCAN = 4
    # What an operator did, as a recovery after a backup was put back.
    NOTE = 5


class Entry(Message, tag=_VERSION, frozen=True):
    """`[1, kind, octets]`; the octets are 1 to CONTENT_LIMIT, and the log does not look into them."""

    kind: Kind
    content: Annotated[bytes, Meta(min_length=1, max_length=CONTENT_LIMIT)]

    def hash(self) -> bytes:
        """Of the leaf, 32 octets."""
        return leaf_hash(self.octets())


def entry_octets(kind: int, content: bytes) -> bytes:
    """Of an entry as it stands somewhere, also of a kind that there is not."""
    return cbor.encode([_VERSION, kind, content])
