"""PINs by pkcs11-tool, on a phone without a PIN pad, which may be locked for it."""

import re
from collections.abc import Iterator

import pytest

from clients.conversation import pykcs11
from support.live import Live, live_phone

NEW_PIN, WRONG_PIN = "271828", "000000"


@pytest.fixture(scope="module")
def padless(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live_phone(tmp_path_factory.mktemp("pins"), has_pin_pad=False) as live:
        yield live


@pytest.fixture
def phone(padless: Live) -> Iterator[Live]:
    """A phone whose officer sets the PIN right after each test."""
    yield padless
    tool(padless, *officer(padless), "--init-pin", "--new-pin", padless.scratch.user_pin)


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
    flags = next(line.split(":")[1] for line in said.splitlines() if "token flags" in line).split(",")
    return ", ".join(flag.strip() for flag in flags if "count" in flag or "try" in flag or "locked" in flag)


def guess(phone: Live, pin: str) -> tuple[str, str]:
    """How a PIN is refused, at the cost of one round trip, and what the next program is told."""
    with phone.crossing() as link:
        said = tool(phone, "--login", "--pin", pin, "--list-objects", check=False)
    assert link.round_trips == 1
    return re.findall("CKR_[A-Z_]+", said)[0], token_flags(phone)


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
    assert guess(phone, WRONG_PIN) == ("CKR_PIN_INCORRECT", "user PIN count low")
    assert guess(phone, WRONG_PIN) == ("CKR_PIN_INCORRECT", "user PIN count low, final user PIN try")
    phone.kill_phone()
    phone.start_phone()
    assert guess(phone, WRONG_PIN) == ("CKR_PIN_INCORRECT", "user PIN locked"), "the restart gave no try back"
    assert guess(phone, WRONG_PIN) == ("CKR_PIN_LOCKED", "user PIN locked")
    assert guess(phone, pin) == ("CKR_PIN_LOCKED", "user PIN locked"), "the right one too"

    tool(phone, *officer(phone), "--init-pin", "--new-pin", NEW_PIN)
    assert "locked" not in token_flags(phone)
    assert may_log_in(phone, NEW_PIN)
    tool(phone, "--login", "--pin", NEW_PIN, "--test")


def test_what_fob_says_of_wrong_pins_is_true_and_its_remedy_works(phone: Live) -> None:
    wrong = phone.folder / "wrong-pin"
    wrong.write_text(WRONG_PIN)
    said = [phone.run("fob", "unlock", "--pin-file", str(wrong), check=False).stderr.decode() for _ in range(4)]
    assert [re.findall("why:   (.*) \\(CKR", words)[0].partition(";")[0] for words in said] == [
        "the PIN is wrong",
        "the PIN is wrong, and the next wrong one locks it",
        "the PIN is wrong, and now locked",
        "the PIN is locked after too many wrong ones",
    ]
    findings = phone.run("fob", "doctor", check=False).stdout.decode()
    (remedy,) = {*re.findall("try:   (.*init-pin)", "".join(said)), *re.findall("fix: (.*init-pin)", findings)}

    phone.run("sh", "-c", f"{remedy} --so-pin {phone.scratch.so_pin} --new-pin {NEW_PIN}")

    assert may_log_in(phone, NEW_PIN)


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
