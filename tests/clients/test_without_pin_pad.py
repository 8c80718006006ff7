"""The same programs on a phone without a PIN pad: they ask for the PIN themselves, or are told it."""

from collections.abc import Iterator
from subprocess import CompletedProcess

import pytest

from clients.certificates import certificate_on_phone
from clients.conversation import pykcs11
from clients.engine import ENGINE, openssl, private_uri
from clients.test_java import keytool
from clients.test_openssh import askpass
from support.live import Live, live_phone


@pytest.fixture(scope="module")
def phone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live_phone(tmp_path_factory.mktemp("no-pad"), has_pin_pad=False) as live:
        (live.folder / "message").write_text("a message")
        yield live


def ssh_sign(phone: Live, *, check: bool = True) -> CompletedProcess[bytes]:
    key = str(phone.ssh_key("P-256"))
    (phone.folder / "message.sig").unlink(missing_ok=True)
    return phone.run("ssh-keygen", "-Y", "sign", "-n", "file", "-f", key, "message", check=check)


def commit(phone: Live) -> None:
    """An empty commit that the phone signs, checked by git."""
    key = phone.ssh_key("Ed25519")
    allowed = phone.folder / "allowed"
    allowed.write_text(f"me@example.org {key.read_text()}")
    settings = ("user.name=Me", "user.email=me@example.org", "gpg.format=ssh", f"user.signingkey={key}")
    words = (word for item in (*settings, f"gpg.ssh.allowedSignersFile={allowed}") for word in ("-c", item))
    git = ("git", "-C", str(phone.folder), *words)
    phone.run(*git, "init", "-q")
    phone.run(*git, "commit", "-q", "--allow-empty", "-S", "-m", "signed by the phone")
    assert b'Good "git" signature for me@example.org' in phone.run(*git, "verify-commit", "HEAD").stderr


def test_the_token_says_so(phone: Live) -> None:
    assert b"PIN pad" not in phone.pkcs11_tool("--list-slots", login=False).stdout


def test_fob_s_agent_wants_the_pin_first(phone: Live) -> None:
    assert b"agent refused operation" in ssh_sign(phone, check=False).stderr
    ask = str(askpass(phone))
    with phone.crossing() as link:
        phone.run("ssh-add", "-s", "fob", SSH_ASKPASS=ask, SSH_ASKPASS_REQUIRE="force")
        ssh_sign(phone)
        ssh_sign(phone)
    assert link.round_trips == 3, "the login and two signatures"
    phone.run("ssh-add", "-e", "fob")
    assert b"agent refused operation" in ssh_sign(phone, check=False).stderr


@pytest.mark.clause("P9")
def test_fob_unlock_is_for_ssh_and_git_too_and_fob_lock_ends_it(phone: Live) -> None:
    pin_file = phone.folder / "unlock-pin"
    pin_file.write_text(phone.scratch.user_pin)
    assert b"try:   fob unlock --device demo-phone" in phone.run("fob", "ssh", "env").stderr
    with phone.crossing() as link:
        phone.run("fob", "unlock", "--pin-file", str(pin_file))
        ssh_sign(phone)
        commit(phone)
    assert link.round_trips == 3, "one login for both, and two signatures"
    assert phone.run("fob", "ssh", "env").stderr == b""
    phone.run("fob", "lock")
    assert b"agent refused operation" in ssh_sign(phone, check=False).stderr


def test_the_engine_takes_the_pin_from_the_uri(phone: Live) -> None:
    sign = ("dgst", *ENGINE, "-sha256", "-out", "signature")
    right, wrong = (private_uri(phone, "P-256", pin=pin) for pin in (phone.scratch.user_pin, "0000"))
    with phone.crossing() as link:
        openssl(phone, *sign, "-sign", right, "message")
    assert link.round_trips == 2
    done = openssl(phone, *sign, "-sign", wrong, "message", check=False)
    assert (done.returncode != 0, b"PIN incorrect" in done.stderr) == (True, True)


def test_nss_reads_the_pin_from_a_file(phone: Live) -> None:
    (phone.folder / "nss").mkdir()
    (phone.folder / "pin").write_text(phone.scratch.user_pin)
    phone.run("certutil", "-N", "-d", "sql:nss", "--empty-password")
    phone.run("modutil", "-force", "-dbdir", "sql:nss", "-add", "fob", "-libfile", phone.module)
    with phone.crossing() as link:
        keys = phone.run("certutil", "-K", "-d", "sql:nss", "-h", phone.label, "-f", "pin").stdout
    assert keys.count(b"<") == 3
    assert link.round_trips == 2, "random octets for NSS, and the login"


def test_a_pin_is_checked_although_another_program_is_logged_in(phone: Live) -> None:
    with pykcs11(phone) as one, pykcs11(phone) as other:
        assert one.ask("login") == "OK"
        assert other.ask("login", "0000") == "CKR_PIN_INCORRECT"
        assert other.ask("list", "private") == ""
        assert other.ask("login") == "OK"


def test_java_sends_the_pin_that_it_was_given(phone: Live) -> None:
    with certificate_on_phone(phone, "P-256", "02"):
        said = keytool(phone, "-list", pin="not the PIN", check=False)
        assert (said.returncode, b"load failed" in said.stdout) == (1, True)
        assert b"user PIN count low" in phone.pkcs11_tool("--list-slots", login=False).stdout
        with phone.crossing() as link:
            said = keytool(phone, "-list")
        assert said.stdout.count(b"PrivateKeyEntry") == 1
        assert link.round_trips == 1
