"""Step b of the transaction: whether a record is the newest one of its meter (M21, M22, M34).

A standing holds the whole record after the last transaction, and with it the freshness value, whichever its kind is: a
record is the newest one when it is that record to the last octet.
"""

from collections.abc import Callable
from enum import Enum, auto
from typing import Final

from fob_office.centre.boxes.meter.standing import Standing
from fob_office.centre.boxes.meter.verifying import Verified
from fob_office.centre.commands.meter import Act
from fob_protocol.metering.kinds import Deed, Freshness
from fob_protocol.metering.records import Fresh
from fob_protocol.office.hashing import is_same

RANDOM_SIZE: Final = 16


class Found(Enum):
    """What a record is to the last transaction of its meter."""

    AFTER = auto()
    BEFORE = auto()
    # Older, newer, or another.
    WRONG = auto()


def compare(standing: Standing, given: Verified) -> Found:
    """A record whose code was verified. In constant time."""
    if is_same(given.octets, standing.record):
        return Found.AFTER
    if standing.before is not None and is_same(given.signed_digest, standing.before):
        return Found.BEFORE
    return Found.WRONG


def is_of(standing: Standing, act: Act, deed: Deed) -> bool:
    """Whether the standing came to be by this request, which then is not done again.

    Not even with the record after it: whoever read the journal before that was written, and the record later, has both.
    """
    kept = standing.act
    return (kept.request_digest, kept.request_id, standing.deed) == (act.request_digest, act.request_id, deed)


def fresh_value(kind: Freshness, random: Callable[[int], bytes], now: int) -> Fresh:
    """For a new record: beside its counter."""
    if kind is Freshness.COUNTER:
        return Fresh(kind, None, None)
    return Fresh(kind, random(RANDOM_SIZE), now if kind is Freshness.TIME else None)
