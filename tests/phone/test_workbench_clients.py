"""The workbench under a real daemon and a real client: whatever happens to the phone, no answer is wrong."""

import hashlib
import time
from collections.abc import Iterator

import pytest

from clients.conversation import Client, pykcs11
from fob_daemon.daemon import pc_name
from support.bench_program import done, report
from support.live import LINKS, Live, live_phone

pytestmark = pytest.mark.clause("P7", "P9")

DIGEST = hashlib.sha256(b"a message").hexdigest()
# The person thinks so many seconds about one of the keys.
THINKING = 1.0
RULES = f"""
[[approval]]
key = "RSA-2048"
after = {THINKING}
"""


@pytest.fixture(scope="module", params=LINKS)
def phone(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live_phone(tmp_path_factory.mktemp("workbench"), rules=RULES, link=request.param) as live:
        yield live


@pytest.fixture
def client(phone: Live) -> Iterator[Client]:
    """Logged in. Afterwards all is as it was."""
    with pykcs11(phone) as client:
        assert client.ask("login") == "OK"
        yield client
    bench(phone, "calm")


def bench(phone: Live, *verb: str) -> str:
    return done(phone.scratch.phone, *verb)


def signs(client: Client) -> bool:
    """With the key that needs nobody."""
    signature = client.ask("sign", "P-256", "ECDSA", DIGEST)
    return client.ask("verify", "P-256", "ECDSA", DIGEST, signature) == "True"


def ask_for_a_signature(client: Client) -> None:
    """It is under way, and the person thinks."""
    client.begin("sign", "RSA-2048", "SHA256_RSA_PKCS", DIGEST)
    time.sleep(THINKING / 2)


@pytest.mark.parametrize(
    "verb",
    ["drop", "damage in", "damage out", "lose in", "lose out", "lose out --frames 3", "slow 4000", "clock -3600"],
)
def test_a_signature_under_way_comes_through(phone: Live, client: Client, verb: str) -> None:
    ask_for_a_signature(client)
    bench(phone, *verb.split())
    signature = client.answer()
    assert client.ask("verify", "RSA-2048", "SHA256_RSA_PKCS", DIGEST, signature) == "True"
    assert signs(client)
    assert report(phone.scratch.phone)["faults"] == []
    bench(phone, "clock", "0")


@pytest.mark.parametrize("verb", ["power 0.5", "power 0", "away 3", "battery 0"])
def test_a_signature_that_cannot_come_ends_with_a_clean_error_and_the_next_one_works(
    phone: Live, client: Client, verb: str
) -> None:
    ask_for_a_signature(client)
    bench(phone, *verb.split())
    assert client.answer() == "CKR_DEVICE_ERROR"
    bench(phone, "battery", "100")
    bench(phone, "wait", "10")
    phone.await_state("ready")
    assert signs(client), "in the same session, and nobody typed a PIN"


def test_the_line_has_the_name_of_the_computer(phone: Live, client: Client) -> None:
    assert signs(client)
    (line,) = report(phone.scratch.phone)["lines"]
    assert line["computer"] == pc_name()
    assert min(line["octets_in"], line["octets_out"]) > 0
