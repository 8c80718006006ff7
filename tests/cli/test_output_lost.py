"""Output that cannot be written: what was done by then is said, and the same command is not recommended again."""

import json

import pytest

from cli.fob_program import FOB, FobProgram
from control.fake_phone import PIN, FakePhone
from support.fake_meter import FakeMeter

LETTER = ("frank", "--to", "20095", "--address", "Erika 1, Hamburg", "--weight", "20")
NO_SPACE = "standard output: No space left on device"
PRINT = "fob meter print 1 --output FOLDER, --pdf FILE or --pages FOLDER; fob meter history"


async def into_a_full_disk(fob: FobProgram, *arguments: str) -> list[str]:
    """The error of a run whose standard output takes nothing."""
    full = ("/bin/sh", "-c", 'exec "$0" "$@" > /dev/full', *FOB)
    ended = await fob(*arguments, program=full)
    assert (ended.code, ended.out) == (1, "")
    if "--json" in arguments:
        error = json.loads(ended.err.splitlines()[-1])["error"]
        return [error["what"], error["why"], error["next"]]
    return ended.error


@pytest.mark.clause("M33")
@pytest.mark.parametrize(
    ("arguments", "done", "shown_by"),
    [
        (LETTER, "1 piece is paid and kept", PRINT),
        ((*LETTER, "--json"), "1 piece is paid and kept", PRINT),
        (("refill", "5", "--json"), "EUR 5.00 are loaded", "fob meter history"),
        (("refund", "6", "--json"), "EUR 6.00 are paid back", "fob meter history"),
        (("sign-on", "ada", "--json"), "the device has meter FM07000000019", "fob meter status"),
    ],
)
async def test_what_was_done_is_said_and_what_shows_it(
    fob: FobProgram, meter: FakeMeter, arguments: tuple[str, ...], done: str, shown_by: str
) -> None:
    assert await into_a_full_disk(fob, "meter", *arguments) == [
        "the output was not written", f"{NO_SPACE}; {done} all the same", shown_by,
    ]  # fmt: skip
    assert len(meter.paid) == (arguments[0] != "sign-on")


async def test_an_indicium_that_was_given_back(fob: FobProgram, meter: FakeMeter) -> None:
    await fob("meter", *LETTER)
    found = await into_a_full_disk(fob, "meter", "refund", "--counter", "2", "--json")
    assert found[1:] == [
        f"{NO_SPACE}; EUR 0.95 are given back, and its label void all the same", "fob meter history"
    ]  # fmt: skip


async def test_a_key_that_was_made(fob: FobProgram, phone: FakePhone) -> None:
    pin = fob.folder / "pin"
    pin.write_bytes(PIN)
    found = await into_a_full_disk(fob, "keys", "new", "--label", "x", "--pin-file", str(pin), "--json")
    assert found == ["the output was not written", f"{NO_SPACE}; the key is made all the same", "fob keys list"]


async def test_what_only_reads_is_asked_again(fob: FobProgram, meter: FakeMeter) -> None:
    found = await into_a_full_disk(fob, "meter", "status", "--json")
    assert found == ["the output was not written", NO_SPACE, "the same command again"]
