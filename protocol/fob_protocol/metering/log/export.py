"""An exported log, as `fob-log-verify` reads it: a file whose parts are the head and the entries in their order."""

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta

from fob_protocol.metering.log.limits import KEYS_LIMIT
from fob_protocol.office.message import Message, Name, Octets32


class ExportHead(Message, tag="fob/1 exported log", frozen=True):
    """The log's name, and the keys of all transaction boxes that ever signed for it (raw)."""

    origin: Name
    keys: Annotated[Sequence[Octets32], Meta(max_length=KEYS_LIMIT)]
