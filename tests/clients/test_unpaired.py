"""The phone's person unpairs this computer: its daemon forgets the phone at once, and programs hear why."""

import json
import time
from collections.abc import Callable, Iterator

import pytest

from clients.conversation import pykcs11
from support.live import POLL, Live
from support.screen_phone import ScreenPhone, screen_phone

SOON = 5.0
DIGEST = 32 * "5a"


@pytest.fixture
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Live, ScreenPhone]]:
    with screen_phone(tmp_path_factory.mktemp("unpaired")) as both:
        yield both


def soon(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds."""
    end = time.monotonic() + SOON
    while not condition():
        assert time.monotonic() < end
        time.sleep(POLL)


def test_a_program_that_waits_hears_it_and_nothing_of_the_phone_is_left(pair: tuple[Live, ScreenPhone]) -> None:
    live, phone = pair
    state = live.folder / "daemon"
    assert len(json.loads((state / "devices.json").read_text())) == 1
    assert list(state.glob("objects-*"))
    with pykcs11(live) as waiting, pykcs11(live) as idle:
        assert (waiting.ask("login"), idle.ask("login")) == ("OK", "OK")
        phone.hand.idle = True
        waiting.begin("sign", "P-256", "ECDSA", DIGEST)
        soon(lambda: len(phone.person.sheets) == 1)
        ((key, _),) = phone.phone.pairings.items()
        phone.do(lambda: phone.phone.unpair_computer(key))
        assert waiting.answer() == "CKR_DEVICE_REMOVED"
        soon(lambda: not live.status()["devices"])
        assert waiting.ask("random", "8") in ("CKR_SESSION_HANDLE_INVALID", "CKR_DEVICE_REMOVED")
        assert idle.ask("list", "private") in ("CKR_SESSION_HANDLE_INVALID", "CKR_DEVICE_REMOVED")
        assert idle.ask("slots") == ""
    assert len(phone.person.sheets) == 0
    assert json.loads((state / "devices.json").read_text()) == []
    assert not list(state.glob("objects-*"))
    assert "device.unpaired" in (live.folder / "fobd.log").read_text()

    # And it may be paired again.
    phone.hand.idle = False
    phone.do(phone.person.open_pairing)
    live.run("fob", "pair", f"serial:{live.scratch.line}", "--yes")
    live.await_state("ready")
    assert live.pkcs11_tool("--login", "--list-objects", login=False).stdout.count(b"Private Key Object") == 3


def test_a_daemon_that_did_not_run_says_that_the_phone_is_not_paired(pair: tuple[Live, ScreenPhone]) -> None:
    live, phone = pair
    live.processes.stop_daemon()
    ((key, _),) = phone.phone.pairings.items()
    phone.do(lambda: phone.phone.unpair_computer(key))
    live.processes.start_daemon()
    soon(lambda: str(live.device()["why"]) == "the device is not paired with this computer")
    assert len(live.status()["devices"]) == 1, "nobody proves a refusal"
