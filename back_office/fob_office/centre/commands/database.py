"""Asked of database servers: they alone open the meters' database (M2, M5), and trust nothing that is in it."""

from typing import Any, Final

import msgspec

from fob_office.centre.bus.commands import Command, Done, Reply


class Fetched(Reply, frozen=True):
    """`done`: H(request) and the answer that stand in this place, if there are any. Records as they were made."""

    done: tuple[bytes, bytes] | None
    meter: bytes | None
    user: bytes | None


# Nothing ever stood in this place of the journal.
NO_REQUEST: Final = bytes(16)


class Fetch(Command[Fetched], frozen=True):
    """What a request needs, in one look; `place`: where it stands in the journal. FUNCTION, OPERATOR."""

    place: bytes
    serial: str


class Mailer(Reply, frozen=True):
    """Who signs on: the user record and the serial of the mailer's meter; both null for a name that nobody has."""

    done: tuple[bytes, bytes] | None
    user: bytes | None
    serial: str | None


class FindMailer(Command[Mailer], frozen=True):
    """By the name that people sign on with, compared after NFKC and case folding. FUNCTION. `place` as in Fetch."""

    place: bytes
    name: str


class NewRecord(msgspec.Struct, frozen=True, array_like=True):
    """A record that takes the place of the one with this counter; null: there is none yet."""

    key: bytes
    counter_before: int | None
    record: bytes


class Payout(msgspec.Struct, frozen=True, array_like=True):
    """Money that is to go back."""

    account: bytes
    serial: str
    number: int
    amount: int
    request_digest: bytes
    # As it was signed: what the database says beside it counts for nothing.
    transaction: bytes


class OpenPayout(Payout, frozen=True, array_like=True):
    """One that was not paid; with the meter record after it, of the log (null: it is not there)."""

    record: bytes | None
    # They go up: the newest has the highest.
    id: int


class Stored(Reply, frozen=True):
    """It is durable. `is_new`: not done before with the very same octets."""

    is_new: bool


class Store(Command[Stored], frozen=True):
    """Step 6 of a transaction, all or nothing. FUNCTION.

    Refused `conflict` (a record with another counter stands there), `id-used` (something else was done in this place;
    never with a transaction, which takes the place of what stands there), `name-taken`. `place` as in Fetch.
    `meter.key` is the serial in UTF-8, `user.key` the account; `name` and `serial` are of a new mailer.
    """

    place: bytes
    request_digest: bytes
    answer: bytes
    meter: NewRecord | None
    user: NewRecord | None
    name: str | None
    serial: str
    transaction: bytes | None
    payout: Payout | None


class Transactions(Reply, frozen=True):
    """As they were signed, oldest first."""

    transactions: tuple[bytes, ...]


class FetchTransactions(Command[Transactions], frozen=True):
    """Of a meter, above a counter. FUNCTION, OPERATOR."""

    serial: str
    after: int
    count: int


class LogState(Reply, frozen=True):
    """The newest signed checkpoint, and the proof that the log goes on from the size that was said."""

    checkpoint: bytes | None
    proof: tuple[bytes, ...]


class FetchLogState(Command[LogState], frozen=True):
    """FUNCTION, OPERATOR. Refused `no-such-size` for a size that the log never had."""

    size: int


class LogPage(Reply, frozen=True):
    """Entries from an index on; none is the end."""

    entries: tuple[bytes, ...]


class LogHead(Reply, frozen=True):
    """Size and frontier of the log as it stands, the largest node first."""

    size: int
    hashes: tuple[bytes, ...]


class FetchLogHead(Command[LogHead], frozen=True):
    """Or as it stood with so many entries. OPERATOR. Refused `no-such-size` for more than there are."""

    size: int | None = None


class OrdersPage(Reply, frozen=True):
    """Each with its number; `end`: the number of the first entry that was not looked at."""

    orders: tuple[tuple[int, bytes], ...]
    end: int


class FetchOrders(Command[OrdersPage], frozen=True):
    """Orders that stand in the log as notes, from an index on, among some of its entries. OPERATOR."""

    index: int


class NoteOrder(Command[Done], frozen=True):
    """A LogOrder becomes an entry of the log (kind `note`), if the log has this size; else `conflict`. OPERATOR."""

    order: bytes
    size: int


