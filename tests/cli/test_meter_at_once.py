"""`fob meter frank` by several commands at once, and by one that was corrected: nobody loses what is theirs."""

import asyncio
from pathlib import Path

import pytest

from cli.fob_program import FobProgram
from control.fake_daemon import FakeDaemon
from control.fake_phone import PIN, FakePhone
from fob_daemon.metering.drafts import Writer
from support.fake_meter import FakeMeter

BATCH = 'to,address,weight\n20095,"Erika 1, Hamburg",20\n20095,"Erika 2, Hamburg",20\n20095,"Erika 3, Hamburg",20\n'


def a_letter(number: int) -> tuple[str, ...]:
    return ("meter", "frank", "--to", f"1000{number}", "--address", f"Erika {number}", "--weight", "20", "--json")


@pytest.mark.clause("M33")
async def test_commands_that_begin_at_once_are_done_one_after_another(fob: FobProgram, meter: FakeMeter) -> None:
    for _ in range(3):
        ended = await asyncio.gather(*(fob(*a_letter(number)) for number in range(1, 4)))
        assert [(one.code, one.err) for one in ended if one.code] == []
        assert [[label["destination"] for label in one.json["labels"]] for one in ended] == [
            ["10001"], ["10002"], ["10003"],
        ]  # fmt: skip
    assert len(meter.paid) == 9


async def test_who_waits_says_for_whom(fob: FobProgram, meter: FakeMeter, daemon: FakeDaemon) -> None:
    sleeper = await asyncio.create_subprocess_exec("/bin/sleep", "600")
    await daemon.meter("pixel").begin_job("XRATE", Writer.of("fob", sleeper.pid))
    process = await fob.start(*a_letter(1))
    assert process.stderr is not None
    said = (await asyncio.wait_for(process.stderr.readline(), 30)).decode()
    assert said == f"Another batch is being franked here, by fob (process {sleeper.pid}); waiting for it ...\n"
    sleeper.kill()
    await sleeper.wait()
    out, _ = await asyncio.wait_for(process.communicate(), 30)
    assert (process.returncode, len(meter.paid)) == (0, 1), out


@pytest.mark.parametrize("pieces", ["letter", "batch"])
async def test_a_pin_from_standard_input_is_read_once(
    fob: FobProgram, meter: FakeMeter, phone: FakePhone, tmp_path: Path, pieces: str
) -> None:
    file = tmp_path / "letters.csv"
    file.write_text(BATCH)
    what = ("meter", "frank", "--batch", str(file)) if pieces == "batch" else a_letter(1)
    ended = await fob(*what, "--pin-file", "-", stdin=PIN.decode() + "\n")
    assert ended.code == 0, ended.err
    assert len(meter.paid) == 1


async def test_a_batch_of_which_nothing_was_franked_is_in_nobody_s_way(
    fob: FobProgram, meter: FakeMeter, tmp_path: Path
) -> None:
    file = tmp_path / "letters.csv"
    file.write_text(BATCH)
    meter.answer = False
    assert (await fob("meter", "frank", "--batch", str(file))).code == 5
    meter.answer = True
    ended = await fob("meter", "frank", "--batch", str(file))
    assert ended.err.splitlines()[0] == "An earlier batch of 3 pieces, of which nothing was franked, is dropped."
    assert (ended.code, len(meter.paid)) == (0, 1)
