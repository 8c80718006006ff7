"""`fob log --phone`, `--verify`, `--export`: what the phone wrote down, and the first entry that does not fit."""

import asyncio
import json
import os
import pty
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cli.fob_program import FOB, FobProgram
from control.fake_daemon import FakeDaemon
from control.fake_phone import FakePhone
from fob_daemon.control.errors import ExitCode
from fob_protocol.caller import Caller, Purpose
from fob_protocol.history.entry import By, Entry, Kind, Outcome, Use, computer_id, marked_name
from fob_protocol.history.record import GENESIS, SignedRecord
from fob_protocol.history.verify import Anchor
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError
from support.fake_history import FakeHistory
from support.history import LOG_KEY, OTHER_KEY, PC, chain, head_of

SSH = Caller(("ssh", "zsh"), Purpose.LOGIN, host="github.com")
USED = Entry(
    Kind.USE, Outcome.APPROVED, By.TAP, 1_800_000_000, 1, computer_id(PC), "me@pc", SSH, Use.SIGN, "work", 7, uses=2
)
KEY = LOG_KEY.public.hex()
# As the phone's screen tells computers of one name apart.
MARKED = marked_name("me@pc", computer_id(PC))


def story() -> list[SignedRecord]:
    """A login here, something elsewhere, and a use."""
    records: list[SignedRecord] = []
    entries = (replace(USED, kind=Kind.LOGIN, outcome=Outcome.NONE, words="the user"), None, USED)
    for sequence, entry in enumerate(entries, 1):
        previous = records[-1].hash if records else GENESIS
        details = (entry or USED).to_block()
        record = SignedRecord.make(LOG_KEY, sequence, previous, bytes(16), details)
        records.append(record if entry is not None else record.without_details())
    return records


@pytest.fixture
def history(daemon: FakeDaemon, phone: FakePhone) -> FakeHistory:
    daemon.histories["pixel"] = FakeHistory(story())
    return daemon.histories["pixel"]


@pytest.mark.clause("V19")
async def test_the_integrity_value_of_what_did_it_is_shown_short_and_in_json_whole(
    fob: FobProgram, daemon: FakeDaemon, phone: FakePhone
) -> None:
    measured = replace(USED, integrity_value=bytes(range(16, 48)))
    record = SignedRecord.make(LOG_KEY, 1, GENESIS, bytes(16), measured.to_block())
    daemon.histories["pixel"] = FakeHistory([record])
    ended = await fob("log", "--phone")
    assert ended.out.endswith(": approved by a tap  [101112131415]\n")
    (entry,) = json.loads((await fob("log", "--phone", "--json")).out)["entries"]
    assert entry["entry"]["integrity_value"] == bytes(range(16, 48)).hex()


async def test_what_the_phone_wrote_down(fob: FobProgram, history: FakeHistory) -> None:
    ended = await fob("log", "--phone")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == (
        f"     1  2027-01-15 08:00:00  login: work, the user, ssh <- zsh on {MARKED}\n"
        "     2                       another computer, or the phone itself\n"
        f"     3  2027-01-15 08:00:00  log in to github.com with 'work' for ssh <- zsh on {MARKED}: approved by a tap\n"
    ).replace("login: work", "login: 'work'")
    assert [line[:6] for line in (await fob("log", "--phone", "-n", "2")).out.splitlines()] == ["     2", "     3"]
    assert (await fob("log", "--phone", "-n", "0")).out == ""


async def test_what_the_phone_wrote_down_for_a_script(fob: FobProgram, history: FakeHistory) -> None:
    answer = (await fob("log", "--phone", "--json", "-n", "2")).json
    assert answer == {
        "device": "pixel",
        "entries": [
            {"sequence": 2, "entry": None},
            {
                "sequence": 3,
                "entry": {
                    "kind": "use",
                    "outcome": "approved",
                    "by": "tap",
                    "time": 1_800_000_000,
                    "boot": 1,
                    "computer": computer_id(PC).hex(),
                    "pc_name": "me@pc",
                    "programs": ["ssh", "zsh"],
                    "purpose": "login",
                    "host": "github.com",
                    "namespace": "",
                    "forwarded": False,
                    "operation": "sign",
                    "key": "work",
                    "handle": 7,
                    "uses": 2,
                    "words": "",
                },
            },
        ],
    }


