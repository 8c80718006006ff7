"""The phone goes away and comes back while programs run on."""

import hashlib
import time
from collections.abc import Callable

import pytest

from clients.conversation import Client, pykcs11
from clients.test_openssh import openssh_agent
from support.live import SERIAL, Live, over_both_links

DIGEST = hashlib.sha256(b"a message").hexdigest()
KEYS = "RSA-2048 P-256 Ed25519"

# An operation with a private key fails within this time.
AT_ONCE = 2.0


@pytest.fixture
def phone(request: pytest.FixtureRequest, spare_phones: Callable[[str], Live]) -> Live:
    """Every test leaves it on."""
    return spare_phones(getattr(request, "param", SERIAL))


def sign(client: Client) -> str:
    """A signature, or the CKR; soon."""
    began = time.monotonic()
    answer = client.ask("sign", "P-256", "ECDSA", DIGEST)
    assert time.monotonic() - began < AT_ONCE
    return answer


def is_signature(client: Client, answer: str) -> bool:
    return client.ask("verify", "P-256", "ECDSA", DIGEST, answer) == "True"


@over_both_links("phone")
@pytest.mark.clause("P9")
def test_a_client_runs_on_while_the_phone_is_away(phone: Live) -> None:
    with pykcs11(phone) as client:
        slots = client.ask("slots")
        assert client.ask("login") == "OK"
        assert is_signature(client, sign(client))

        phone.kill_phone()
        assert sign(client) == "CKR_DEVICE_ERROR", "before the daemon has noticed, too"
        phone.await_state("away")
        assert sign(client) == "CKR_DEVICE_ERROR"
        assert (client.ask("slots"), client.ask("info")) == (slots, phone.label)
        assert (client.ask("list", "public"), client.ask("list", "private")) == (KEYS, KEYS)

        phone.start_phone()
        before = phone.crossed()
        assert is_signature(client, sign(client)), "the same session, and nobody typed a PIN"
        assert (phone.crossed() - before).round_trips == 2, "the login goes on by its ticket"
        assert client.ask("slots") == slots


@over_both_links("phone")
@pytest.mark.clause("P9")
def test_a_phone_that_falls_silent_is_away_too(phone: Live) -> None:
    """Out of reach: nothing is hung up, only no answer comes."""
    with pykcs11(phone) as client:
        assert client.ask("login") == "OK"
        with phone.silent_phone():
            assert sign(client) == "CKR_DEVICE_ERROR"
            assert client.ask("list", "private") == KEYS
            phone.await_state("away")
            assert sign(client) == "CKR_DEVICE_ERROR"
        assert is_signature(client, sign(client))


@over_both_links("phone")
@pytest.mark.clause("P9")
def test_a_client_that_starts_while_the_phone_is_away_sees_its_keys(phone: Live) -> None:
    phone.kill_phone()
    phone.await_state("away")
    with pykcs11(phone) as client:
        assert client.ask("list", "public") == KEYS
        assert client.ask("login") == "CKR_DEVICE_ERROR"
        said = phone.pkcs11_tool("--list-objects", login=False).stdout
        assert said.count(b"Public Key Object") == 3
        phone.start_phone()
        assert client.ask("login") == "OK"
        assert is_signature(client, sign(client))


@over_both_links("phone")
@pytest.mark.clause("P9")
def test_a_daemon_that_starts_while_the_phone_is_away_lists_its_keys(phone: Live) -> None:
    with pykcs11(phone) as client:
        slots = client.ask("slots")
    phone.kill_phone()
    phone.restart_daemon()
    try:
        with pykcs11(phone) as client:
            assert (client.ask("slots"), client.ask("list", "public")) == (slots, KEYS)
            assert client.ask("verify", "P-256", "ECDSA", DIGEST, bytes(64).hex()) == "False", "without the phone"
            assert client.ask("login") == "CKR_DEVICE_ERROR"
    finally:
        phone.start_phone()


def test_openssh_s_agent_signs_again_when_the_phone_is_back(phone: Live) -> None:
    """Its helper keeps the module loaded; nobody removes and adds it."""
    with openssh_agent(phone) as agent:
        check_agent(phone, agent)


def test_fob_s_agent_signs_again_when_the_phone_is_back(phone: Live) -> None:
    check_agent(phone, str(phone.scratch.socket("agent")))


def check_agent(phone: Live, agent: str) -> None:
    """`ssh-add -T` signs by the agent and verifies."""
    key = str(phone.ssh_key("P-256"))
    test = ("ssh-add", "-T", key)
    phone.run(*test, SSH_AUTH_SOCK=agent)
    phone.kill_phone()
    began = time.monotonic()
    assert phone.run(*test, SSH_AUTH_SOCK=agent, check=False).returncode != 0
    assert time.monotonic() - began < AT_ONCE
    assert b"P-256" in phone.run("ssh-add", "-l", SSH_AUTH_SOCK=agent).stdout
    phone.start_phone()
    before = phone.crossed()
    phone.run(*test, SSH_AUTH_SOCK=agent)
    assert (phone.crossed() - before).round_trips == 2, "the login goes on by its ticket"
