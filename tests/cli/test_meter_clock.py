"""`fob meter` and `fob doctor` at a phone whose clock is ahead: it is named, with by how much."""

import pytest

from cli.fob_program import FobProgram
from cli.letters import LETTER
from fob_daemon.metering.clock_words import span_words
from fob_protocol.pkcs11.ckr import Ckr
from support.fake_device_office import refusing
from support.fake_meter import FakeMeter

DAYS = 400 * 86_400


async def test_the_clock_is_named_with_how_it_goes_on(fob: FobProgram, meter: FakeMeter) -> None:
    refused = refusing(Ckr.GENERAL_ERROR, f"clock-ahead: {DAYS} list-expired")
    meter.device.handlers |= {"+FOBMETERFRANK": refused, "+FOBMETERABOUT": refused}
    why = "the clock of 'pixel' is 400 days ahead of its office's (list-expired)"
    ended = await fob("meter", "frank", *LETTER)
    assert ended.error == [
        "the batch was not franked to its end", why,
        "set the clock of 'pixel', and then: fob meter frank --resume",
    ]  # fmt: skip
    ended = await fob("meter", "status", "--ask")
    assert ended.error[1:] == [why, "set the clock of 'pixel', and then: the same command again"]


async def test_the_doctor_and_the_status_tell_of_it(fob: FobProgram, meter: FakeMeter) -> None:
    await fob("meter", "status")
    # The doctor looks now.
    meter.ahead = 7500
    findings = {one["what"]: one for one in (await fob("doctor", "--json")).json["findings"]}
    found = findings["a phone's clock is ahead"]
    assert (found["outcome"], found["why"], found["next"]) == (
        "warn",
        "the clock of 'pixel' is 2 h 5 min ahead of its office's: what it believes ends too early",
        "set the clock of 'pixel'",
    )
    assert "clock    the device's is 2 h 5 min ahead of its office's" in (await fob("meter", "status")).out


@pytest.mark.parametrize(
    ("seconds", "words"), [(61, "61 s"), (3599, "59 min"), (7500, "2 h 5 min"), (DAYS, "400 days")]
)
def test_how_far(seconds: int, words: str) -> None:
    assert span_words(seconds) == words