async def test_a_phone_that_has_done_nothing(fob: FobProgram, history: FakeHistory) -> None:
    history.records, history.honest = [], []
    ended = await fob("log", "--phone")
    assert (ended.code, ended.out, ended.err) == (0, "", "'pixel' has done nothing yet.\n")
    ended = await fob("log", "--verify")
    assert (ended.code, ended.out) == (0, "verified 0 entries\n")


async def test_the_newest_entries_are_gone_from_the_phones_file(fob: FobProgram, history: FakeHistory) -> None:
    history.records = history.records[:1]
    ended = await fob("log", "--phone", "-n", "2")
    assert (ended.code, ended.out) == (ExitCode.FAILED, "")
    assert ended.err == (
        "error: the history of 'pixel' is not whole\n"
        "why:   the phone has 0 of its newest 2 entries, 2 to 3\n"
        "try:   fob log --verify --device pixel\n"
    )


async def test_what_is_left_of_the_newest_entries_is_shown(fob: FobProgram, history: FakeHistory) -> None:
    history.records = history.records[:2]
    ended = await fob("log", "--phone")
    assert ended.code == ExitCode.FAILED
    assert [line[:6] for line in ended.out.splitlines()] == ["     1", "     2"]
    assert "why:   the phone has 2 of its newest 3 entries, 1 to 3\n" in ended.err
    ended = await fob("log", "--phone", "--json")
    assert (ended.code, [entry["sequence"] for entry in ended.json["entries"]]) == (ExitCode.FAILED, [1, 2])


async def test_what_is_written_while_the_newest_are_read_is_no_gap(fob: FobProgram, history: FakeHistory) -> None:
    def drop_and_add() -> None:
        history.meanwhile = lambda: None
        history.honest = history.records = chain(4)[1:]

    history.honest = history.records = chain(3)
    history.meanwhile = drop_and_add
    ended = await fob("log", "--phone")
    assert (ended.code, [line[:6] for line in ended.out.splitlines()]) == (0, ["     2", "     3", "     4"])


async def test_an_honest_history_is_verified_and_remembered(fob: FobProgram, history: FakeHistory) -> None:
    ended = await fob("log", "--verify")
    assert (ended.code, ended.out) == (0, "verified 3 entries, the last of 2027-01-15 08:00:00\n")
    assert ended.err == f"From now on this computer knows 'pixel' by its log key {KEY}.\n"
    assert history.anchor == Anchor.of(head_of(history.honest))
    # Each check has its own nonce, and what was said once is not said again.
    ended = await fob("log", "--verify", "--json")
    assert (ended.code, ended.err) == (0, "")
    assert ended.json == {
        "device": "pixel",
        "verified": True,
        "fault": None,
        "sequence": None,
        "words": "every entry fits",
        "first": 1,
        "length": 3,
        "unseen": 0,
        "key": KEY,
    }
    assert len(set(history.nonces)) == len(history.nonces) == 4


async def test_the_last_entry_may_be_somebody_elses(fob: FobProgram, history: FakeHistory) -> None:
    history.records = history.honest = [*chain(3)[:2], chain(3)[2].without_details()]
    assert (
        await fob("log", "--verify")
    ).out == "verified 3 entries, the last of another computer, or the phone itself\n"


Change = Callable[[list[SignedRecord]], list[SignedRecord]]


