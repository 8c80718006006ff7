"""`fob-log-verify`: what it says of a good log, of each thing that staff can do to one, and of checkpoints."""

import io
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fob_log_verify.progress import Progress
from fob_protocol.cose.cbor import encode
from fob_protocol.metering.kinds import Deed
from support.meter_log import BOX, NOON, ORIGIN, MeterLog, Witness, checkpoint, export, public

STRANGER = Ed25519PrivateKey.from_private_bytes(bytes(32))


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    return Witness(tmp_path)


@pytest.fixture(scope="module")
def entries() -> list[bytes]:
    return MeterLog().live(30).entries


def one_meter(*deeds: tuple[Deed, int]) -> MeterLog:
    """M-1, created, loaded with 500, and what it did then."""
    log = MeterLog()
    for deed, amount in ((Deed.CREATE, 0), (Deed.LOAD, 500), *deeds):
        log.do("M-1", deed, amount)
    return log


def test_a_good_log_agrees_with_every_checkpoint(witness: Witness, entries: list[bytes]) -> None:
    kept = [checkpoint(entries, size) for size in (0, 1, 17, 30)]
    answer = witness.keeping(export(entries[:20])).asks(export(entries), *kept)
    assert answer.status == 0
    assert answer.outcomes == ["agrees"] * 4
    assert answer.json["findings"] == []
    assert (answer.json["origin"], answer.json["size"], answer.json["meters"]) == (ORIGIN, 30, 3)
    assert answer.json["root"] == answer.json["checkpoints"][3]["root"]


def test_what_people_read(witness: Witness, entries: list[bytes]) -> None:
    answer = witness.asks(export(entries), checkpoint(entries, 17), options=())
    assert answer.status == 0
    assert answer.out.splitlines()[0] == "log:         centre.log"
    assert "17 entries on 2023-11-14 22:13 UTC" in answer.out
    assert "agrees: all entries before it are as they were" in answer.out
    assert answer.out.endswith("all is well\n")
    # What this proves, and who says what would prove more.
    keys = "keys:        those that the log lists itself, which proves nothing about who wrote it"
    assert f"{keys} (`fob-office centre log keys` prints what --key takes)" in answer.out.splitlines()
    given = witness.asks(export(entries), options=("--key", public(BOX).hex()))
    # A bit that is turned in an export is found by who kept a checkpoint, and by nobody else as a rule.
    assert given.out.splitlines()[-1] == (
        "nothing contradicts itself; no checkpoint was compared, which alone finds what was changed or cut off"
    )
    assert "keys:        those that were given" in given.out.splitlines()


@pytest.mark.clause("M30")
def test_what_signing_up_costs_is_paid_with_a_payment_and_once(witness: Witness) -> None:
    log = MeterLog()
    log.do("M-1", Deed.CREATE)
    log.do("M-1", Deed.LOAD, 500, lies={"fee": 300})
    assert witness.asks(export(log.entries)).status == 0
    log.do("M-1", Deed.SETTLE, 100, lies={"fee": 300})
    log.do("M-2", Deed.CREATE)
    log.do("M-2", Deed.LOAD, 500)
    log.do("M-2", Deed.FRANK, 85, lies={"fee": 300})
    found = [(finding["place"], finding["outcome"]) for finding in witness.asks(export(log.entries)).json["findings"]]
    assert found == [(2, "unlawful"), (5, "unlawful")]


def test_a_log_without_an_entry(witness: Witness) -> None:
    answer = witness.asks(export([]), checkpoint([], 0))
    assert (answer.status, answer.json["size"], answer.outcomes) == (0, 0, ["agrees"])


def test_an_older_log_put_back_is_cut_off(witness: Witness, entries: list[bytes]) -> None:
    answer = witness.asks(export(entries[:20]), checkpoint(entries, 17), checkpoint(entries, 25))
    assert (answer.status, answer.outcomes, answer.found) == (1, ["agrees", "cut-off"], [])


def test_a_history_written_anew_and_signed_anew_is_found_by_its_checkpoint(
    witness: Witness, entries: list[bytes]
) -> None:
    # Staff with database and boxes: every record fits the one before, and the box signs.
    other = MeterLog()
    other.random.seed(99)
    answer = witness.asks(export(other.live(30).entries), checkpoint(entries, 30))
    assert (answer.status, answer.outcomes, answer.found) == (1, ["rewritten"], [])
    (verdict,) = answer.json["checkpoints"]
    assert (verdict["place"], verdict["begin"], verdict["end"]) == (None, 0, 30)


