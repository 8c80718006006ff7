"""`fob-log-verify` and the post: what a scan says of the past has to be what the log before it says (M27)."""

import tracemalloc
from pathlib import Path

import pytest

from fob_protocol.cose.cbor import encode
from fob_protocol.metering.kinds import Deed
from fob_protocol.metering.log.entry import Kind
from support.meter_log import NOON, MeterLog, Witness, export, indicia_of, indicium_of

LETTER, PARCEL = (indicium_of("M-1", 3, *piece).octets() for piece in ((0, 50, 50), (1, 100, 150)))


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    return Witness(tmp_path)


@pytest.fixture
def log() -> MeterLog:
    """M-1 has loaded and franked, and gave a letter back."""
    log = MeterLog()
    for deed, amount in ((Deed.CREATE, 0), (Deed.LOAD, 500)):
        log.do("M-1", deed, amount)
    log.do("M-1", Deed.FRANK, 150, pieces=(50, 100))
    log.do("M-1", Deed.CREDIT, 50)
    return log


def test_pieces_that_come_by_again_and_again(witness: Witness, log: MeterLog) -> None:
    for seen in range(3):
        log.scan(PARCEL, seen, 0)
        log.scan(LETTER, seen, 1)
    answer = witness.asks(export(log.entries))
    assert (answer.status, answer.found, answer.json["scans"]) == (0, [], 6)


@pytest.mark.clause("M27", "M23")
@pytest.mark.parametrize(
    ("indicium", "known", "outcome"),
    [
        (PARCEL, (0, 0), "forgotten"),
        (PARCEL, (2, 0), "unfounded"),
        (PARCEL, (1, 1), "unfounded"),
        (LETTER, (0, 0), "forgotten"),
        (LETTER, (1, 1), "unfounded"),
        (b"another", (1, 0), "unfounded"),
    ],
)
def test_a_scan_that_says_something_else_is_found_by_the_log_alone(
    witness: Witness, log: MeterLog, indicium: bytes, known: tuple[int, int], outcome: str
) -> None:
    log.scan(PARCEL, 0, 0)
    log.scan(indicium, *known)
    answer = witness.asks(export(log.entries))
    assert (answer.status, answer.found) == (1, [(5, outcome)])
    assert "piece 0 of 2 of M-1: it says seen" in answer.json["findings"][0]["why"]


def test_scans_of_an_earlier_version_say_nothing_and_count(witness: Witness, log: MeterLog) -> None:
    log.scan(PARCEL)
    log.scan(PARCEL, 1, 0)
    assert witness.asks(export(log.entries)).status == 0
    log.scan(PARCEL)
    log.scan(PARCEL, 2, 0)
    assert witness.asks(export(log.entries)).found == [(7, "forgotten")]


@pytest.mark.parametrize(
    "content",
    [b"no scan", encode([2, "M-1", 2, 0, bytes(32), NOON]), encode([2, "M-1", 2, 0, bytes(31), NOON, 0, 0]),
     encode([2, "M-1", 2, 0, bytes(32), NOON, 0, 2]), encode([3, "M-1", 2, 0, bytes(32), NOON, 0, 0])],
)  # fmt: skip
def test_what_is_no_scan_was_changed(witness: Witness, log: MeterLog, content: bytes) -> None:
    log.note(content, Kind.SCAN)
    assert witness.asks(export(log.entries)).found == [(4, "changed")]


@pytest.mark.clause("M29")
def test_an_indicium_is_given_back_once(witness: Witness, log: MeterLog) -> None:
    letter, _ = indicia_of(log.entries[2])
    log.do("M-1", Deed.LOAD, 50, lies={"deed": Deed.CREDIT, "indicia": (letter,)})
    assert witness.asks(export(log.entries)).found == [(4, "unlawful")]


@pytest.mark.clause("M27", "M29")
def test_an_indicium_that_was_scanned_is_not_given_back(witness: Witness, log: MeterLog) -> None:
    log.scan(PARCEL, 0, 0)
    log.do("M-1", Deed.CREDIT, 100)
    assert witness.asks(export(log.entries)).found == [(5, "unlawful")]


def test_warnings_are_told_and_are_no_finding(witness: Witness, log: MeterLog) -> None:
    assert "warnings:    none" in witness.asks(export(log.entries), options=()).out
    log.note(encode([3, 1, "tampering", "M-1", "an old record", NOON]))
    log.note(encode([3, 2, "tampered", "", "a\x1b[2Jbox", NOON]))
    log.note(encode([4, "M-1", 1, b"receipt"]))
    answer = witness.asks(export(log.entries))
    assert (answer.status, answer.json["warnings_count"]) == (0, 2)
    assert answer.json["warnings"][0] == {
        "place": 4, "id": 1, "word": "tampering", "serial": "M-1", "why": "an old record", "time": NOON,
    }  # fmt: skip
    out = witness.asks(export(log.entries), options=()).out
    assert "warnings:    2, the newest on 2023-11-14 22:13 UTC: tampered a?[2Jbox" in out


def test_of_many_warnings_the_first_are_shown_and_all_are_counted(
    witness: Witness, log: MeterLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fob_log_verify.warnings.WARNINGS_LIMIT", 2)
    for number in range(5):
        log.note(encode([3, number, "tampering", "M-1", "", NOON]))
    answer = witness.asks(export(log.entries))
    assert ([warned["id"] for warned in answer.json["warnings"]], answer.json["warnings_count"]) == ([0, 1], 5)


def test_what_is_known_of_pieces_is_not_held_in_memory(witness: Witness) -> None:
    log = MeterLog()
    for number in range(20_000):
        log.scan(b"%d" % number, 0, 0)
    file = export(log.entries)
    tracemalloc.start()
    try:
        assert witness.asks(file).status == 0
        # Python's own objects; SQLite holds a page cache, and spills the rest.
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_without_room_for_what_was_scanned_nothing_is_said(
    witness: Witness, log: MeterLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.scan(PARCEL, 0, 0)
    monkeypatch.setattr("fob_log_verify.pieces._SEE", "INSERT INTO nowhere VALUES (?)")
    answer = witness.asks(export(log.entries), options=())
    assert answer.status == 2
    assert [line.split(":")[0] for line in answer.err.splitlines()] == ["error", "why", "try"]
