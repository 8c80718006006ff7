"""What the log gets that no box signed (docs/meter-protocol.md, section 7), and leaves ready to be appended."""

from typing import NamedTuple

from fob_protocol.metering.log.entry import Entry, Kind
from fob_protocol.office.message import Message, Nonce, Octets32, Time


class Sighting(Message, tag=2, frozen=True):
    """*scan*: a piece that came by at the post; `indicium` is H of it.

    `seen`: how often it had come by before; `given_back`: 1 where it had been, else 0. Whoever reads the log finds out
    whether that is so.
    """

    serial: str
    counter: int
    piece: int
    indicium: Octets32
    time: Time
    seen: int
    given_back: int


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


class Warned(Message, tag=3, frozen=True):
    """*note*: a warning, which stands in its table under `id`."""

    id: int
    word: str
    serial: str
    why: str
    time: Time


class PaidBack(Message, tag=4, frozen=True):
    """*note*: the money that went out of a meter by this number is the mailer's again, as the provider signed."""

    serial: str
    number: int
    receipt: bytes


class Answered(Message, tag=5, frozen=True):
    """*note*: what was done by no transaction. Place, H of request and of answer, as the journal has them."""

    id: Nonce
    request_digest: Octets32
    answer: Octets32
    time: Time


class Reserved(Message, tag=6, frozen=True):
    """*note*: an indicium (H of it) is being given back by the request with this id; 0: its meter box refused."""

    indicium: Octets32
    id: Nonce
    is_open: int
    time: Time


class Leaf(NamedTuple):
    """`hash`: 32 octets, of the leaf."""

    kind: int
    content: bytes
    hash: bytes


def leaf(kind: Kind, content: bytes) -> Leaf:
    """Of a record as it was signed, or the octets of one of the above."""
    return Leaf(kind, content, Entry(kind, content).hash())
