"""Real programs at a phone with a screen: whatever they send as the PIN, its person types it, or has unlocked it."""

from collections.abc import Iterator

import pytest

from fob_device.overview.objects import keys
from fob_device.settings import Ask, KeySetting
from support.live import Live
from support.screen_phone import ScreenPhone, screen_phone

ALL_TRIES = 3
LIST = ("--list-objects", "--type", "privkey")
SIGN = ("--sign", "--mechanism", "ECDSA", "--id", "02", "--input-file", "digest", "-o", "signature")
OFFICER = ("--login", "--login-type", "so")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Live, ScreenPhone]]:
    with screen_phone(tmp_path_factory.mktemp("screen")) as both:
        (both[0].folder / "digest").write_bytes(bytes(range(32)))
        yield both


@pytest.fixture
def live(pair: tuple[Live, ScreenPhone]) -> Live:
    """The daemon and its programs."""
    return pair[0]


@pytest.fixture
def phone(pair: tuple[Live, ScreenPhone]) -> ScreenPhone:
    """Locked, and its hand has done nothing yet."""
    live, phone = pair
    live._await_logout()
    phone.do(phone.person.lock.lock)
    phone.hand.words.clear()
    return phone


@pytest.mark.clause("P8")
@pytest.mark.parametrize(
    "pin", [(), ("--pin", ""), ("--pin", "dummy"), ("--pin", "0" * 64)], ids=["NULL", "empty", "dummy", "long"]
)
def test_pkcs11_tool_logs_in_at_the_locked_phone_whatever_it_sends(
    live: Live, phone: ScreenPhone, pin: tuple[str, ...]
) -> None:
    with live.crossing() as link:
        said = live.pkcs11_tool("--login", *pin, *LIST, login=False)
    assert (said.stdout.count(b"Private Key Object"), link.round_trips) == (3, 1)
    assert phone.hand.words == ["unlock"]
    assert phone.person.lock.tries_left == ALL_TRIES


@pytest.mark.clause("P8")
@pytest.mark.parametrize("pin", [None, "", "dummy"], ids=["NULL", "empty", "dummy"])
def test_p11tool_logs_in_at_the_locked_phone_whatever_it_sends(live: Live, phone: ScreenPhone, pin: str | None) -> None:
    environment = () if pin is None else ("env", f"GNUTLS_PIN={pin}")
    arguments = ("--provider", live.module, "--batch", "--login", "--list-all", f"pkcs11:token={live.label}")
    said = live.run(*environment, "p11tool", *arguments)
    assert said.stdout.count(b"type=private") == 3
    assert phone.hand.words == ["unlock"]
    assert phone.person.lock.tries_left == ALL_TRIES


def test_a_wrong_pin_on_the_pad_is_between_the_phone_and_its_person(live: Live, phone: ScreenPhone) -> None:
    phone.hand.first = [b"000000"]
    said = live.pkcs11_tool("--login", "--pin", "dummy", *LIST, login=False)
    assert said.stdout.count(b"Private Key Object") == 3
    assert phone.hand.words == ["unlock", "unlock"]
    assert phone.person.lock.tries_left == ALL_TRIES


def test_a_signature_is_one_question_at_the_unlocked_phone(live: Live, phone: ScreenPhone) -> None:
    live.pkcs11_tool("--login", *SIGN, login=False)
    assert phone.hand.words[0] == "unlock"
    (asked,) = phone.hand.words[1:]
    assert asked.startswith("sign with 'P-256' for pkcs11-tool <- ")


def test_a_key_that_asks_never_signs_without_a_word(live: Live, phone: ScreenPhone) -> None:
    (key,) = (key for key in phone.do(lambda: keys(phone.phone)) if key.label == "P-256")
    phone.do(lambda: phone.phone.set_key_setting(key.handle, KeySetting(Ask.NEVER)))
    live.pkcs11_tool("--login", *LIST, login=False)
    phone.hand.words.clear()
    live.pkcs11_tool("--login", *SIGN, login=False)
    assert phone.hand.words == []
    phone.do(lambda: phone.phone.set_key_setting(key.handle, KeySetting()))


def test_pkcs11_tool_changes_the_pin_on_the_pad(live: Live, phone: ScreenPhone) -> None:
    old, new = phone.hand._user_pin, phone.hand.new_pin
    live.pkcs11_tool("--login", "--change-pin", "--pin", "dummy", "--new-pin", "dummy too", login=False)
    assert [words for words in phone.hand.words if words.startswith("type")] == [
        "type the PIN to change it for " + _pc(phone),
        *2 * ["type a new PIN to change it for " + _pc(phone)],
    ]
    phone.hand._user_pin, phone.hand.new_pin = new, old
    live.pkcs11_tool(*OFFICER, "--init-pin", login=False)
    phone.hand._user_pin, phone.hand.new_pin = old, new
    assert live.pkcs11_tool("--login", *LIST, login=False).stdout.count(b"Private Key Object") == 3


def _pc(phone: ScreenPhone) -> str:
    ((_, computer),) = phone.phone.pairings.items()
    return computer.name


def test_fob_unlock_waits_for_the_phone_and_needs_no_pin(live: Live, phone: ScreenPhone) -> None:
    said = live.run("fob", "unlock").stderr.decode()
    assert "Look at your phone: unlock the phone: log in for " in said
    assert phone.hand.words == ["unlock"]
    live.run("fob", "lock")
