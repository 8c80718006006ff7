"""`fob meter sign-on` after a data centre was restored: the device has found its log rewritten by then."""

import pytest

from cli.fob_program import FobProgram
from control.fake_daemon import FakeDaemon
from control.fake_phone import FakePhone
from fob_protocol.at.values import Values
from support.fake_meter import SERIAL, FakeMeter


@pytest.fixture
def meter(daemon: FakeDaemon, phone: FakePhone) -> FakeMeter:
    """The one paired device, 'pixel', with a meter."""
    return FakeMeter(daemon.offices["pixel"]).rich()


@pytest.mark.clause("M22")
async def test_a_sign_on_says_what_the_device_has_found_wrong_meanwhile(fob: FobProgram, meter: FakeMeter) -> None:
    """By the first one the device has a key with which it can ask about the log; the next one takes the log up."""
    join = meter.device.handlers["+FOBMETERSIGNON"]

    def found(values: Values) -> tuple[Values, ...]:
        answer = join(values)
        meter.fault = "log-rewritten"
        return answer

    meter.device.handlers["+FOBMETERSIGNON"] = found
    ended = await fob("meter", "sign-on", "ada")
    assert (ended.code, ended.err.splitlines()[1:]) == (
        0,
        [
            f"The meter is {SERIAL}.",
            "Nothing is franked before you sign on once more: "
            "the data centre's log is not the one it was (log-rewritten).",
            "try:   ask who runs the data centre, and then: fob meter sign-on NAME",
        ],
    )
    meter.device.handlers["+FOBMETERSIGNON"] = join
    ended = await fob("meter", "sign-on", "ada")
    assert ended.err.splitlines()[1:] == [f"The meter is {SERIAL}.", "try:   fob meter status --ask"]
