"""`fob meter` when a command was cut: whoever asks next hears what became of it, and nothing is paid twice (M33)."""

import asyncio
import signal
from pathlib import Path

import pytest

from cli.fob_program import FobProgram
from cli.letters import LETTER
from control.fake_daemon import FakeDaemon
from fob_daemon.control.interface import Ask
from support.fake_meter import SERIAL, FakeMeter

pytestmark = pytest.mark.clause("M33")


async def cut(fob: FobProgram, meter: FakeMeter, *command: str) -> None:
    """The data centre does it, and its answer does not arrive."""
    meter.is_unanswered = True
    assert (await fob("meter", *command)).code != 0
    meter.is_unanswered = False
    assert len(meter.paid) == 1


async def test_what_was_cut_is_taken_over_by_who_began_it(fob: FobProgram, meter: FakeMeter) -> None:
    await cut(fob, meter, "refill", "6")
    assert (await fob("meter", "take-over")).err == "Taken over: EUR 6.00 loaded (counter 2); EUR 1006.00 left.\n"
    assert (await fob("meter", "take-over")).code == 7


async def test_what_was_cut_is_said_before_what_comes_next(fob: FobProgram, meter: FakeMeter) -> None:
    await cut(fob, meter, "refill", "6")
    ended = await fob("meter", "frank", *LETTER)
    assert ended.err.splitlines()[0] == "An earlier order is done: EUR 6.00 loaded (counter 2)."
    assert "earlier" not in (await fob("meter", "refill", "6")).err


async def test_a_letter_that_was_cut_is_said_to_a_program(fob: FobProgram, meter: FakeMeter) -> None:
    await cut(fob, meter, "frank", *LETTER)
    told = (await fob("meter", "refill", "6", "--json")).json
    counted = {"counter": 2, "amount": 95, "pieces": 1, "serial": SERIAL}
    assert told["ended"] == [{"deed": "frank", "value_kind": "eur-cent", **counted}]
    # It is paid, and can be drawn.
    assert (await fob("meter", "print", "--counter", "2", "--json")).json["labels"][0]["amount"] == 95


async def test_what_another_computer_took_is_not_known_here(fob: FobProgram, meter: FakeMeter) -> None:
    await cut(fob, meter, "refill", "6")
    assert meter.kept is not None
    meter.over, meter.kept = meter.kept[0], None
    assert (await fob("meter", "refill", "5")).err.splitlines()[1] == (
        "Nobody knows whether an earlier order was done.    to see: fob meter history"
    )


async def test_ctrl_c_while_money_is_loaded(fob: FobProgram, meter: FakeMeter, daemon: FakeDaemon) -> None:
    async def waiting(*_: object) -> object:
        daemon.announce(Ask("pixel", "load EUR 6.00 for fob on me@pc", 28.0, 1))
        return await asyncio.Event().wait()

    daemon.meter("pixel").remote.load = waiting  # type: ignore[method-assign,assignment]
    process = await fob.start("meter", "refill", "6")
    assert process.stderr is not None
    for _ in range(2):
        await asyncio.wait_for(process.stderr.readline(), 30)
    process.send_signal(signal.SIGINT)
    _, err = await process.communicate()
    assert process.returncode == 130
    assert err.decode().splitlines()[-3:] == [
        "error: the money was not heard to be loaded",
        "why:   by Ctrl-C; where somebody had said yes to it, it may be done, and is not done twice",
        "try:   the same command",
    ]


async def test_a_file_of_one_row_is_looked_at_before_it_is_paid(
    fob: FobProgram, meter: FakeMeter, tmp_path: Path
) -> None:
    file = tmp_path / "letters.csv"
    file.write_text("to,address,weight,zone\n20095,Erika,20,moon\n")
    ended = await fob("meter", "frank", "--batch", str(file))
    assert (ended.code, ended.error[1]) == (
        2, f"{file}: line 2, column 'weight, class, zone': 20 g, letter, moon: the rates have no price for it",
    )  # fmt: skip
    assert meter.paid == []
    assert (await fob("meter", "frank", "--resume")).code == 7


async def test_batches_are_shown_with_their_meters(fob: FobProgram, meter: FakeMeter) -> None:
    await fob("meter", "frank", *LETTER)
    meter.serial, meter.name = "FM01000000014", "eve"
    ended = await fob("meter", "status")
    assert ended.out.splitlines()[-1].split()[:2] == ["1", "FM07000000019"]


async def test_another_mailer_s_batch(fob: FobProgram, meter: FakeMeter) -> None:
    meter.descending = 0
    assert (await fob("meter", "frank", *LETTER)).error[0] == "the batch was not franked to its end"
    meter.serial, meter.name = "FM01000000014", "eve"
    meter.rich()
    ended = await fob("meter", "frank", "--resume")
    assert ended.error == [
        "nothing was franked",
        "the batch is meter FM07000000019's, and the device has FM01000000014 of eve",
        "fob meter sign-on with the name of FM07000000019, and then: fob meter frank --resume    (or --give-up)",
    ]
