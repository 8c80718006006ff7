"""A question over real HTTP and TLS: what comes back, and every way in which it may not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from fob_daemon.relay.http_office import HttpOffice, tls_context
from fob_daemon.relay.office import ConfiguredOffice, NoOffice
from fob_daemon.relay.outcome import Outcome
from fob_protocol.office.limits import ANSWER_LIMIT
from fob_protocol.relay import MEDIA_TYPE, RelayStatus
from relay.certificates import TestIssuer
from relay.server import Behaviour, OfficeServer, answer, endless, hang_up, never, office_server, status

QUESTION = b"\xd0sealed question"
# A test that waits for it waits so long.
SHORT = 0.2


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> TestIssuer:
    return TestIssuer.made(tmp_path_factory.mktemp("issuer"), "Test issuer")


@asynccontextmanager
async def asking(url: str, ca_file: Path | None = None) -> AsyncIterator[HttpOffice]:
    office = HttpOffice(url, tls_context(ca_file), answer_time=SHORT if ca_file is None else 5.0)
    try:
        yield office
    finally:
        await office.close()


async def posted(*behaviours: Behaviour) -> tuple[Outcome, OfficeServer]:
    """What became of one question at a server that behaves so."""
    async with office_server(*behaviours) as server, asking(server.url) as office:
        return await office.post("registration", QUESTION), server


async def test_a_question_is_posted_as_it_is_and_answered() -> None:
    outcome, server = await posted(answer(b"\xd2sealed answer"))
    assert outcome == Outcome(RelayStatus.ANSWERED, b"\xd2sealed answer", http=200)
    assert server.asked == [("/v1/registration", QUESTION)]
    [headers] = server.headers
    assert headers["Content-Type"] == MEDIA_TYPE
    # Nothing tells who asks, nothing is packed, nothing is kept.
    assert set(headers) == {"Host", "Accept", "Content-Type", "User-Agent", "Content-Length"}


async def test_an_office_may_be_below_a_path_and_is_asked_on_one_connection() -> None:
    async with office_server(answer(b"1"), answer(b"2")) as server, asking(f"{server.url}/fob/") as office:
        answers = [(await office.post("content", QUESTION)).answer for _ in range(2)]
    assert (answers, [path for path, _ in server.asked]) == ([b"1", b"2"], ["/fob/v1/content"] * 2)


async def test_the_longest_answer_and_one_octet_more() -> None:
    outcome, _ = await posted(answer(bytes(ANSWER_LIMIT)))
    assert (outcome.status, outcome.answer) == (RelayStatus.ANSWERED, bytes(ANSWER_LIMIT))
    outcome, _ = await posted(answer(bytes(ANSWER_LIMIT + 1)))
    assert (outcome.status, outcome.answer) == (RelayStatus.TOO_LONG, None)


async def test_an_answer_without_an_end_is_not_listened_to() -> None:
    outcome, _ = await posted(endless)
    assert (outcome.status, outcome.answer) == (RelayStatus.TOO_LONG, None)


@pytest.mark.parametrize("number", [400, 404, 413, 500])
async def test_a_status_that_is_no_success(number: int) -> None:
    outcome, _ = await posted(status(number))
    assert (outcome.status, outcome.seconds, outcome.http) == (RelayStatus.NOT_ANSWERED, None, number)
    assert str(number) in outcome.why


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("7", 7),
        ("0", 0),
        ("86401", 86_400),
        ("9" * 4000, 86_400),
        ("-1", None),
        ("1.5", None),
        ("\u0663", None),
        ("", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
    ],
)
@pytest.mark.parametrize("number", [429, 503])
async def test_how_long_to_wait(number: int, said: str, seconds: int | None) -> None:
    outcome, _ = await posted(status(number, Retry_After=said))
    assert (outcome.status, outcome.seconds) == (RelayStatus.NOT_ANSWERED, seconds)


@pytest.mark.parametrize("number", [301, 302, 303, 307, 308])
async def test_a_redirect_leads_nowhere(number: int) -> None:
    async with office_server(answer()) as elsewhere:
        outcome, _ = await posted(status(number, Location=f"{elsewhere.url}/v1/registration"))
    assert (outcome.status, outcome.http, elsewhere.asked) == (RelayStatus.NOT_ANSWERED, number, [])


@pytest.mark.parametrize("content_type", ["text/html", "application/cbor", "application/octet-stream"])
async def test_another_type_is_no_office(content_type: str) -> None:
    outcome, _ = await posted(answer(b"<html>", content_type))
    assert (outcome.status, outcome.answer) == (RelayStatus.NOT_ANSWERED, None)


async def test_a_plain_cose_type_is_one_too() -> None:
    outcome, _ = await posted(answer(b"sealed", "application/cose"))
    assert outcome.status is RelayStatus.ANSWERED


async def test_nothing_is_unpacked() -> None:
    async def packed(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=b"x", headers={"Content-Type": MEDIA_TYPE, "Content-Encoding": "gzip"})

    outcome, _ = await posted(packed)
    assert outcome.status is RelayStatus.NOT_ANSWERED


async def test_an_office_that_never_answers() -> None:
    outcome, _ = await posted(never)
    assert outcome == Outcome(RelayStatus.UNREACHABLE, why="no answer in 0.2 s")


async def test_an_office_that_hangs_up_in_the_middle() -> None:
    outcome, _ = await posted(hang_up)
    assert outcome == Outcome(RelayStatus.UNREACHABLE, why="it hung up")


async def test_nobody_listens() -> None:
    async with office_server(answer()) as server:
        url = server.url
    async with asking(url) as office:
        outcome = await office.post("session", QUESTION)
    assert (outcome.status, outcome.http) == (RelayStatus.UNREACHABLE, 0)
    assert "refused" in outcome.why.lower()


@pytest.mark.parametrize(
    "said", [b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: " + b"y" * 20_000]
)
async def test_what_listens_is_no_http_server(said: bytes) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(said)
        await reader.read()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server, asking(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}") as office:
        outcome = await office.post("session", QUESTION)
    assert (outcome.status, outcome.answer) == (RelayStatus.UNREACHABLE, None)
    assert outcome.why


async def test_over_tls_with_the_issuer_that_is_configured(issuer: TestIssuer) -> None:
    async with (
        office_server(answer(b"a"), tls=issuer.server_context()) as server,
        asking(server.url, issuer.ca_file) as office,
    ):
        assert (await office.post("session", QUESTION)).answer == b"a"


@pytest.mark.parametrize(("host", "days"), [("127.0.0.2", 1), ("office.example", 1), ("127.0.0.1", -1)])
async def test_a_certificate_that_is_not_good(issuer: TestIssuer, host: str, days: int) -> None:
    async with (
        office_server(answer(), tls=issuer.server_context(host, days=days)) as server,
        asking(server.url, issuer.ca_file) as office,
    ):
        outcome = await office.post("session", QUESTION)
    assert (outcome.status, server.asked) == (RelayStatus.UNREACHABLE, [])
    assert outcome.why.startswith("its certificate is not good: ")


async def test_a_certificate_of_another_issuer(issuer: TestIssuer, tmp_path: Path) -> None:
    other = TestIssuer.made(tmp_path, "Test issuer")
    async with office_server(answer(), tls=other.server_context()) as server:
        for ca_file in (issuer.ca_file, None):
            async with asking(server.url, ca_file) as office:
                outcome = await office.post("session", QUESTION)
            assert outcome.why.startswith("its certificate is not good: "), "the system's issuers do not know it either"
    assert server.asked == []


async def test_no_tls_where_tls_is_asked_for(issuer: TestIssuer) -> None:
    async with (
        office_server(answer()) as server,
        asking(server.url.replace("http:", "https:"), issuer.ca_file) as office,
    ):
        outcome = await office.post("session", QUESTION)
    assert (outcome.status, server.asked) == (RelayStatus.UNREACHABLE, [])


async def test_the_environment_sends_a_question_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    async with office_server(answer()) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        outcome, server = await posted(answer(b"a"))
    assert (outcome.answer, len(server.asked), proxy.asked) == (b"a", 1, [])


async def test_without_an_office() -> None:
    office = NoOffice()
    outcome = await office.post("session", QUESTION)
    assert (outcome.status, outcome.answer) == (RelayStatus.NO_OFFICE, None)
    await office.close()


async def test_a_file_of_issuers_that_is_mended_is_used(issuer: TestIssuer, tmp_path: Path) -> None:
    ca_file = tmp_path / "ca.pem"
    async with office_server(answer(b"a"), tls=issuer.server_context()) as server:
        office = ConfiguredOffice(server.url, ca_file)
        assert (await office.post("session", QUESTION)).why == f"{ca_file}: No such file or directory"
        ca_file.write_text("no certificate\n")
        assert (await office.post("session", QUESTION)).why == f"{ca_file}: it holds no certificates"
        ca_file.write_bytes(issuer.ca_file.read_bytes())
        outcomes = await asyncio.gather(*(office.post("session", QUESTION) for _ in range(4)))
        assert [outcome.answer for outcome in outcomes] == [b"a"] * 4
        await office.close()
