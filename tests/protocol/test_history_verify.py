"""Checking a history: whatever is done to it is found, and the first entry that does not fit is named."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fob_protocol.history.head import End, Head
from fob_protocol.history.record import LogKey, SignedRecord
from fob_protocol.history.verdict import Fault, Verdict
from fob_protocol.history.verify import Anchor, verify
from support.history import LOG_KEY, NONCE, OTHER_KEY, chain, head_of

COUNT = 12
CHAIN = chain(COUNT)
# Its oldest records have dropped.
LATER = CHAIN[4:]
HEAD = head_of(CHAIN)
ANCHOR = Anchor.of(HEAD)
GARBAGE = SignedRecord(b"1,#10", bytes(64))

places = st.integers(0, COUNT - 1)
# A history from its beginning, or one whose oldest records have dropped; every second one is another computer's.
chains = st.sampled_from([CHAIN, LATER, [r.without_details() if i % 2 else r for i, r in enumerate(CHAIN)]])


def sequence(record: SignedRecord) -> int:
    found = record.sequence
    assert found is not None
    return found


def flipped(octets: bytes, bit: int) -> bytes:
    bit %= len(octets) * 8
    return octets[: bit // 8] + bytes([octets[bit // 8] ^ 1 << bit % 8]) + octets[bit // 8 + 1 :]


@given(chains)
def test_an_honest_history_fits(records: list[SignedRecord]) -> None:
    assert verify(records, head_of(records)) == Verdict()
    assert verify(records, head_of(records), ANCHOR) == Verdict()


def test_an_empty_history_fits() -> None:
    assert verify([], head_of([])) == Verdict()
    assert verify(CHAIN, HEAD, Anchor.of(head_of([]))) == Verdict()


@given(chains, places, st.sampled_from(["block", "signature", "salt", "details"]), st.integers(0, 1 << 16))
def test_every_flipped_bit_is_found(records: list[SignedRecord], place: int, field: str, bit: int) -> None:
    place %= len(records)
    octets = getattr(records[place], field)
    if octets is None:
        return
    damaged = [*records]
    damaged[place] = replace(records[place], **{field: flipped(octets, bit)})
    assert verify(damaged, head_of(records)) == Verdict(Fault.EDITED, sequence(records[place]))


@given(chains, places, st.sampled_from(["block", "signature", "salt", "details"]))
def test_every_field_that_is_emptied_is_found(records: list[SignedRecord], place: int, field: str) -> None:
    place %= len(records)
    if getattr(records[place], field) is None:
        return
    damaged = [*records]
    damaged[place] = replace(records[place], **{field: b""})
    assert verify(damaged, head_of(records)) == Verdict(Fault.EDITED, sequence(records[place]))


@given(chains, places, st.integers(1, 3))
def test_every_deletion_is_found(records: list[SignedRecord], place: int, count: int) -> None:
    place %= len(records)
    is_end = place + count >= len(records)
    left = records[:place] + records[place + count :]
    fault = Fault.CUT_OFF if is_end else Fault.DELETED
    assert verify(left, head_of(records)) == Verdict(fault, sequence(records[place]))


@given(chains, places, places)
def test_every_swap_is_found(records: list[SignedRecord], one: int, other: int) -> None:
    first, second = sorted((one % len(records), other % len(records)))
    if first == second:
        return
    swapped = [*records]
    swapped[first], swapped[second] = records[second], records[first]
    assert verify(swapped, head_of(records)) == Verdict(Fault.SWAPPED, sequence(records[first]))


@given(chains, places, places)
def test_every_record_that_was_moved_is_found(records: list[SignedRecord], source: int, target: int) -> None:
    source, target = source % len(records), target % len(records)
    if source == target:
        return
    moved = [*records]
    moved.insert(target, moved.pop(source))
    assert verify(moved, head_of(records)) == Verdict(Fault.SWAPPED, sequence(records[min(source, target)]))


@given(chains, places, places)
def test_every_copy_is_found(records: list[SignedRecord], source: int, target: int) -> None:
    source, target = source % len(records), target % (len(records) + 1)
    copied = [*records]
    copied.insert(target, records[source])
    # A copy right before its record stands where that is due: the second of the two is the one too many.
    place = target + 1 if target == source else target
    assert verify(copied, head_of(records)) == Verdict(Fault.INSERTED, sequence(records[0]) + place)


@given(
    chains,
    st.integers(0, COUNT),
    st.sampled_from([GARBAGE, chain(COUNT, OTHER_KEY)[5], replace(CHAIN[5], signature=bytes(64))]),
)
def test_everything_inserted_is_found(records: list[SignedRecord], place: int, stranger: SignedRecord) -> None:
    place %= len(records) + 1
    inserted = [*records[:place], stranger, *records[place:]]
    assert verify(inserted, head_of(records)) == Verdict(Fault.INSERTED, sequence(records[0]) + place)


def test_a_record_that_had_dropped_is_no_part_of_the_history_any_more() -> None:
    assert verify([CHAIN[3], *LATER], head_of(LATER)) == Verdict(Fault.INSERTED, 5)


def test_a_record_of_another_time_line_is_found() -> None:
    """The device was set back to record 6 and went on."""
    branch = chain(3, first=7, previous=CHAIN[5].hash, salt=1)
    mixed = [*CHAIN[:6], branch[0], *CHAIN[7:]]
    assert verify(mixed, HEAD) == Verdict(Fault.BRANCHED, 8)
    assert verify([*CHAIN[:6], *branch], head_of(branch)).fault is not None


@pytest.mark.parametrize("seen", [7, 8, 9])
def test_a_device_that_was_set_back_and_went_on_is_found(seen: int) -> None:
    branch = [*CHAIN[:6], *chain(3, first=7, previous=CHAIN[5].hash, salt=1)]
    assert verify(branch, head_of(branch)) == Verdict()
    assert verify(branch, head_of(branch), Anchor.of(head_of(CHAIN[:seen]))) == Verdict(Fault.BRANCHED, seen)


@given(places)
def test_an_older_copy_of_the_device_is_found(length: int) -> None:
    older = CHAIN[:length]
    assert verify(older, head_of(older)) == Verdict()
    assert verify(older, head_of(older), ANCHOR) == Verdict(Fault.ROLLED_BACK, length + 1)


@given(places)
def test_a_history_that_was_written_anew_is_found(seen: int) -> None:
    """Somebody has the root key, and writes another chain."""
    other = chain(COUNT, salt=1)
    anchor = Anchor.of(head_of(CHAIN[: seen + 1]))
    assert verify(other, head_of(other), anchor) == Verdict(Fault.BRANCHED, seen + 1)


@given(places)
def test_a_history_by_another_key_is_found(count: int) -> None:
    """A phone that was set up anew in the place of the other one, and one that goes on with a new key."""
    other = chain(COUNT, OTHER_KEY)
    head = head_of(other, OTHER_KEY)
    assert verify(other, head, ANCHOR) == Verdict(Fault.OTHER_KEY, 1)
    goes_on = [*CHAIN[:count], *chain(COUNT - count, OTHER_KEY, first=count + 1, previous=CHAIN[count - 1].hash)]
    assert verify(goes_on, head_of(goes_on, OTHER_KEY), ANCHOR) == Verdict(Fault.OTHER_KEY, count + 1)
    assert verify(CHAIN, head_of(CHAIN, OTHER_KEY), ANCHOR) == Verdict(Fault.OTHER_KEY, COUNT)


@given(st.integers(0, 1 << 16))
def test_a_head_that_was_changed_is_found(bit: int) -> None:
    for head in (replace(HEAD, nonce=flipped(NONCE, bit)), replace(HEAD, signature=flipped(HEAD.signature, bit))):
        assert verify(CHAIN, head) == Verdict(Fault.HEAD, COUNT)


def test_a_head_for_another_nonce_is_none() -> None:
    """An old head, said again."""
    old = head_of(CHAIN[:6])
    assert verify(CHAIN[:6], replace(old, nonce=bytes(32))) == Verdict(Fault.HEAD, 6)


@pytest.mark.parametrize(
    "end", [End(1, COUNT + 1, HEAD.end.hash), End(2, COUNT, HEAD.end.hash), End(1, COUNT, b"x" * 32)]
)
def test_a_head_that_does_not_fit_the_records_is_found(end: End) -> None:
    assert not verify(CHAIN, Head.make(LOG_KEY, end, NONCE)).is_good


def test_what_dropped_before_anybody_looked_is_counted() -> None:
    assert verify(LATER, head_of(LATER), Anchor.of(head_of(CHAIN[:2]))) == Verdict(unseen=2)
    assert verify(LATER, head_of(LATER), Anchor.of(head_of(CHAIN[:4]))) == Verdict()
    # The last one that dropped is known by its hash.
    wrong = Anchor(LOG_KEY.public, 4, b"x" * 32)
    assert verify(LATER, head_of(LATER), wrong) == Verdict(Fault.BRANCHED, 4)


@given(chains, st.data())
def test_nothing_that_anybody_does_is_taken_for_honest(records: list[SignedRecord], data: st.DataObject) -> None:
    """Any number of changes at once: found, and never behind the first of them."""
    changed = [*records]
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(changed)))
        action = data.draw(st.sampled_from(["delete", "copy", "garbage", "edit"]))
        if action == "garbage" or place == len(changed):
            changed.insert(place, GARBAGE)
        elif action == "delete":
            del changed[place]
        elif action == "copy":
            changed.insert(place, data.draw(st.sampled_from(records)))
        else:
            changed[place] = replace(changed[place], signature=flipped(changed[place].signature, place))
    verdict = verify(changed, head_of(records))
    same = 0
    while same < min(len(changed), len(records)) and changed[same] == records[same]:
        same += 1
    if changed == records:
        assert verdict.is_good
    else:
        assert (verdict.is_good, verdict.sequence) == (False, sequence(records[0]) + same)


@pytest.mark.parametrize(
    ("key", "length", "hash_"), [(bytes(31), 1, bytes(32)), (bytes(32), -1, bytes(32)), (bytes(32), 1, b"")]
)
def test_what_is_no_anchor(key: bytes, length: int, hash_: bytes) -> None:
    with pytest.raises(ValueError, match="anchor"):
        Anchor(key, length, hash_)


def test_ten_thousand_records_are_checked_at_once() -> None:
    records = chain(10_000, LogKey(bytes(32)))
    head = head_of(records, LogKey(bytes(32)))
    assert verify(records, head) == Verdict()
    del records[4321]
    assert verify(records, head) == Verdict(Fault.DELETED, 4322)


@pytest.mark.parametrize("fault", Fault)
def test_every_fault_in_words(fault: Fault) -> None:
    assert "entry 1,204" in Verdict(fault, 1204).words()