@pytest.mark.parametrize(
    ("change", "fault", "sequence", "words"),
    [
        (lambda r: [*r[:6], replace(r[6], signature=bytes(64)), *r[7:]], "edited", 7, "entry 7 was edited"),
        (lambda r: [*r[:6], replace(r[6], details=b""), *r[7:]], "edited", 7, "entry 7 was edited"),
        (lambda r: [*r[:6], *r[7:]], "deleted", 7, "entry 7 was deleted"),
        (lambda r: [*r[:6], r[8], r[7], r[6], *r[9:]], "swapped", 7, "entry 7 was put in another place"),
        (lambda r: [*r[:6], r[2], *r[6:]], "inserted", 7, "something was inserted where entry 7 should stand"),
        (lambda r: r[:-2], "cut off", 9, "the end was cut off: entry 9 is missing"),
    ],
    ids=["signature", "details", "deleted", "swapped", "inserted", "cut-off"],
)
async def test_the_first_entry_that_does_not_fit_is_named(
    fob: FobProgram, history: FakeHistory, change: Change, fault: str, sequence: int, words: str
) -> None:
    history.records = history.honest = chain(10)
    assert (await fob("log", "--verify")).code == 0
    anchor = history.anchor
    history.records = change(history.honest)
    ended = await fob("log", "--verify")
    assert (ended.code, ended.out) == (ExitCode.FAILED, "")
    assert ended.error == [
        "the history of 'pixel' does not fit",
        words,
        "fob log --export evidence.json --device pixel",
    ]
    ended = await fob("log", "--verify", "--json")
    assert (ended.code, ended.json["verified"], ended.json["fault"], ended.json["sequence"]) == (
        1,
        False,
        fault,
        sequence,
    )
    assert json.loads(ended.err)["error"]["why"] == words
    # What was seen before stays.
    assert history.anchor == anchor


async def test_an_older_phone_is_found(fob: FobProgram, history: FakeHistory) -> None:
    history.records = history.honest = chain(10)
    await fob("log", "--verify")
    history.records = history.honest = chain(8)
    ended = await fob("log", "--verify")
    assert (ended.code, ended.error[1]) == (1, "it is older than what this computer has seen: entry 9 is missing")
    history.records = history.honest = [*chain(8), *chain(4, first=9, previous=chain(8)[-1].hash, salt=1)]
    ended = await fob("log", "--verify")
    assert ended.error[1] == "entry 10 does not continue what was there before: an older state was put back"


async def test_another_phone_in_its_place_is_found(fob: FobProgram, history: FakeHistory) -> None:
    await fob("log", "--verify")
    history.key = OTHER_KEY
    history.records = history.honest = chain(5, OTHER_KEY)
    ended = await fob("log", "--verify")
    assert (ended.code, ended.error[:2]) == (
        1,
        ["'pixel' is not the phone that it was", "entry 1 is signed by another key than before"],
    )


async def test_what_dropped_out_unseen_is_told(fob: FobProgram, history: FakeHistory) -> None:
    whole = chain(10)
    history.records = history.honest = whole[:2]
    await fob("log", "--verify")
    history.records = history.honest = whole[5:]
    ended = await fob("log", "--verify")
    assert (ended.code, ended.out[:18]) == (0, "verified 5 entries")
    assert ended.err == "3 entries had dropped out before this computer could see them.\n"


async def test_a_phone_that_goes_on_while_it_is_read(fob: FobProgram, history: FakeHistory) -> None:
    """The oldest entries drop, new ones come, between any two pages."""
    whole = chain(60)
    moved = 0

    def move_on() -> None:
        nonlocal moved
        moved += 1
        history.records = history.honest = whole[moved : 20 + 2 * moved]

    move_on()
    history.meanwhile = move_on
    ended = await fob("log", "--verify")
    assert (ended.code, ended.err.splitlines()[0][:11]) == (0, "From now on"), ended.err
    assert (await fob("log", "--phone", "-n", "5")).code == 0


async def test_an_export_holds_all_that_a_check_needs(fob: FobProgram, history: FakeHistory, tmp_path: Path) -> None:
    path = tmp_path / "history.json"
    ended = await fob("log", "--export", str(path))
    assert (ended.code, ended.out) == (0, "")
    assert f"Wrote 3 entries to {path}." in ended.err
    assert path.stat().st_mode & 0o777 == 0o600
    document = json.loads(path.read_text())
    assert (document["format"], document["device"], document["serial"], document["key"]) == (
        "fob-history-1",
        "pixel",
        "FOB-0001",
        KEY,
    )
    assert [record["entry"] and record["entry"]["kind"] for record in document["records"]] == ["login", None, "use"]
    assert (await fob("log", "--export", str(path), "--json")).json == {"path": str(path), "entries": 3, "key": KEY}


