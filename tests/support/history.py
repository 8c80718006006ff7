"""A phone's history made by hand: the chain, its head, and what staff does to it."""

from collections.abc import Iterable

from fob_device.history.history import History
from fob_protocol.history.entry import Entry, Kind, computer_id
from fob_protocol.history.head import End, Head
from fob_protocol.history.limits import HISTORY_NONCE, HISTORY_PAGE, SALT_SIZE
from fob_protocol.history.record import GENESIS, LogKey, SignedRecord
from fob_protocol.history.verdict import Verdict
from fob_protocol.history.verify import Anchor, verify
from fob_protocol.history.words import entry_words

LOG_KEY = LogKey(bytes(range(32)))
OTHER_KEY = LogKey(bytes(range(1, 33)))
NONCE = bytes(range(100, 100 + HISTORY_NONCE))
PC = bytes(range(32, 64))


def entry(number: int) -> Entry:
    """The details of record `number`."""
    return Entry(Kind.KEY_MADE, time=1_800_000_000 + number, boot=1, computer=computer_id(PC), key=number)


def chain(
    count: int, key: LogKey = LOG_KEY, *, first: int = 1, previous: bytes = GENESIS, salt: int = 0
) -> list[SignedRecord]:
    """`count` records, each with its details; `salt` makes another chain that says the same."""
    records: list[SignedRecord] = []
    for sequence in range(first, first + count):
        octets = (sequence + (salt << 32)).to_bytes(SALT_SIZE)
        records.append(SignedRecord.make(key, sequence, previous, octets, entry(sequence).to_block()))
        previous = records[-1].hash
    return records


def head_of(records: Iterable[SignedRecord], key: LogKey = LOG_KEY, nonce: bytes = NONCE) -> Head:
    """The device's word about these records, which are as it wrote them."""
    kept = list(records)
    if not kept:
        return Head.make(key, End(), nonce)
    return Head.make(key, End(kept[0].sequence or 0, kept[-1].sequence or 0, kept[-1].hash), nonce)


def read_all(history: History, computer: bytes = b"", page: int = HISTORY_PAGE) -> list[SignedRecord]:
    """Every record that a phone gives a computer, page by page."""
    records: list[SignedRecord] = []
    sequence, is_more = 0, True
    while is_more:
        found = history.page(sequence, computer, page)
        records += found.records
        sequence, is_more = found.next, found.is_more
    return records


def checked(history: History, anchor: Anchor | None = None) -> Verdict:
    """What another computer's check of a phone's history finds."""
    return verify(read_all(history), history.head(NONCE), anchor)


def kinds(history: History) -> list[str]:
    """What happened, newest first, with its words."""
    found = []
    for line in history.newest(100):
        assert line.entry is not None
        found.append(entry_words(line.entry))
    return found
