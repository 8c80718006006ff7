"""PINs by pkcs11-tool, on a phone that may be locked for it."""

from collections.abc import Iterator

import pytest

from clients.conversation import pykcs11
from support.live import Live

NEW_PIN, WRONG_PIN = "271828", "000000"


@pytest.fixture
def phone(spare_phone: Live) -> Iterator[Live]:
    """A phone whose officer sets the PIN right after each test."""
    yield spare_phone
    tool(spare_phone, *officer(spare_phone), "--init-pin", "--new-pin", spare_phone.scratch.user_pin)


def tool(phone: Live, *arguments: str, check: bool = True) -> str:
    """What pkcs11-tool says."""
    done = phone.pkcs11_tool(*arguments, login=False, check=check)
    assert check or done.returncode != 0
    return (done.stdout + done.stderr).decode()


def may_log_in(phone: Live, pin: str) -> bool:
    done = phone.pkcs11_tool("--login", "--pin", pin, "--list-objects", "--type", "privkey", login=False, check=False)
    return done.stdout.count(b"Private Key Object") == 3


def token_flags(phone: Live) -> str:
    """What pkcs11-tool -L tells of the PIN."""
    said = tool(phone, "--list-slots")
    return next(line.split(":")[1].strip() for line in said.splitlines() if "token flags" in line)


def officer(phone: Live) -> tuple[str, ...]:
    return ("--login", "--login-type", "so", "--so-pin", phone.scratch.so_pin)


@pytest.mark.clause("P2", "P8")
def test_the_user_changes_the_pin_and_the_officer_sets_another(phone: Live) -> None:
    pin = phone.scratch.user_pin
    with phone.crossing() as link:
        tool(phone, "--login", "--pin", pin, "--change-pin", "--new-pin", NEW_PIN)
    assert link.round_trips == 2, "login and change"
    assert (may_log_in(phone, pin), may_log_in(phone, NEW_PIN)) == (False, True)
    with phone.crossing() as link:
        tool(phone, *officer(phone), "--init-pin", "--new-pin", pin)
    assert link.round_trips == 2
    assert (may_log_in(phone, NEW_PIN), may_log_in(phone, pin)) == (False, True)


@pytest.mark.clause("P2", "P8")
def test_three_wrong_pins_lock_the_token_until_the_officer_unlocks_it(phone: Live) -> None:
    pin = phone.scratch.user_pin
    guess = ("--login", "--pin", WRONG_PIN, "--list-objects")
    assert "CKR_PIN_INCORRECT" in tool(phone, *guess, check=False)
    assert "user PIN count low" in token_flags(phone)
    assert "CKR_PIN_INCORRECT" in tool(phone, *guess, check=False)
    assert "final user PIN try" in token_flags(phone)
    phone.kill_phone()
    phone.start_phone()
    assert "CKR_PIN_INCORRECT" in tool(phone, *guess, check=False), "the restart gave no try back: this was the last"
    assert "user PIN locked" in token_flags(phone)
    assert "CKR_PIN_LOCKED" in tool(phone, *guess, check=False)
    assert "CKR_PIN_LOCKED" in tool(phone, "--login", "--pin", pin, "--list-objects", check=False), "the right one too"

    tool(phone, *officer(phone), "--init-pin", "--new-pin", NEW_PIN)
    assert "locked" not in token_flags(phone)
    assert may_log_in(phone, NEW_PIN)
    tool(phone, "--login", "--pin", NEW_PIN, "--test")


def test_a_wrong_officer_pin_sets_nothing(phone: Live) -> None:
    wrong = ("--login", "--login-type", "so", "--so-pin", WRONG_PIN)
    assert "CKR_PIN_INCORRECT" in tool(phone, *wrong, "--init-pin", "--new-pin", NEW_PIN, check=False)
    assert may_log_in(phone, phone.scratch.user_pin)


def test_a_changed_pin_does_not_end_the_login_of_who_changed_it(phone: Live) -> None:
    with pykcs11(phone) as client, pykcs11(phone) as other:
        assert (client.ask("login"), other.ask("login")) == ("OK", "OK")
        assert client.ask("set-pin", phone.scratch.user_pin, NEW_PIN) == "OK"
        assert client.ask("list", "private") == "RSA-2048 P-256 Ed25519"
        assert other.ask("login", NEW_PIN) == "CKR_USER_ALREADY_LOGGED_IN"