async def test_a_third_party_checks_the_file_without_phone_and_daemon(
    fob: FobProgram, history: FakeHistory, tmp_path: Path
) -> None:
    path = tmp_path / "history.json"
    await fob("log", "--export", str(path))
    stranger = FobProgram(tmp_path, tmp_path / "none.sock")
    ended = await stranger("log", "--verify", str(path))
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == f"verified 3 entries, the last of 2027-01-15 08:00:00\nsigned by log key {KEY}\n"
    assert (await stranger("log", "--json", "--verify", str(path))).json["verified"] is True


async def test_a_file_s_own_word_for_the_phone_is_not_repeated(
    fob: FobProgram, history: FakeHistory, tmp_path: Path
) -> None:
    """Nobody signed it: whose history it is, the log key says."""
    path = tmp_path / "history.json"
    await fob("log", "--export", str(path))
    path.write_text(edited(json.loads(path.read_text()), lambda d: d.update(device="EVIL", serial="EVIL")))
    ended = await fob("log", "--verify", str(path))
    assert (ended.code, ended.out) == (
        0,
        f"verified 3 entries, the last of 2027-01-15 08:00:00\nsigned by log key {KEY}\n",
    )
    found = (await fob("log", "--verify", str(path), "--json")).json
    assert (found["device"], found["key"]) == (None, KEY)
    path.write_text(edited(json.loads(path.read_text()), lambda d: d["records"].pop()))
    ended = await fob("log", "--verify", str(path))
    assert (ended.error[0], "EVIL" in ended.err) == ("the history in the file does not fit", False)


async def test_a_number_of_10_000_digits(fob: FobProgram, history: FakeHistory, tmp_path: Path) -> None:
    path = tmp_path / "history.json"
    await fob("log", "--export", str(path))
    path.write_text(path.read_text().replace('"length": 3', f'"length": {"3" * 10_000}'))
    ended = await fob("log", "--verify", str(path))
    assert (ended.code, ended.error[1]) == (1, "a number in it has over 20 digits")


def edited(document: dict[str, Any], change: Callable[[dict[str, Any]], object]) -> str:
    change(document)
    return json.dumps(document)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda d: d["records"][2].update(signature="00" * 64), "entry 3 was edited"),
        (lambda d: d["records"][2].update(salt="00" * 15 + "01"), "entry 3 was edited"),
        (lambda d: d["records"].pop(0), "entry 1 was deleted"),
        (lambda d: d["records"].pop(), "the end was cut off: entry 3 is missing"),
        (lambda d: d["records"].reverse(), "entry 1 was put in another place"),
        (lambda d: d["head"].update(length=2), "the end of the history, entry 2, is not signed by the phone"),
        (lambda d: d["head"].update(nonce="00" * 32), "the end of the history, entry 3, is not signed by the phone"),
        (lambda d: d.update(key=OTHER_KEY.public.hex()), "the end of the history, entry 3, is not signed by the phone"),
        (
            lambda d: d["records"][2]["entry"].update(host="harmless.example"),
            "what it says of entry 3 is not what was signed",
        ),
        (lambda d: d["records"][1].update(sequence=7), "what it says of entry 2 is not what was signed"),
        (lambda d: d["head"].update(nonce="00"), "a nonce has 32 octets"),
        (lambda d: d["head"].update(first=9), "a history has no such end"),
        (lambda d: d.update(format="fob-history-2"), "its format is not fob-history-1"),
        (lambda d: d.pop("head"), "a field is missing, or is of another kind"),
        (lambda d: d.update(records=7), "a field is missing, or is of another kind"),
        (lambda d: d["records"][0].update(record="xx"), "a field is missing, or is of another kind"),
    ],
)
async def test_a_file_that_somebody_changed_is_found(
    fob: FobProgram, history: FakeHistory, tmp_path: Path, change: Callable[[dict[str, Any]], object], why: str
) -> None:
    path = tmp_path / "history.json"
    await fob("log", "--export", str(path))
    path.write_text(edited(json.loads(path.read_text()), change))
    ended = await fob("log", "--verify", str(path))
    assert (ended.code, ended.out, ended.error[1]) == (1, "", why)


