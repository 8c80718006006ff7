"""What was done for each request: of one meter, and of one deed, an id stands for one of them (M33).

Of one deed: what was charged under an id and cut off comes in later, though its mailer took that id for something else
meanwhile. And a mailer can name a load of his own as a refill will be named, which is H of what everybody can read.
Of ID_TIME: nobody knows an id for longer, and whoever says it again then asks for something else.
"""

import hashlib
from typing import Final

from fob_log_verify.cbor import array_item, number_item, text_item
from fob_log_verify.findings import Finding, Outcome
from fob_log_verify.limits import ID_TIME, REFILL_DELAY
from fob_log_verify.scratch import Scratch
from fob_log_verify.transactions import Deed, Transaction

_TABLE: Final = (
    "CREATE TABLE requests (meter INTEGER, deed INTEGER, id BLOB, place INTEGER, time INTEGER, "
    "PRIMARY KEY (meter, deed, id)) WITHOUT ROWID"
)
_KEEP: Final = (
    "INSERT INTO requests VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT DO UPDATE SET place = excluded.place, time = excluded.time "
    "WHERE excluded.time - time >= ? RETURNING place"
)
_FIND: Final = "SELECT place FROM requests WHERE meter = ? AND deed = ? AND id = ?"
# In the place of a deed: the other one of a mailer's load and a refill that have one id.
_REFILL: Final = 0
_LABEL: Final = "fob/1 refill"


class Requests(Scratch):
    """Of all transactions so far."""

    def __init__(self) -> None:
        """Raises UnreadableError."""
        super().__init__("what was done for a request", _TABLE)

    def look_at(self, place: int, meter: int, transaction: Transaction) -> Finding | None:
        """A transaction, of a meter with this number, for a request that one was done for. Raises UnreadableError."""
        if self._keep(place, meter, transaction.deed, transaction):
            return None
        before = self._row(_FIND, meter, transaction.deed, transaction.request)[0]
        if _may_be_refill(transaction) and self._keep(place, meter, _REFILL, transaction):
            return None
        what = f"{transaction.name} is of request {transaction.request.hex()}, which entry {before} was done for"
        return Finding(place, Outcome.DONE_TWICE, f"{what}: what is asked under one id is done once")

    def _keep(self, place: int, meter: int, deed: int, transaction: Transaction) -> bool:
        """False: there is one, of no more than ID_TIME before."""
        return self._row(_KEEP, meter, deed, transaction.request, place, transaction.time, ID_TIME) is not None


def _may_be_refill(transaction: Transaction) -> bool:
    """Whether it is a load whose id follows from an earlier record of its meter."""
    if transaction.deed != Deed.LOAD:
        return False
    newest = transaction.counter - 1
    counters = range(newest, max(newest - REFILL_DELAY, 0), -1)
    return any(_refill(transaction.serial, counter) == transaction.request for counter in counters)


def _refill(serial: str, counter: int) -> bytes:
    said = array_item(text_item(_LABEL), text_item(serial), number_item(counter))
    return hashlib.sha256(said).digest()[:16]