def test_two_checkpoints_close_in_on_the_place(witness: Witness) -> None:
    log = MeterLog()
    for number in range(10):
        log.note(bytes([number]))
    kept = [checkpoint(log.entries, size) for size in (4, 5, 9)]
    log.entries[4] = log.entries[9]
    answer = witness.asks(export(log.entries), *kept)
    assert answer.outcomes == ["agrees", "changed", "rewritten"]
    assert [verdict["place"] for verdict in answer.json["checkpoints"]] == [None, 4, None]
    assert [verdict["begin"] for verdict in answer.json["checkpoints"]] == [None, 4, 4]


@pytest.mark.parametrize(
    ("kept", "outcome"),
    [
        ({"box": STRANGER}, "not-signed"),
        ({"origin": "other.log"}, "other-log"),
        ({"time": 1 << 52}, "agrees"),
    ],
)
def test_whose_word_a_checkpoint_is(witness: Witness, entries: list[bytes], kept: dict[str, Any], outcome: str) -> None:
    signed = checkpoint(entries, 9, **kept)
    assert witness.asks(export(entries), signed).outcomes == [outcome]
    assert outcome in witness.asks(export(entries), signed, options=()).out


def test_a_log_that_names_other_keys_is_no_way_around(witness: Witness, entries: list[bytes]) -> None:
    forged = MeterLog()
    forged.do("M-1", Deed.CREATE, box=STRANGER)
    file, word = export(forged.entries, keys=[public(STRANGER)]), checkpoint(forged.entries, 1, box=STRANGER)
    assert witness.asks(file, word).status == 0
    answer = witness.asks(file, word, options=["--json", "--key", public(BOX).hex()])
    assert (answer.status, answer.outcomes, answer.found) == (1, ["not-signed"], [(0, "changed")])
    assert answer.json["keys"] == "given"


@pytest.mark.parametrize(
    ("lies", "outcome"),
    [
        ({"before": bytes(32)}, "broken-chain"),
        ({"before": None}, "broken-chain"),
        ({"descending": 401}, "unlawful"),
        ({"ascending": 99, "descending": 401}, "unlawful"),
        ({"loads": 501, "descending": 401}, "unlawful"),
        ({"amount": 99}, "unlawful"),
    ],
)
def test_a_box_that_signs_what_does_not_follow(witness: Witness, lies: dict[str, Any], outcome: str) -> None:
    log = one_meter()
    log.do("M-1", Deed.FRANK, 100, lies=lies)
    answer = witness.asks(export(log.entries))
    assert (answer.status, answer.found) == (1, [(2, outcome)])


def test_a_meter_that_begins_with_money(witness: Witness) -> None:
    log = MeterLog()
    log.do("M-1", Deed.CREATE, lies={"loads": 5, "descending": 5})
    assert witness.asks(export(log.entries)).found == [(0, "unlawful")]


def test_money_comes_and_goes_by_loads_credits_and_refunds(witness: Witness) -> None:
    deeds = (
        (Deed.FRANK, 80), (Deed.CREDIT, 80), (Deed.SETTLE, 30), (Deed.CHANGE, 0), (Deed.STOP, 0), (Deed.RESUME, 0),
        (Deed.REFUND, 420), (Deed.WITHDRAW, 0),
    )  # fmt: skip
    assert witness.asks(export(one_meter(*deeds).entries)).status == 0


@pytest.mark.parametrize(
    ("order", "found"),
    [
        ((0, 1, 3, 4), [(2, "deleted")]),
        ((1, 2, 3, 4), [(0, "deleted")]),
        ((0, 1, 3, 2, 4), [(2, "swapped"), (3, "swapped")]),
        ((1, 0, 2, 3, 4), [(0, "swapped"), (1, "swapped")]),
        ((0, 1, 2, 2, 3, 4), [(3, "put-back")]),
        ((0, 1, 2, 3, 1, 4), [(4, "put-back")]),
    ],
)
def test_records_alone_tell_of_what_is_missing_or_twice(
    witness: Witness, order: tuple[int, ...], found: list[tuple[int, str]]
) -> None:
    entries = one_meter((Deed.FRANK, 1), (Deed.FRANK, 2), (Deed.FRANK, 3)).entries
    answer = witness.asks(export([entries[place] for place in order]), checkpoint(entries, min(len(order), 5)))
    assert (answer.status, answer.found) == (1, found)
    (verdict,) = answer.json["checkpoints"]
    assert (verdict["place"], verdict["outcome"]) == found[0]


def recovered(*notes: list[Any]) -> list[bytes]:
    """A meter whose records 3 and 4 were lost with a backup that was put back, and what the log says of it."""
    entries = one_meter((Deed.FRANK, 1), (Deed.FRANK, 2), (Deed.FRANK, 3)).entries
    log = MeterLog(entries=[*entries[:2], entries[4]])
    for note in notes:
        log.note(encode(note))
    return log.entries


