"""The example of a third party's server: it admits validated software, over HTTP, and nothing else (V18)."""

import base64
import os
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fob_protocol.integrity.presentation import Presentation
from fob_protocol.integrity.relying import RelyingParty
from relying_server import ADDRESS_LIMIT, NONCE_TIME, NONCES_LIMIT, Nonces, RelyingServer
from support import copy_samples as sample
from support.office_trust import NOW, SERVER

PROGRAM = Path(__file__).parents[2] / "examples" / "relying_server.py"
PARTY = RelyingParty(sample.public(SERVER.signing), 3600, {"calculator": (1, 3, 0)})


def encoded(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


def shown(
    token: bytes, nonce: bytes, holder: Ed25519PrivateKey = sample.HOLDER, audience: str = sample.AUDIENCE
) -> str:
    return f"Fob {encoded(Presentation(token).signed(holder, audience, nonce))}"


@dataclass(slots=True)
class Clock:
    """The server's."""

    now: float = NOW

    def __call__(self) -> float:
        return self.now


@dataclass(slots=True)
class Client:
    """A program, or who would like to pass for one; and the clock and nonces of the server."""

    http: httpx.AsyncClient
    clock: Clock
    nonces: Nonces

    async def nonce(self) -> bytes:
        answer = (await self.http.get("/nonce")).raise_for_status().json()
        assert answer["audience"] == sample.AUDIENCE
        return base64.urlsafe_b64decode(answer["nonce"] + "=")

    async def work(self, authorization: str, nonce: bytes) -> httpx.Response:
        headers = {"Authorization": authorization, "Fob-Nonce": encoded(nonce)}
        return await self.http.post("/work", headers=headers, content=b"work")

    async def refusal(self, authorization: str, nonce: bytes) -> str:
        return refusal(await self.work(authorization, nonce))


def refusal(answer: httpx.Response) -> str:
    """Its code."""
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Fob")
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    code: str = answer.json()["title"]
    return code


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    clock = Clock()
    nonces = Nonces(clock)
    server = TestServer(RelyingServer(PARTY, sample.AUDIENCE, nonces, clock).app())
    await server.start_server()
    async with httpx.AsyncClient(base_url=str(server.make_url("/"))) as http:
        yield Client(http, clock, nonces)
    await server.close()


TICKET = sample.ticket().signed(SERVER.signing)


@pytest.mark.clause("V12", "V18")
async def test_validated_software_is_let_in(client: Client) -> None:
    nonce = await client.nonce()
    answer = await client.work(shown(TICKET, nonce), nonce)
    assert answer.status_code == 200
    assert answer.json() == {"program": "calculator", "version": [1, 4, 0], "validated": NOW}


@pytest.mark.clause("V14", "V18")
async def test_what_was_shown_once_is_not_taken_again(client: Client) -> None:
    """Nor for the next nonce; and one that nobody gave is none."""
    nonce = await client.nonce()
    authorization = shown(TICKET, nonce)
    assert (await client.work(authorization, nonce)).status_code == 200
    assert await client.refusal(authorization, nonce) == "wrong-nonce"
    assert await client.refusal(authorization, await client.nonce()) == "wrong-holder"
    assert await client.refusal(shown(TICKET, bytes(32)), bytes(32)) == "wrong-nonce"


@pytest.mark.clause("V18")
async def test_a_nonce_is_used_up_by_a_refusal_too(client: Client) -> None:
    nonce = await client.nonce()
    assert await client.refusal(shown(TICKET, nonce, sample.THIEF), nonce) == "wrong-holder"
    assert await client.refusal(shown(TICKET, nonce), nonce) == "wrong-nonce"


@pytest.mark.clause("V18")
async def test_a_nonce_is_good_for_a_minute(client: Client) -> None:
    first, second = await client.nonce(), await client.nonce()
    client.clock.now += NONCE_TIME - 1
    assert (await client.work(shown(TICKET, first), first)).status_code == 200
    client.clock.now += 1
    assert await client.refusal(shown(TICKET, second), second) == "wrong-nonce"


async def test_nobody_fills_the_memory_with_nonces(client: Client) -> None:
    assert all(client.nonces.give(f"10.0.{number >> 8}.{number & 255}") for number in range(NONCES_LIMIT))
    answer = await client.http.get("/nonce")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, str(NONCE_TIME))
    client.clock.now += NONCE_TIME
    nonce = await client.nonce()
    assert (await client.work(shown(TICKET, nonce), nonce)).status_code == 200


