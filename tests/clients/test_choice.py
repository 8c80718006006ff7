"""A program with three providers at hand: its own software, SoftHSM, and the phone. NSS chooses by the token's name."""

import pytest

from support.live import Live
from support.required import SOFTHSM, library

SOFTHSM_PIN = "1234"
PHONE, SOFT, INTERNAL = "demo-phone", "soft", "internal"

# NSS takes random octets from every token that has some.
RANDOM = 1


class Chooser:
    """An NSS database with the three, and a key on each."""

    def __init__(self, live: Live) -> None:
        self.live = live
        (live.folder / "nss").mkdir()
        (live.folder / "soft").mkdir()
        (live.folder / "softhsm2.conf").write_text(f"directories.tokendir = {live.folder}/soft\n")
        (live.folder / "noise").write_bytes(bytes(range(256)))
        for token, pin in ((PHONE, live.scratch.user_pin), (SOFT, SOFTHSM_PIN), (INTERNAL, "")):
            (live.folder / f"{token}.pin").write_text(f"{pin}\n")
        self.run("softhsm2-util", "--init-token", "--free", "--label", SOFT, "--pin", SOFTHSM_PIN, "--so-pin", "5678")
        self.run("certutil", "-N", "-d", "sql:nss", "--empty-password")
        self.run("modutil", "-force", "-dbdir", "sql:nss", "-add", "fob", "-libfile", live.module)
        self.run("modutil", "-force", "-dbdir", "sql:nss", "-add", "softhsm", "-libfile", str(library(SOFTHSM)))
        self.keys = {PHONE: "02", SOFT: self._new_key(SOFT), INTERNAL: self._new_key(INTERNAL)}

    def run(self, *command: str, check: bool = True) -> tuple[int, str]:
        """Exit status and words of a program that finds SoftHSM's token."""
        done = self.live.run(*command, check=check, SOFTHSM2_CONF=str(self.live.folder / "softhsm2.conf"))
        return done.returncode, (done.stdout + done.stderr).decode(errors="replace")

    def sign(self, token: str) -> bool:
        """A certificate request signed by a token, verified by OpenSSL; False when the token cannot."""
        words = ("-k", self.keys[token], "-s", f"CN={token}", "-Z", "SHA256", "-a", "-o", "choice.req")
        status, _ = self.run("certutil", "-R", *self._on(token), *words, check=False)
        return status == 0 and "verify OK" in self.run("openssl", "req", "-in", "choice.req", "-verify", "-noout")[1]

    def _on(self, token: str) -> tuple[str, ...]:
        return ("-d", "sql:nss", "-h", token, "-f", f"{token}.pin")

    def _new_key(self, token: str) -> str:
        """The id of a new P-256 key."""
        self.run("certutil", "-G", *self._on(token), "-k", "ec", "-q", "nistp256", "-z", "noise")
        line = next(line for line in self.run("certutil", "-K", *self._on(token))[1].splitlines() if line[:1] == "<")
        return line.split()[3]


@pytest.fixture(scope="module")
def chooser(spare_phone: Live) -> Chooser:
    return Chooser(spare_phone)


@pytest.mark.clause("P1")
@pytest.mark.parametrize(("token", "crossed"), [(PHONE, RANDOM + 2), (SOFT, RANDOM), (INTERNAL, RANDOM)])
def test_the_name_of_the_token_chooses_who_signs(chooser: Chooser, token: str, crossed: int) -> None:
    with chooser.live.crossing() as link:
        assert chooser.sign(token)
    assert link.round_trips == crossed


@pytest.mark.clause("P1")
def test_the_others_go_on_without_the_phone_and_without_the_daemon(chooser: Chooser) -> None:
    chooser.live.kill_phone()
    chooser.live.await_state("away")
    assert [chooser.sign(token) for token in (PHONE, SOFT, INTERNAL)] == [False, True, True]
    chooser.live.processes.stop_daemon()
    assert [chooser.sign(token) for token in (PHONE, SOFT, INTERNAL)] == [False, True, True]
    chooser.live.processes.start_phone()
    chooser.live.processes.start_daemon()
    chooser.live.await_state("ready")
    assert chooser.sign(PHONE)