@pytest.mark.clause("M22", "M23")
def test_what_a_note_says_was_put_back_is_called_so_and_stays_a_finding(witness: Witness) -> None:
    file = export(recovered([1, "M-1", 2, 5, NOON], [2, bytes(16), 3, 7, NOON]))
    answer = witness.asks(file)
    assert (answer.status, answer.json["is_well"]) == (1, False)
    (finding,) = answer.json["findings"]
    assert finding == {
        "place": 2,
        "outcome": "recovered",
        "why": "M-1 goes from 2 to 5: what is between is not there; note at entry 3: the database was put back; "
        "ask the operator",
    }
    assert answer.json["recoveries"] == [
        {"place": 3, "kind": "meter", "of": "M-1", "before": 2, "after": 5, "time": NOON},
        {"place": 4, "kind": "mailer", "of": "0" * 32, "before": 3, "after": 7, "time": NOON},
    ]
    assert "entry 2:  recovered: M-1 goes from 2 to 5" in witness.asks(file, options=()).out
    said = (
        "recoveries:  2 entries say that the database was put back, the newest 4 on 2023-11-14 22:13 UTC: mailer 0000"
    )
    assert said in witness.asks(file, options=()).out


@pytest.mark.parametrize(
    "notes",
    [
        [],
        [[1, "M-1", 2, 6, NOON]],
        [[1, "M-1", 1, 5, NOON]],
        [[1, "M-2", 2, 5, NOON]],
        [[1, "M-1", None, 5, NOON]],
        [[3, 1, "tampering", "M-1", "", NOON]],
    ],
)
def test_a_note_of_something_else_explains_nothing(witness: Witness, notes: list[list[Any]]) -> None:
    assert witness.asks(export(recovered(*notes))).found == [(2, "deleted")]


def test_what_a_note_calls_lost_and_comes_later_was_swapped(witness: Witness) -> None:
    entries = one_meter((Deed.FRANK, 1), (Deed.FRANK, 2), (Deed.FRANK, 3)).entries
    log = MeterLog(entries=[*entries[:2], entries[4]])
    log.note(encode([1, "M-1", 2, 5, NOON]))
    assert witness.asks(export([*log.entries, entries[2]])).found == [(2, "swapped"), (4, "swapped")]


def test_a_record_of_another_purpose_or_shape_is_no_transaction(witness: Witness) -> None:
    log = one_meter()
    log.entries += [b"\x83\x01\x01\x41\x00", b"\x83\x01\x09\x41\x00", b"\x83\x01\xf5\x41\x00", b"\xff"]
    log.do("M-1", Deed.FRANK, 1, lies={"deed": 11})
    assert witness.asks(export(log.entries)).found == [(place, "changed") for place in range(2, 7)]


def test_many_findings_are_counted(witness: Witness) -> None:
    answer = witness.asks(export([b"\xff"] * 250))
    assert (len(answer.found), answer.json["findings_count"]) == (100, 250)
    assert "and 150 more\nsomething is wrong" in witness.asks(export([b"\xff"] * 250), options=()).out


def test_a_name_from_a_log_does_not_write_on_the_terminal(witness: Witness) -> None:
    log = MeterLog()
    log.do("M\x1b[2J\u202e", Deed.LOAD)
    assert "entry 0:  deleted: M?[2J? begins at 1" in witness.asks(export(log.entries), options=()).out


def test_a_long_log_needs_no_more_memory(witness: Witness, entries: list[bytes]) -> None:
    peaks = []
    for size in (500, 5000):
        log = MeterLog()
        for number in range(size):
            log.note(number.to_bytes(2))
        file = export(log.entries)
        tracemalloc.start()
        assert witness.asks(file).status == 0
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 20_000


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_is_drawn_after_a_second_and_taken_away(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal, times = Terminal(), iter([0.0, 0.5, 1.1, 1.2, 1.4])
    monkeypatch.setattr(sys, "stderr", terminal)
    bar = Progress(100, is_wanted=True, now=lambda: next(times))
    for position in (10, 50, 60, 75):
        bar.tell(position)
    bar.end()
    assert terminal.getvalue() == (f"\r[{'#' * 20}{' ' * 20}]  50%\r[{'#' * 30}{' ' * 10}]  75%\r\x1b[K")


def test_a_program_of_its_own_that_needs_nothing_of_ours(tmp_path: Path, entries: list[bytes]) -> None:
    log, word = tmp_path / "log", tmp_path / "checkpoint"
    log.write_bytes(export(entries))
    word.write_bytes(checkpoint(entries, 30, time=NOON))
    program = (
        "import sys; from fob_log_verify.main import main; status = main(); "
        "assert not [name for name in sys.modules if name.startswith('fob_') and 'log_verify' not in name]; "
        "sys.exit(status)"
    )
    ended = subprocess.run([sys.executable, "-c", program, log, word], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.endswith("all is well\n")