@pytest.mark.parametrize("addresses", [["10.0.0.1"], ["2001:db8::1", "2001:db8::2:1"]])
async def test_who_asks_for_many_keeps_nobody_else_out(client: Client, addresses: list[str]) -> None:
    asked = [client.nonces.give(addresses[number % len(addresses)]) for number in range(1000)]
    given = [nonce for nonce in asked if nonce is not None]
    assert len(given) == ADDRESS_LIMIT
    # Another address, and the same one as soon as it has used one.
    nonce = await client.nonce()
    assert (await client.work(shown(TICKET, nonce), nonce)).status_code == 200
    assert client.nonces.take(given[0])
    assert client.nonces.give(addresses[0]) is not None
    assert client.nonces.give(addresses[0]) is None
    client.clock.now += NONCE_TIME
    assert client.nonces.give(addresses[0]) is not None


@pytest.mark.clause("V12", "V14", "V18")
@pytest.mark.parametrize(
    ("changes", "later", "code"),
    [
        ({"time": NOW - 3601}, 0, "too-old"),
        ({"until": NOW + 30}, 91, "expired"),
        ({"time": NOW + 61}, 0, "not-yet-valid"),
        ({"program": "meter"}, 0, "other-program"),
        ({"version": (1, 2, 9)}, 0, "other-program"),
        ({"holder": sample.public(sample.THIEF)}, 0, "wrong-holder"),
    ],
)
async def test_other_tickets_are_refused_by_name(
    client: Client, changes: dict[str, Any], later: int, code: str
) -> None:
    client.clock.now += later
    nonce = await client.nonce()
    token = sample.ticket(**changes).signed(SERVER.signing)
    assert await client.refusal(shown(token, nonce), nonce) == code


@pytest.mark.clause("V12", "V18")
async def test_what_others_made_is_refused(client: Client) -> None:
    """A ticket of another office, one for another audience, a bare ticket, and octets that are nothing."""
    cases: dict[str, Callable[[bytes], str]] = {
        "wrong-signature": lambda nonce: shown(sample.ticket().signed(sample.OTHER_SERVER), nonce),
        "wrong-holder": lambda nonce: shown(TICKET, nonce, audience="other.example"),
        "malformed": lambda _: f"Fob {encoded(TICKET)}",
        "too-large": lambda _: f"Fob {encoded(bytes(5000))}",
        "wrong-nonce": lambda nonce: shown(TICKET, nonce).replace("Fob", "Bearer"),
    }
    for code, authorization in cases.items():
        nonce = await client.nonce()
        assert await client.refusal(authorization(nonce), nonce) == code


@pytest.mark.parametrize("headers", [{"Authorization": "Fob !"}, {"Authorization": "Fob é"}, {"Fob-Nonce": "A"}])
async def test_what_is_no_base64_is_malformed(client: Client, headers: dict[str, str]) -> None:
    octets = [(name.encode(), value.encode()) for name, value in headers.items()]
    assert refusal(await client.http.post("/work", headers=octets)) == "malformed"


async def test_without_anything(client: Client) -> None:
    assert refusal(await client.http.post("/work")) == "wrong-nonce"


@pytest.mark.clause("V18")
def test_as_a_program_of_its_own() -> None:
    """With a public key and no office anywhere."""
    command = [
        sys.executable, str(PROGRAM), "--server-key", sample.public(SERVER.signing).hex(), "--port", "0",
        "--audience", sample.AUDIENCE, "--program", "calculator=1.4.0",
    ]  # fmt: skip
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout
            address = re.search(r"http://\S+", server.stdout.readline())
            assert address
            work_there(address[0])
        finally:
            server.terminate()


def work_there(address: str) -> None:
    """Now, and once."""
    now = int(time.time())
    token = sample.ticket(time=now, until=now + 600).signed(SERVER.signing)
    with httpx.Client(base_url=address) as http:
        text = http.get("/nonce").json()["nonce"]
        headers = {"Authorization": shown(token, base64.urlsafe_b64decode(text + "=")), "Fob-Nonce": text}
        assert http.post("/work", headers=headers).json()["program"] == "calculator"
        assert refusal(http.post("/work", headers=headers)) == "wrong-nonce"


def test_it_does_not_start_with_what_is_no_key() -> None:
    command = [sys.executable, str(PROGRAM), "--server-key", "abcd", "--audience", "work"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert "argument --server-key: invalid" in ended.stderr
