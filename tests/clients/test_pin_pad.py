"""A phone with a PIN pad: whoever sends no PIN, or an empty one, has it typed there (its rule file types)."""

import sys

import pytest

from clients.conversation import PROGRAMS
from support.live import Live

LIST = ("--list-objects", "--type", "privkey")


@pytest.mark.clause("P8")
@pytest.mark.parametrize("pin", [(), ("--pin", "")], ids=["no PIN", "an empty PIN"])
def test_pkcs11_tool_leaves_the_pin_to_the_phone(live: Live, pin: tuple[str, ...]) -> None:
    assert b"PIN pad present" in live.pkcs11_tool("--list-slots", login=False).stdout
    with live.crossing() as link:
        said = live.pkcs11_tool("--login", *pin, *LIST, login=False).stdout
    assert (said.count(b"Private Key Object"), link.round_trips) == (3, 1)


def test_pkcs11_tool_tests_everything_without_a_pin(live: Live) -> None:
    assert b"No errors" in live.pkcs11_tool("--login", "--test", login=False).stdout


def test_p11tool_leaves_the_pin_to_the_phone(live: Live) -> None:
    said = live.run("p11tool", "--provider", live.module, "--login", "--list-all", f"pkcs11:token={live.label}")
    assert said.stdout.count(b"type=private") == 3


def test_python_leaves_the_pin_to_the_phone(live: Live) -> None:
    with live.crossing() as link:
        said = live.run(sys.executable, str(PROGRAMS / "pin_pad_logins.py"))
    assert (said.stdout.split(), link.round_trips) == ([b"3"] * 4, 4)