@pytest.mark.parametrize(
    "content", [b"", b"\xff", b"[]", b"7", b"[" * 100_000, b'{"format": "fob-history-1"}', b"1" * 10_000]
)
async def test_a_file_that_is_no_history(lonely_fob: FobProgram, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    ended = await lonely_fob("log", "--verify", str(path))
    assert (ended.code, ended.error[0]) == (1, f"{path} holds no history that can be trusted")


async def test_a_file_that_is_not_there(lonely_fob: FobProgram, tmp_path: Path) -> None:
    ended = await lonely_fob("log", "--verify", str(tmp_path / "none"))
    assert (ended.code, ended.error[1]) == (1, "No such file or directory")


async def test_a_history_that_does_not_fit_is_exported_as_evidence(
    fob: FobProgram, history: FakeHistory, tmp_path: Path
) -> None:
    history.records = [history.honest[0], history.honest[2]]
    path = tmp_path / "evidence.json"
    ended = await fob("log", "--export", str(path))
    assert (ended.code, ended.error[1:]) == (1, ["entry 2 was deleted", f"fob log --verify {path}"])
    assert history.anchor is None
    assert (await fob("log", "--verify", str(path))).error[1] == "entry 2 was deleted"


async def test_an_export_that_finds_no_room(fob: FobProgram, history: FakeHistory) -> None:
    ended = await fob("log", "--export", "/dev/full/history.json")
    assert (ended.code, ended.error[0]) == (1, "the history was not written")
    assert history.anchor is None


async def test_a_phone_that_is_away_or_keeps_no_history(fob: FobProgram, history: FakeHistory) -> None:
    history.refusal = CkrError(Ckr.DEVICE_REMOVED, "away")
    assert (await fob("log", "--verify")).code == ExitCode.NO_DEVICE
    assert (await fob("log", "--phone")).code == ExitCode.NO_DEVICE


@pytest.mark.parametrize(
    "arguments",
    [("--phone", "-f"), ("--verify", "--phone"), ("--verify", "x", "--export", "y"), ("--export", "y", "-f")],
)
async def test_one_thing_at_a_time(fob: FobProgram, history: FakeHistory, arguments: tuple[str, ...]) -> None:
    ended = await fob("log", *arguments)
    assert (ended.code, ended.error[0]) == (
        ExitCode.USAGE,
        "one of --follow, --phone, --verify and --export at a time",
    )


async def test_without_a_daemon(lonely_fob: FobProgram) -> None:
    for option in (("--verify",), ("--phone",), ("--export", "x")):
        assert (await lonely_fob("log", *option)).code == ExitCode.UNREACHABLE


async def test_which_of_two_phones(fob: FobProgram, history: FakeHistory, daemon: FakeDaemon) -> None:
    daemon.add_phone("fold", FakePhone("Fold", "FOB-0002"))
    daemon.histories["fold"] = FakeHistory(chain(1), slot=2)
    assert (await fob("log", "--verify")).code == ExitCode.USAGE
    assert (await fob("log", "--verify", "--device", "fold")).out[:16] == "verified 1 entri"


async def test_a_long_history_has_a_bar_on_a_terminal(fob: FobProgram, history: FakeHistory) -> None:
    history.records = history.honest = chain(400)
    history.page_size = 50
    assert "Reading" not in (await fob("log", "--verify")).err
    ours, theirs = pty.openpty()
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        *FOB, "log", "--verify", stdout=quiet, stderr=theirs, env=fob.variables() | {"TERM": "xterm"}
    )
    os.close(theirs)
    shown = await asyncio.to_thread(everything_on, ours)
    assert (await process.wait(), "Reading the history of 'pixel'" in shown, "100%" in shown) == (0, True, True), shown


def everything_on(terminal: int) -> str:
    """Until whoever writes there has ended."""
    shown = b""
    with os.fdopen(terminal, "rb", buffering=0) as reader, suppress(OSError):
        while octets := reader.read(65536):
            shown += octets
    return shown.decode()
