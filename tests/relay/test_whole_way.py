"""From a device's event to a real HTTPS server and back; and the daemon itself, with an office in its configuration."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from daemon.running import running, stop
from fob_daemon.cli.client import Client
from fob_daemon.control.errors import ControlError
from fob_daemon.control.interface import ControlEvent
from fob_daemon.control.office_reports import Relayed
from fob_daemon.demo.scratch import Scratch
from fob_daemon.device.back_office import BackOffice
from fob_daemon.device.timeouts import Timeouts
from fob_daemon.relay.office import ConfiguredOffice
from fob_protocol.office.limits import ANSWER_LIMIT, QUESTION_LIMIT
from fob_protocol.relay import Waiting
from relay.certificates import TestIssuer
from relay.server import OfficeServer, answer, endless, hang_up, never, office_server, status
from support.fake_device_office import FakeDeviceOffice


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> TestIssuer:
    return TestIssuer.made(tmp_path_factory.mktemp("issuer"), "Test issuer")


@pytest.fixture(scope="module")
def tls(issuer: TestIssuer) -> ssl.SSLContext:
    return issuer.server_context()


@asynccontextmanager
async def relaying(
    server: OfficeServer, issuer: TestIssuer
) -> AsyncIterator[tuple[FakeDeviceOffice, BackOffice, list[ControlEvent]]]:
    device, told = FakeDeviceOffice(), list[ControlEvent]()
    office = ConfiguredOffice(server.url, issuer.ca_file)
    back_office = BackOffice(lambda: "meter", device, Timeouts(), office, told.append)
    yield device, back_office, told
    await back_office.close()
    await office.close()


async def test_questions_of_every_size_arrive_and_answers_come_back(issuer: TestIssuer, tls: ssl.SSLContext) -> None:
    longest = bytes(range(256)) * (ANSWER_LIMIT // 256)
    async with (
        office_server(answer(b"a"), answer(longest), tls=tls) as server,
        relaying(server, issuer) as (device, back_office, _),
    ):
        device.wait_with(Waiting(1, "registration", b"\xd0"), Waiting(2, "configuration", b"\xd0" * QUESTION_LIMIT))
        await back_office.idle()

    assert server.asked == [("/v1/registration", b"\xd0"), ("/v1/configuration", b"\xd0" * QUESTION_LIMIT)]
    assert [told[:3] for told in device.told] == [(1, 0, b"a"), (2, 0, longest)]


async def test_each_way_to_fail_is_told_by_its_number(issuer: TestIssuer, tls: ssl.SSLContext) -> None:
    behaviours = (
        status(503, Retry_After="30"), status(429, Retry_After="2"), status(400), status(413), status(302),
        answer(b"<html>", "text/html"), endless, hang_up, answer(b"at last"),
    )  # fmt: skip
    async with office_server(*behaviours, tls=tls) as server, relaying(server, issuer) as (device, back_office, told):
        device.wait_with(Waiting(1, "session", b"\xd0"))
        for _ in behaviours:
            device.say("+FOBRELAY", 1)
            await back_office.idle()

    assert [values[1:] for values in device.told] == [
        (3, None, 30), (3, None, 2), (3, None, None), (3, None, None), (3, None, None),
        (3, None, None), (4, None, None), (2, None, None), (0, b"at last", None),
    ]  # fmt: skip
    results = [event.result for event in told if isinstance(event, Relayed)]
    assert results == ["not-answered"] * 6 + ["too-long", "unreachable", "answered"]
    report = back_office.report()
    assert (report.questions, report.failures, report.why) == (9, 8, "")


async def test_a_daemon_that_stops_while_the_office_thinks(issuer: TestIssuer, tls: ssl.SSLContext) -> None:
    async with office_server(never, tls=tls) as server, relaying(server, issuer) as (device, back_office, _):
        device.wait_with(Waiting(1, "session", b"\xd0"))
        while not server.asked:  # noqa: ASYNC110 - the server is in this loop
            await asyncio.sleep(0.01)
        await back_office.close()
        assert (device.told, len(device.queue)) == ([], 1)


async def test_the_daemon_asks_the_office_of_its_configuration(
    tmp_path: Path, issuer: TestIssuer, tls: ssl.SSLContext
) -> None:
    scratch = Scratch.in_folder(tmp_path)
    scratch.write_files()
    async with office_server(status(400), status(404), answer(), status(503), tls=tls) as server:
        with scratch.config.open("a") as file:
            file.write(f'\n[office]\nurl = "{server.url}"\nca_file = "{issuer.ca_file}"\n')
        client = Client(scratch.socket("control"))

        def talk() -> None:
            with running(scratch) as daemon:
                configured = {"url": server.url, "ca_file": str(issuer.ca_file), "certificate": ""}
                assert client.get("office") == configured | {"relays": []}
                answers = [client.post("office", "check", body={}) for _ in range(4)]
                assert [found["reachable"] for found in answers] == [True, False, False, True]
                assert [found["why"] for found in answers][1:3] == [
                    "it answered 404 Not Found",
                    "what answers there is no office",
                ]
                assert stop(daemon) == (0, b"")

        await asyncio.to_thread(talk)
    assert {path for path, _ in server.asked} == {"/v1/directory"}


async def test_a_daemon_without_an_office_says_so(tmp_path: Path) -> None:
    scratch = Scratch.in_folder(tmp_path)
    scratch.write_files()
    client = Client(scratch.socket("control"))

    def talk() -> None:
        with running(scratch):
            with pytest.raises(ControlError, match="there is no office"):
                client.post("office", "check", body={})
            with pytest.raises(ControlError, match="no device is called"):
                client.get("devices", "meter", "office")

    await asyncio.to_thread(talk)
