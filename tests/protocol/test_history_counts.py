"""Checking a history: the uses of each key are counted without a gap and without a step back."""

import pytest

from fob_protocol.history.entry import Entry, Kind, Outcome, Use, computer_id
from fob_protocol.history.limits import SALT_SIZE
from fob_protocol.history.record import GENESIS, SignedRecord
from fob_protocol.history.verdict import Fault, Verdict
from fob_protocol.history.verify import verify
from support.history import LOG_KEY, PC, head_of

WORK, HOME = 7, 8
# Of another computer: the record is there, its details are not.
HIDDEN = None


def use(uses: int, key: int = WORK, outcome: Outcome = Outcome.APPROVED) -> Entry:
    return Entry(Kind.USE, outcome, computer=computer_id(PC), use=Use.SIGN, key=key, uses=uses)


def other(outcome: Outcome, key: int = WORK) -> Entry:
    """What counts no use."""
    return use(0, key, outcome)


def written(*entries: Entry | None) -> list[SignedRecord]:
    """A chain that the phone signed, as one computer sees it."""
    records: list[SignedRecord] = []
    for sequence, entry in enumerate(entries, 1):
        previous = records[-1].hash if records else GENESIS
        details = (entry or use(1)).to_block()
        record = SignedRecord.make(LOG_KEY, sequence, previous, sequence.to_bytes(SALT_SIZE), details)
        records.append(record if entry is not None else record.without_details())
    return records


def found(*entries: Entry | None, dropped: int = 0) -> Verdict:
    """The check of these entries, of which the oldest have dropped."""
    records = written(*entries)[dropped:]
    return verify(records, head_of(records))


def miscounted(sequence: int) -> Verdict:
    return Verdict(Fault.MISCOUNTED, sequence)


def test_each_key_counts_for_itself() -> None:
    assert found(use(1), use(1, HOME), use(2), use(3), use(2, HOME)) == Verdict()


@pytest.mark.parametrize("uses", [0, 1, 2])
def test_a_count_that_was_set_back_is_found(uses: int) -> None:
    assert found(use(1), use(2), use(1, HOME), use(uses), use(uses + 1)) == miscounted(4)


def test_a_count_that_was_set_forward_is_found() -> None:
    assert found(use(1), use(3)) == miscounted(2)
    assert found(use(2)) == miscounted(1)


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.OUT_OF_TIME, Outcome.WITHDRAWN, Outcome.FAILED])
def test_what_was_not_done_counts_no_use(outcome: Outcome) -> None:
    assert found(use(1), other(outcome), use(2)) == Verdict()
    assert found(use(1), other(outcome), use(3)) == miscounted(3)


def test_keys_of_a_session_are_not_counted() -> None:
    assert found(use(0), use(0), use(1, HOME), use(0)) == Verdict()


def test_other_kinds_of_entries_count_no_use() -> None:
    login = Entry(Kind.LOGIN, computer=computer_id(PC), key=WORK)
    assert found(use(1), login, use(2)) == Verdict()
    assert found(login, use(2)) == miscounted(2)


def test_another_computers_entries_may_be_uses_of_the_same_key() -> None:
    assert found(HIDDEN, HIDDEN, use(3), HIDDEN, use(4), HIDDEN, use(6)) == Verdict()
    assert found(HIDDEN, use(1), HIDDEN, use(1)) == miscounted(4)


def test_no_more_uses_than_there_are_entries() -> None:
    assert found(HIDDEN, use(3)) == miscounted(2)
    assert found(use(1), HIDDEN, use(4)) == miscounted(3)


def test_what_dropped_may_have_been_any_number_of_uses() -> None:
    assert found(use(1), use(2), use(3), use(4), dropped=2) == Verdict()
    assert found(use(1), use(2), use(3), use(1), dropped=2) == miscounted(4)
    # The key is first seen now, and was used before.
    assert found(HIDDEN, use(1, HOME), use(40), use(41), dropped=1) == Verdict()


def test_the_first_that_does_not_fit_is_named() -> None:
    records = written(use(1), use(1), use(2))
    del records[2]
    head = head_of(written(use(1), use(1), use(2)))
    assert verify(records, head) == miscounted(2)
    assert verify(records[1:], head) == Verdict(Fault.DELETED, 1)


def test_details_of_a_later_version_count_nothing() -> None:
    """They are the device's, and this version reads none of them."""
    strange = SignedRecord.make(LOG_KEY, 1, GENESIS, bytes(SALT_SIZE), b"9")
    assert verify([strange], head_of([strange])) == Verdict()