class FetchLog(Command[LogPage], frozen=True):
    """For an export. OPERATOR."""

    index: int


class Warn(Command[Done], frozen=True):
    """A warning record: something was refused that should not have come (M20, M22).

    FUNCTION, TRANSACTION, AUTHENTICATION, PAYMENT, OPERATOR.
    """

    word: str
    serial: str
    why: str
    time: int


class Warnings(Reply, frozen=True):
    """`[id, word, serial, why, time]`, oldest first."""

    warnings: tuple[tuple[int, str, str, str, int], ...]


class FetchWarnings(Command[Warnings], frozen=True):
    """Above an id. OPERATOR."""

    after: int


class Payouts(Reply, frozen=True):
    """Those that are not paid, oldest first; none is the end."""

    payouts: tuple[OpenPayout, ...]


class Reindexed(Reply, frozen=True):
    """Whether the row was another one."""

    is_changed: bool


class Reindex(Command[Reindexed], frozen=True):
    """A meter's row is made anew of the newest record that the log has of it. OPERATOR.

    Refused `no-meter` where no transaction of it is found.
    """

    serial: str


class FetchPayouts(Command[Payouts], frozen=True):
    """Above an id. FUNCTION, OPERATOR."""

    after: int


class PaidOut(Command[Done], frozen=True):
    """The provider's receipt for one. FUNCTION."""

    serial: str
    number: int
    receipt: bytes


class Scanned(Reply, frozen=True):
    """`was_issued`: it stands in a transaction; `given_back`; `seen`: how often it was scanned before this.

    `is_reserved`: it is being given back, and this scan is not noted.
    """

    was_issued: bool
    given_back: bool
    seen: int
    is_reserved: bool = False


class Scan(Command[Scanned], frozen=True):
    """A piece at the post: remembered, if it is to be noted, and told what was known before. OPERATOR.

    `id`, 16 octets: what is noted under it is noted once, and answered again as it was; `id-used` for another piece.
    NO_REQUEST: it is noted each time.
    """

    serial: str
    counter: int
    piece: int
    indicium: bytes
    time: int
    is_noted: bool = True
    id: bytes = NO_REQUEST


class Lost(Reply, frozen=True):
    """`is_lost`: the log notes that this transaction went with a database that was put back."""

    is_lost: bool


class FetchLost(Command[Lost], frozen=True):
    """Of the transaction of a meter with this counter, which does not stand in the tables. OPERATOR."""

    serial: str
    counter: int


class Reserve(Command[Done], frozen=True):
    """An indicium is about to be given back by this request: from now on the post takes it for that. FUNCTION.

    Before the meter box is asked. The same again is fine. Refused `no-refund` for one that the post has seen, and for
    one that no transaction in the tables made.
    """

    request_id: bytes
    indicium: bytes
    time: int


class Release(Command[Done], frozen=True):
    """The meter box refused, and nothing is given back by this request. FUNCTION."""

    request_id: bytes
    indicium: bytes
    time: int


class Meters(Reply, frozen=True):
    """`[serial, record]` of each row, in the order of the serials: who goes on asks above the last one.

    A record is as it was made, and says a serial of its own: staff may have put it into another row.
    """

    meters: tuple[tuple[str, bytes], ...]


class FetchMeters(Command[Meters], frozen=True):
    """Above a serial. OPERATOR. Refused `damaged` where somebody wrote what no serial is into that column."""

    after: str
    count: int


# What stands in a column; MessagePack tells them apart by itself, and msgspec has no type for that.
Cell = int | str | bytes | None
Cells = tuple[Any, ...]


class Rows(Reply, frozen=True):
    """All columns of each row, in the table's order. Where no row of this program is as long, null, but for the key."""

    rows: tuple[Cells, ...]


class FetchRows(Command[Rows], frozen=True):
    """Of a table, as it stands there, in the order of its primary key: above a key, or from the first. OPERATOR."""

    table: str
    after: Cells | None


class FetchRowsOf(Command[Rows], frozen=True):
    """Those of at most KEYS_LIMIT primary keys that there are, in any order; fewer where they are long. OPERATOR."""

    table: str
    keys: tuple[Cells, ...]
