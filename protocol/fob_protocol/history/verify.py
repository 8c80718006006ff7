"""Checking a history: does every record fit, and if not, which is the first that does not."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from fob_protocol.history.counts import Counts
from fob_protocol.history.head import Head
from fob_protocol.history.limits import HASH_SIZE, KEY_SIZE
from fob_protocol.history.record import GENESIS, Record, SignedRecord
from fob_protocol.history.verdict import Fault, Verdict


@dataclass(frozen=True, slots=True)
class Anchor:
    """What a computer keeps of a history that it found good: the log key, and the hash of record `length`."""

    key: bytes
    length: int
    hash: bytes

    def __post_init__(self) -> None:
        """Raises ValueError for what no history gives."""
        if len(self.key) != KEY_SIZE or len(self.hash) != HASH_SIZE or self.length < 0:
            raise ValueError("no anchor of a history")

    @classmethod
    def of(cls, head: Head) -> "Anchor":
        """What to keep when all was good."""
        return cls(head.key, head.end.length, head.end.hash)


def verify(records: Sequence[SignedRecord], head: Head, anchor: Anchor | None = None) -> Verdict:
    """Whether `records` are the whole history that `head` tells of, and continue what `anchor` has seen.

    Ten thousand take about a second.
    """
    return _Check(records, head, anchor).run()


class _Check:
    """One walk along the records."""

    def __init__(self, records: Sequence[SignedRecord], head: Head, anchor: Anchor | None) -> None:
        self._records = records
        self._head = head
        self._end = head.end
        self._anchor = anchor
        self._key = head.key if anchor is None else anchor.key
        self._counts = Counts(from_the_start=head.end.first == 1)

    def run(self) -> Verdict:
        """The first fault, the chain before its end, its end before what was seen earlier."""
        if self._head.key == self._key and not self._head.is_signed_by(self._key):
            return Verdict(Fault.HEAD, self._end.length)
        hashes = {self._end.first - 1: GENESIS} if self._end.first == 1 else {}
        for place, signed in enumerate(self._records):
            sequence = self._end.first + place
            fault, record = self._fault_at(place, sequence, hashes.get(sequence - 1)), self._parsed[place]
            if fault is not None or record is None:
                return Verdict(fault, sequence)
            hashes.setdefault(sequence - 1, record.previous)
            hashes[sequence] = signed.hash
        return self._verdict_of_end(hashes)

    def _verdict_of_end(self, hashes: dict[int, bytes]) -> Verdict:
        missing = self._end.first + len(self._records)
        if missing <= self._end.length:
            return Verdict(Fault.CUT_OFF, missing)
        if self._head.key != self._key:
            return Verdict(Fault.OTHER_KEY, self._end.length)
        if hashes.get(self._end.length, self._end.hash) != self._end.hash:
            return Verdict(Fault.BRANCHED, self._end.length)
        return self._verdict_of_anchor(hashes)

    def _verdict_of_anchor(self, hashes: dict[int, bytes]) -> Verdict:
        if self._anchor is None:
            return Verdict()
        seen = self._anchor.length
        if seen > self._end.length:
            return Verdict(Fault.ROLLED_BACK, self._end.length + 1)
        if hashes.get(seen, self._anchor.hash) != self._anchor.hash:
            return Verdict(Fault.BRANCHED, seen)
        return Verdict(unseen=max(self._end.first - 1 - seen, 0))

    def _fault_at(self, place: int, sequence: int, previous: bytes | None) -> Fault | None:
        """What is wrong with the record at `place`, where the one with this `sequence` is due."""
        if sequence > self._end.length:
            return Fault.INSERTED
        signed, record = self._records[place], self._parsed[place]
        if record is None or not signed.is_signed_by(self._key):
            return self._fault_of_stranger(place, sequence, previous)
        if record.sequence != sequence:
            return self._fault_of_misplaced(place, sequence, record)
        if previous is not None and record.previous != previous:
            return Fault.BRANCHED
        if not signed.details_fit():
            return Fault.EDITED
        return None if self._counts.fits(signed) else Fault.MISCOUNTED

    def _fault_of_stranger(self, place: int, sequence: int, previous: bytes | None) -> Fault:
        """The device never wrote this: in the place of a record, or before it."""
        if self._head.key != self._key and self._records[place].is_signed_by(self._head.key):
            return Fault.OTHER_KEY
        after = self._parsed[place + 1] if place + 1 < len(self._records) else None
        is_due = after is not None and after.sequence == sequence and previous in (None, after.previous)
        if is_due and self._records[place + 1].is_signed_by(self._key):
            return Fault.INSERTED
        return Fault.EDITED

    def _fault_of_misplaced(self, place: int, sequence: int, record: Record) -> Fault:
        """The device wrote this, but not here."""
        is_kept = self._end.first <= record.sequence <= self._end.length
        if self._copies[self._records[place].block] > 1 or not is_kept:
            return Fault.INSERTED
        if sequence in self._sequences_behind(place):
            return Fault.SWAPPED
        return Fault.DELETED if record.sequence > sequence else Fault.INSERTED

    def _sequences_behind(self, place: int) -> set[int]:
        return {record.sequence for record in self._parsed[place + 1 :] if record is not None}

    @cached_property
    def _parsed(self) -> list[Record | None]:
        return [signed.parse() for signed in self._records]

    @cached_property
    def _copies(self) -> Counter[bytes]:
        return Counter(signed.block for signed in self._records)
