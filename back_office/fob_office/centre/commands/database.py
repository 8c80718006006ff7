"""Asked of database servers: they alone open the meters' database (M2, M5), and trust nothing that is in it."""

import msgspec

from fob_office.centre.bus.commands import Command, Done, Reply


class Fetched(Reply, frozen=True):
    """`done`: H(request) and the answer of the request with this id, if it was done. Records as they were made."""

    done: tuple[bytes, bytes] | None
    meter: bytes | None
    user: bytes | None


class Fetch(Command[Fetched], frozen=True):
    """What a request needs, in one look. FUNCTION, OPERATOR."""

    request_id: bytes
    serial: str


class Mailer(Reply, frozen=True):
    """Who signs on: the user record and the serial of the mailer's meter; both null for a name that nobody has."""

    done: tuple[bytes, bytes] | None
    user: bytes | None
    serial: str | None


class FindMailer(Command[Mailer], frozen=True):
    """By the name that people sign on with, compared after NFKC and case folding. FUNCTION."""

    request_id: bytes
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
    request: bytes
    # As it was signed: what the database says beside it counts for nothing.
    transaction: bytes


class Stored(Reply, frozen=True):
    """It is durable. `is_new`: not done before with the very same octets."""

    is_new: bool


class Store(Command[Stored], frozen=True):
    """Step 6 of a transaction, all or nothing. FUNCTION.

    Refused `conflict` (a record with another counter stands there), `id-used`, `name-taken`. `meter.key` is the serial
    in UTF-8, `user.key` the account; `name` and `serial` are of a new mailer.
    """

    request_id: bytes
    request: bytes
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
    """OPERATOR."""


class NoteOrder(Command[Done], frozen=True):
    """A LogOrder becomes an entry of the log (kind `note`), if the log has this size; else `conflict`. OPERATOR."""

    order: bytes
    size: int


class FetchLog(Command[LogPage], frozen=True):
    """For an export. OPERATOR."""

    index: int


class Warn(Command[Done], frozen=True):
    """A warning record: something was refused that should not have come (M20, M22). FUNCTION, OPERATOR."""

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
    """The oldest that are not paid."""

    payouts: tuple[Payout, ...]


class FetchPayouts(Command[Payouts], frozen=True):
    """FUNCTION."""


class PaidOut(Command[Done], frozen=True):
    """The provider's receipt for one. FUNCTION."""

    serial: str
    number: int
    receipt: bytes


class Scanned(Reply, frozen=True):
    """`was_issued`: it stands in a transaction; `given_back`; `seen`: how often it was scanned before this."""

    was_issued: bool
    given_back: bool
    seen: int


class Scan(Command[Scanned], frozen=True):
    """A piece at the post: remembered, if it is to be noted, and told what was known before. OPERATOR."""

    serial: str
    counter: int
    piece: int
    indicium: bytes
    time: int
    is_noted: bool = True


class Meters(Reply, frozen=True):
    """Records as they were made, in the order of their serials."""

    records: tuple[bytes, ...]


class FetchMeters(Command[Meters], frozen=True):
    """Above a serial. OPERATOR."""

    after: str
    count: int
