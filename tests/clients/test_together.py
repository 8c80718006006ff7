"""Two programs at once, one of which waits for somebody to tap on the phone."""

import hashlib
import time
from collections.abc import Iterator

import pytest

from clients.conversation import pykcs11
from support.live import LINKS, Live, live_phone

DIGEST = hashlib.sha256(b"a message").hexdigest()
APPROVAL_TIME = 3.0
RULES = f"""
[[approval]]
key = "RSA-2048"
after = {APPROVAL_TIME}
[[approval]]
key = "Ed25519"
answer = "deny"
"""


@pytest.fixture(scope="module", params=LINKS)
def phone(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live_phone(tmp_path_factory.mktemp("together"), rules=RULES, link=request.param) as live:
        yield live


@pytest.mark.slow
@pytest.mark.clause("P9")
def test_who_waits_for_an_approval_holds_nobody_up(phone: Live) -> None:
    with pykcs11(phone) as patient, pykcs11(phone) as quick:
        assert (patient.ask("login"), quick.ask("login")) == ("OK", "OK")
        before, began = phone.crossed(), time.monotonic()
        patient.begin("sign", "RSA-2048", "SHA256_RSA_PKCS", DIGEST)
        signatures = [quick.ask("sign", "P-256", "ECDSA", DIGEST) for _ in range(5)]
        assert not patient.has_answered()
        assert time.monotonic() - began < APPROVAL_TIME
        assert [quick.ask("verify", "P-256", "ECDSA", DIGEST, s) for s in signatures] == ["True"] * 5
        slow = patient.answer()
        assert time.monotonic() - began >= APPROVAL_TIME
        assert patient.ask("verify", "RSA-2048", "SHA256_RSA_PKCS", DIGEST, slow) == "True"
        assert (phone.crossed() - before).round_trips == 6


def test_a_client_that_is_killed_while_it_waits_holds_nobody_up(phone: Live) -> None:
    with pykcs11(phone) as other:
        assert other.ask("login") == "OK"
        with pykcs11(phone) as doomed:
            assert doomed.ask("login") == "OK"
            doomed.begin("sign", "RSA-2048", "SHA256_RSA_PKCS", DIGEST)
        signature = other.ask("sign", "P-256", "ECDSA", DIGEST)
        assert other.ask("verify", "P-256", "ECDSA", DIGEST, signature) == "True"


def test_what_is_denied_is_told_to_the_program(phone: Live) -> None:
    (phone.folder / "message").write_text("no")
    done = phone.run(
        "ssh-keygen", "-Y", "sign", "-n", "file", "-f", str(phone.ssh_key("Ed25519")), "message", check=False
    )
    assert done.returncode != 0
    assert b"agent refused operation" in done.stderr
