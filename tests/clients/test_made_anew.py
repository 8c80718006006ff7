"""A phone with a screen is made anew by a program of the PC, and gets its PIN: all of it typed on the phone."""

from collections.abc import Iterator

import pytest

from support.live import Live
from support.screen_phone import ScreenPhone, screen_phone

OFFICER = ("--login", "--login-type", "so")


@pytest.fixture
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Live, ScreenPhone]]:
    with screen_phone(tmp_path_factory.mktemp("anew")) as both:
        yield both


def pkcs11_tool(live: Live, *arguments: str, check: bool = True) -> bytes:
    """On the only token there is, whatever its label."""
    done = live.run("pkcs11-tool", "--module", live.module, *arguments, check=check)
    return done.stdout + done.stderr


@pytest.mark.clause("P8")
def test_init_token_and_init_pin_take_their_pins_from_the_pad(pair: tuple[Live, ScreenPhone]) -> None:
    live, phone = pair
    phone.hand.words.clear()
    assert live.pkcs11_tool("--login", "--list-objects", login=False).stdout.count(b"Private Key Object") == 3
    live._await_logout()

    phone.hand.first = [b"00000000"]
    pkcs11_tool(live, "--init-token", "--label", "new phone", "--so-pin", "dummy", "--slot-index", "0")

    asked = [words for words in phone.hand.words if "ERASE" in words]
    assert len(asked) == 2, "a wrong PIN, and the right one"
    assert asked[0].startswith(
        "type the security officer's PIN to ERASE every key on this phone and call it 'new phone'"
    )
    assert phone.person.lock.is_locked
    listed = pkcs11_tool(live, "--list-slots")
    assert b"new phone" in listed
    assert b"SO PIN count low" not in listed
    assert b"CKR_USER_PIN_NOT_INITIALIZED" in pkcs11_tool(live, "--login", "--list-objects", check=False)

    phone.hand.words.clear()
    pkcs11_tool(live, *OFFICER, "--init-pin", "--so-pin", "dummy", "--new-pin", "dummy")
    assert [words.split(" for ")[0] for words in phone.hand.words] == [
        "type the security officer's PIN to log in",
        *2 * ["type a new PIN to replace a forgotten one"],
    ]
    phone.hand._user_pin = phone.hand.new_pin
    pkcs11_tool(live, "--login", "--keypairgen", "--key-type", "EC:prime256v1", "--id", "07")
    assert pkcs11_tool(live, "--login", "--list-objects").count(b"Private Key Object") == 1
