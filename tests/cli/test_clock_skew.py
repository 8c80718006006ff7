"""The phone's clock beside this computer's: seen where both have written down the same use of a key."""

from dataclasses import replace

import pytest

from cli.fob_program import FobProgram
from control.fake_daemon import FakeDaemon, log_entry
from control.fake_phone import FakePhone
from fob_protocol.caller import Caller
from fob_protocol.history.entry import By, Entry, Kind, Outcome, Use, computer_id
from fob_protocol.history.record import GENESIS, SignedRecord
from support.fake_history import FakeHistory
from support.history import LOG_KEY, PC, chain

NOW = 1_800_000_001
USED = Entry(
    Kind.USE, Outcome.APPROVED, By.TAP, NOW, 1, computer_id(PC), "me@pc", Caller(("ssh",)), Use.SIGN, "mail", 7, uses=2
)


def clock_lines(out: str) -> list[str]:
    """What the doctor says of clocks, but of this computer's own."""
    return [
        line for line in out.splitlines() if any(words in line for words in ("clock of", "clocks of", "phone's is"))
    ]


def history(*entries: Entry) -> FakeHistory:
    records: list[SignedRecord] = []
    for sequence, entry in enumerate(entries, 1):
        previous = records[-1].hash if records else GENESIS
        records.append(SignedRecord.make(LOG_KEY, sequence, previous, bytes(16), entry.to_block()))
    return FakeHistory(records)


@pytest.mark.parametrize(
    ("shift", "said"),
    [
        (0, ["ok    clock of 'pixel': as this computer's"]),
        (-120, ["ok    clock of 'pixel': as this computer's"]),
        (
            10_800,
            [
                "warn  the clocks of 'pixel' and of this computer differ",
                "      why:   the phone's is 3 h 0 min ahead, and so are the times in its history",
            ],
        ),
        (
            -130,
            [
                "warn  the clocks of 'pixel' and of this computer differ",
                "      why:   the phone's is 2 min 10 s behind, and so are the times in its history",
            ],
        ),
    ],
)
async def test_both_have_written_down_the_same_use(
    fob: FobProgram, daemon: FakeDaemon, phone: FakePhone, shift: int, said: list[str]
) -> None:
    daemon.entries = [log_entry(1)]
    daemon.histories["pixel"] = history(replace(USED, time=NOW + shift))
    assert clock_lines((await fob("doctor")).out) == said


async def test_what_was_refused_or_is_no_use_tells_nothing(
    fob: FobProgram, daemon: FakeDaemon, phone: FakePhone
) -> None:
    daemon.entries = [log_entry(1)]
    for entry in (replace(USED, outcome=Outcome.REFUSED), replace(USED, kind=Kind.LOGIN)):
        daemon.histories["pixel"] = history(replace(entry, time=0))
        assert clock_lines((await fob("doctor")).out) == []
    daemon.histories["pixel"] = history(USED, replace(USED, outcome=Outcome.REFUSED, time=0))
    assert clock_lines((await fob("doctor")).out) == ["ok    clock of 'pixel': as this computer's"]
    daemon.entries = [log_entry(1, "CKR_FUNCTION_REJECTED")]
    assert clock_lines((await fob("doctor")).out) == []


async def test_a_phone_without_a_history(fob: FobProgram, daemon: FakeDaemon, phone: FakePhone) -> None:
    daemon.entries = [log_entry(1)]
    assert clock_lines((await fob("doctor")).out) == []
    daemon.histories["pixel"] = FakeHistory(chain(3))
    assert clock_lines((await fob("doctor")).out) == []
