"""What cannot be read ends in three lines and exit status 2: what, why, the next command."""

import json
import subprocess
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fob_log_verify.main import main
from support.meter_log import BOX, MeterLog, Witness, checkpoint, export, public, run
from support.ready_program import installed

ENTRIES = MeterLog().live(8).entries
LOG = export(ENTRIES)
HEAD = export([])[:-4]


@pytest.fixture(scope="module")
def witness(tmp_path_factory: pytest.TempPathFactory) -> Witness:
    return Witness(tmp_path_factory.mktemp("witness"))


def check_error(err: str) -> None:
    lines = err.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["error", "why", "try"]
    assert "fob-log-verify" in lines[2]


@pytest.mark.parametrize(
    ("log", "why"),
    [
        (b"", "cut short, at octet 0"),
        (b"\0\0\0\0", "does not begin as an exported log"),
        (b"\xff" * 40, "no entry is as long as the 4294967295 octets that octet 4 tells of"),
        (b"\0\0\0\x03abc", "does not begin as an exported log"),
        (export([], keys=[]).replace(b"exported", b"imported"), "title, origin and keys are due"),
        (HEAD, "cut short"),
        (HEAD + b"\0\0\0\x09abc", "cut short"),
        (LOG + b"\0", "there is more behind its end"),
    ],
)
def test_what_is_no_log(witness: Witness, log: bytes, why: str) -> None:
    answer = witness.asks(log, options=())
    assert (answer.status, answer.out) == (2, "")
    check_error(answer.err)
    assert why in answer.err


@pytest.mark.parametrize("word", [b"", b"\xd2\x80", checkpoint(ENTRIES, 3)[:-1], bytes(600), BOX.sign(b"")])
def test_what_is_no_checkpoint(witness: Witness, word: bytes) -> None:
    answer = witness.asks(LOG, word, options=())
    assert answer.status == 2
    check_error(answer.err)
    assert "checkpoint-0 is no checkpoint" in answer.err


def test_what_is_no_kept_log(witness: Witness) -> None:
    for kept, why in ((LOG[:-4], "cut short"), (export(ENTRIES, origin="other.log"), "of 'other.log'")):
        answer = witness.keeping(kept).asks(LOG, options=())
        assert answer.status == 2
        check_error(answer.err)
        assert why in answer.err


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["no-such-log"], "No such file"),
        (["."], "Is a directory"),
        ([], "required: LOG"),
        (["--keep", "x"], "unrecognized"),
        (["--key", "0g", "x"], "64 hexadecimal digits"),
        (["--key", "00", "x"], "64 hexadecimal digits"),
    ],
)
def test_a_call_that_cannot_be_done(arguments: list[str], why: str) -> None:
    answer = run(*arguments)
    assert (answer.status, answer.out) == (2, "")
    check_error(answer.err)
    assert why in answer.err
    as_object = run("--json", *arguments)
    assert as_object.out == ""
    error = json.loads(as_object.err)["error"]
    assert why in error["why"]
    assert error["exit_code"] == 2


def test_help_says_what_a_log_is_and_where_its_keys_come_from(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    said = " ".join(capsys.readouterr().out.split())
    for words in ("fob-office centre log export FILE", "fob-office centre log checkpoint FILE", "centre log keys"):
        assert words in said
    assert "each with its length in 4 octets" in said


@pytest.mark.parametrize("order", [(0, 1, 2, 3, 4), (3, 4, 0, 1, 2), (0, 3, 4, 1, 2), (0, 1, 3, 4, 2), (3, 0, 1, 2, 4)])
def test_checkpoints_stand_before_and_behind_options(tmp_path: Path, order: tuple[int, ...]) -> None:
    words = [str(tmp_path / name) for name in ("log", "one", "other")] + ["--json", f"--key={public(BOX).hex()}"]
    for name, octets in (("log", LOG), ("one", checkpoint(ENTRIES, 3)), ("other", checkpoint(ENTRIES, 8))):
        (tmp_path / name).write_bytes(octets)
    answer = run(*(words[place] for place in order))
    assert (answer.status, answer.err) == (0, "")
    assert (answer.outcomes, answer.json["keys"]) == (["agrees"] * 2, "given")


def test_a_log_cut_short_anywhere_is_unreadable(witness: Witness) -> None:
    random = Random(7)
    for size in random.sample(range(len(LOG)), 60):
        answer = witness.asks(LOG[:size], options=())
        assert answer.status == 2
        check_error(answer.err)


@given(st.integers(0, len(LOG) - 1), st.integers(1, 255))
def test_no_octet_of_a_log_can_be_another_unseen(witness: Witness, place: int, difference: int) -> None:
    other = LOG[:place] + bytes([LOG[place] ^ difference]) + LOG[place + 1 :]
    answer = witness.asks(other, checkpoint(ENTRIES, len(ENTRIES)), options=())
    assert answer.status in (1, 2)
    if answer.status == 2:
        check_error(answer.err)


@given(st.binary(max_size=200))
def test_any_octets_end_in_a_word(witness: Witness, octets: bytes) -> None:
    for log, words in ((octets, ()), (HEAD + octets, ()), (LOG, (octets,))):
        answer = witness.asks(log, *words, options=("--key", public(BOX).hex()))
        assert answer.status in ((2,) if log is not HEAD + octets else (1, 2)) or octets == bytes(4)
        if answer.status == 2:
            check_error(answer.err)


def test_a_checkpoint_that_is_not_there(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(LOG)
    answer = run(str(log), str(tmp_path / "none"))
    assert answer.status == 2
    check_error(answer.err)


def test_a_verdict_that_cannot_be_written_is_no_verdict(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(LOG)
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run([installed("fob-log-verify"), log], stdout=full, stderr=subprocess.PIPE, check=False)
    assert ended.returncode == 2
    check_error(ended.stderr.decode())
