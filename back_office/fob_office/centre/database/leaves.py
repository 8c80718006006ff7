"""What the log gets that no box signed (docs/meter-protocol.md, section 7), and leaves ready to be appended."""

from typing import NamedTuple

from fob_protocol.metering.log.entry import Entry, Kind
from fob_protocol.office.message import Message, Nonce, Octets32, Time


class Sighting(Message, tag=1, frozen=True):
    """*scan*: a piece that came by at the post; `indicium` is H of it."""

    serial: str
    counter: int
    piece: int
    indicium: Octets32
    time: Time


class Gap(Message, tag=1, frozen=True):
    """*note*: this record took the place of one that it does not follow, as after a backup was put back (section 5).

    `before`: the counter of what stood there; null is nothing.
    """

    serial: str
    before: int | None
    counter: int
    time: Time


class MailerGap(Message, tag=2, frozen=True):
    """*note*: the same of a user record, as an operator ordered it."""

    account: Nonce
    before: int
    counter: int
    time: Time


class Leaf(NamedTuple):
    """`hash`: 32 octets, of the leaf."""

    kind: int
    content: bytes
    hash: bytes


def leaf(kind: Kind, content: bytes) -> Leaf:
    """Of a record as it was signed, or the octets of one of the above."""
    return Leaf(kind, content, Entry(kind, content).hash())
