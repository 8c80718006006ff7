"""The control socket as a client meets it: status, log, events, bounds, and clients that behave badly."""

import asyncio
import json
import os
import re
import socket
import stat
from pathlib import Path

import pytest
import structlog.testing
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from control.api import Api, events, next_event
from control.fake_daemon import FakeDaemon, log_entry
from control.fake_phone import FakePhone
from fob_daemon.control.interface import Ask, DeviceChange, DeviceState
from fob_daemon.control.limits import MAX_BODY, MAX_EVENTS_WAITING, Limits
from fob_daemon.control.server import ControlServer

HEAD = b"Host: fob\r\n"


async def raw(path: Path, request: bytes, *, until_end: bool = True) -> bytes:
    """What the server says to these octets until it hangs up."""
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(request)
    try:
        async with asyncio.timeout(5):
            return await (reader.read() if until_end else reader.readuntil(b"\r\n\r\n"))
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def works(path: Path) -> bool:
    """Another client gets its answer."""
    answer = await raw(path, b"GET /v1/status HTTP/1.1\r\n" + HEAD + b"Connection: close\r\n\r\n")
    return answer.startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "devices/nokia/connect", {}),
        ("DELETE", "devices/nokia", {}),
        ("GET", "keys?device=nokia", None),
        ("POST", "keys", {"device": "nokia", "type": "ec:p256", "label": "mail"}),
        ("GET", "keys/nokia/01", None),
        ("DELETE", "keys/nokia/01", {}),
        ("POST", "unlock", {"device": "nokia"}),
        ("POST", "lock", {"device": "nokia"}),
    ],
)
async def test_a_device_that_is_not_paired(api: Api, phone: FakePhone, method: str, path: str, body: object) -> None:
    async with api.session.request(method, f"/v1/{path}", json=body) as response:
        error = (await response.json())["error"]

    assert (response.status, error["exit_code"], error["what"]) == (404, 4, "no device is called 'nokia'")
    assert error["next"] == "fob devices"


async def test_metrics_are_text_for_prometheus(api: Api) -> None:
    async with api.session.get("/v1/metrics") as response:
        assert (response.status, response.headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
        assert await response.text() == 'fob_link_up{device="pixel"} 1.0\n'


async def test_status_has_every_field(api: Api, daemon: FakeDaemon, phone: FakePhone) -> None:
    status, body = await api.get("status")

    assert status == 200
    assert body == {
        "version": "0.1.0",
        "pid": 77,
        "uptime_s": 3661.5,
        "provider_socket": str(daemon.folder / "provider.sock"),
        "agent_socket": str(daemon.folder / "agent.sock"),
        "agent_logged_in": False,
        "hci": "",
        "configuration": "",
        "devices": [
            {
                "name": "pixel",
                "serial": "FOB-0001",
                "label": "Ada's token",
                "slot": 1,
                "url": "serial:/dev/ttyUSB7?baud=115200",
                "state": "ready",
                "why": "",
                "next": "",
                "lines": [{"url": "serial:/dev/ttyUSB7?baud=115200", "state": "ready", "why": "", "next": ""}],
                "round_trips": 12,
                "bytes_sent": 345,
                "bytes_received": 678,
                "sent_again": 1,
                "damaged": 2,
                "reconnects": 0,
                "objects": 4,
                "logged_in": False,
                "token_flags": ["RNG", "LOGIN_REQUIRED", "USER_PIN_INITIALIZED", "TOKEN_INITIALIZED"],
            }
        ],
        "clients": [
            {
                "pid": 4242,
                "program": "ssh",
                "command_line": ["ssh", "build.example"],
                "socket": "agent",
                "sessions": 1,
                "logged_in": True,
            }
        ],
    }


async def test_devices_and_unpairing(api: Api, daemon: FakeDaemon, phone: FakePhone) -> None:
    assert [device["name"] for device in (await api.get("devices"))[1]["devices"]] == ["pixel"]
    forgotten = {"device": "pixel", "phone_forgot": True, "why": "", "next": ""}
    assert await api.delete("devices/pixel") == (200, forgotten)
    assert daemon.devices == {}

    status, body = await api.delete("devices/pixel")

    assert status == 404
    assert body["error"] == {
        "what": "no device is called 'pixel'",
        "why": "it is not paired, or has another name",
        "next": "fob devices",
        "exit_code": 4,
    }


async def test_connect_now(api: Api, daemon: FakeDaemon, phone: FakePhone) -> None:
    assert await api.post("devices/pixel/connect", {}) == (200, {"device": "pixel"})
    assert daemon.tried == ["pixel"]


async def test_the_log_in_pages(api: Api, daemon: FakeDaemon) -> None:
    daemon.entries = [log_entry(number) for number in range(1, 6)]

    assert [entry["sequence"] for entry in (await api.get("log"))[1]["entries"]] == [1, 2, 3, 4, 5]
    assert [entry["sequence"] for entry in (await api.get("log?limit=2"))[1]["entries"]] == [4, 5]
    assert (await api.get("log?since=4"))[1]["entries"] == [
        {
            "sequence": 5,
            "time": 1_800_000_005.0,
            "program": "ssh",
            "pid": 4242,
            "programs": ["ssh", "git", "zsh"],
            "operation": "sign",
            "purpose": "login",
            "host": "github.com",
            "namespace": "",
            "forwarded": False,
            "key": "mail",
            "device": "pixel",
            "result": "OK",
            "milliseconds": 12.5,
        }
    ]


async def test_events_as_they_happen(api: Api, daemon: FakeDaemon, phone: FakePhone) -> None:
    async with api.session.get("/v1/events") as response:
        assert response.headers["Content-Type"] == "text/event-stream"
        assert await response.content.readline() == b":\n"  # from here on nothing is missed
        daemon.announce(log_entry(1))
        daemon.change_device("pixel", DeviceState.AWAY, "the line ended")
        daemon.announce(DeviceChange(daemon.devices["pixel"]))
        daemon.announce(Ask("pixel", "ssh wants to sign for build.example", 30.0, 3))

        stream = events(response)
        name, entry = await next_event(stream)
        assert (name, entry["sequence"]) == ("log", 1)
        name, change = await next_event(stream)
        assert (name, change["device"]["state"], change["device"]["why"]) == ("device", "away", "the line ended")
        assert await next_event(stream) == (
            "ask",
            {"device": "pixel", "words": "ssh wants to sign for build.example", "seconds": 30.0, "request": 3},
        )


async def test_a_reader_that_fell_behind_is_told(api: Api, daemon: FakeDaemon) -> None:
    async with api.session.get("/v1/events") as response:
        await response.content.readline()
        for number in range(MAX_EVENTS_WAITING + 44):
            daemon.announce(log_entry(number))

        stream = events(response)
        assert await next_event(stream) == ("lost", {"count": 44})
        assert (await next_event(stream))[1]["sequence"] == 44


async def test_a_quiet_stream_still_beats(api: Api) -> None:
    async with api.session.get("/v1/events") as response:
        assert await response.content.readexactly(9) == b":\n\n" * 3


async def test_a_stream_that_is_left_is_forgotten(control_path: Path, daemon: FakeDaemon) -> None:
    _, writer = await asyncio.open_unix_connection(control_path)
    writer.write(b"GET /v1/events HTTP/1.1\r\n" + HEAD + b"\r\n")
    async with asyncio.timeout(5):
        assert await daemon.followers.get() == 1

        writer.close()

        assert await daemon.followers.get() == 0


async def test_streams_are_bounded_and_plain_requests_go_on(api: Api, daemon: FakeDaemon) -> None:
    async with api.session.get("/v1/events") as first, api.session.get("/v1/events") as second:
        assert (first.status, second.status) == (200, 200)

        status, body = await api.get("events")

        assert status == 503
        assert body["error"]["why"] == "2 programs follow events or pair already"
        assert (await api.get("status"))[0] == 200


async def ask(path: Path, what: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection whose request is being answered, or was."""
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(b"GET /v1/" + what + b" HTTP/1.1\r\n" + HEAD + b"\r\n")
    assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
    return reader, writer


async def body(reader: asyncio.StreamReader) -> bytes:
    """The body of the next answer."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"Content-Length: (\d+)", head)
    assert length is not None
    return await reader.readexactly(int(length[1]))


async def test_requests_under_way_are_bounded_and_a_full_house_is_logged_once(
    tmp_path: Path, daemon: FakeDaemon
) -> None:
    path = tmp_path / "control.sock"
    server = ControlServer(daemon, allowed_uids={os.getuid()}, limits=Limits(max_connections=2))
    await server.listen(path)
    held = [await ask(path, b"events") for _ in range(2)]

    with structlog.testing.capture_logs() as logs:
        assert [await works(path) for _ in range(3)] == [False] * 3

    assert [(entry["event"], entry["limit"]) for entry in logs] == [("control.full", 2)]
    assert logs[0]["pid"] == os.getpid()
    for _, writer in held:
        writer.close()
    # The server hears of it in its own time.
    assert any([await works(path) for _ in range(20)])
    await server.close()


async def test_idle_connections_shut_nobody_out(tmp_path: Path, daemon: FakeDaemon) -> None:
    path = tmp_path / "control.sock"
    server = ControlServer(daemon, allowed_uids={os.getuid()})
    await server.listen(path)
    silent = [await asyncio.open_unix_connection(path) for _ in range(Limits().max_connections)]

    with structlog.testing.capture_logs() as logs:
        assert await works(path)
        assert await works(path)

    assert logs == []
    for _, writer in silent:
        writer.close()
    await server.close()


async def test_who_has_been_idle_longest_makes_room(tmp_path: Path, daemon: FakeDaemon) -> None:
    path = tmp_path / "control.sock"
    server = ControlServer(daemon, allowed_uids={os.getuid()}, limits=Limits(max_connections=3))
    await server.listen(path)
    follower, follower_writer = await ask(path, b"events")
    early, early_writer = await ask(path, b"log")
    late, late_writer = await ask(path, b"log")
    assert await body(early) == await body(late) == b'{"entries": []}'
    early_writer.write(b"GET /v1/log HTTP/1.1\r\n" + HEAD + b"\r\n")
    assert await body(early) == b'{"entries": []}'

    assert await works(path)

    assert await late.read() == b""
    early_writer.write(b"GET /v1/log HTTP/1.1\r\n" + HEAD + b"\r\n")
    assert await body(early) == b'{"entries": []}'
    daemon.announce(log_entry(1))
    assert await follower.readuntil(b"event: log\n")
    for writer in (follower_writer, early_writer, late_writer):
        writer.close()
    await server.close()


async def test_idle_connections_and_unfinished_heads_end(control_path: Path) -> None:
    assert await raw(control_path, b"") == b""
    assert await raw(control_path, b"GET /v1/status HTTP/1.1\r\nHost:") == b""


async def test_a_body_that_does_not_come_is_answered(control_path: Path) -> None:
    request = b"POST /v1/lock HTTP/1.1\r\n" + HEAD + b"Content-Length: 100\r\n\r\n{"

    answer = await raw(control_path, request)

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"the body did not come to its end" in answer


@pytest.mark.parametrize(
    "length",
    [b"Content-Length: 2147483648\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n80000000\r\n" + b"x" * 2 * MAX_BODY],
)
async def test_a_huge_body_is_refused_before_it_comes(control_path: Path, length: bytes) -> None:
    answer = await raw(control_path, b"POST /v1/lock HTTP/1.1\r\n" + HEAD + length)

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert f"a body over {MAX_BODY} octets".encode() in answer


@pytest.mark.parametrize(
    "request_head",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /v1/status HTTP/9.9\r\n\r\n",
        b"GET /v1/" + b"x" * 5000 + b" HTTP/1.1\r\n\r\n",
        b"GET /v1/status HTTP/1.1\r\nHost: fob\r\nX: " + b"y" * 3000 + b"\r\n\r\n",
        b"GET /v1/status HTTP/1.1\r\n" + HEAD + b"".join(b"X-%d: y\r\n" % number for number in range(40)) + b"\r\n",
        b"POST /v1/lock HTTP/1.1\r\nHost: fob\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
        b"POST /v1/lock HTTP/1.1\r\nHost: fob\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
async def test_malformed_http_is_answered_400(control_path: Path, request_head: bytes) -> None:
    assert (await raw(control_path, request_head)).startswith((b"HTTP/1.1 400 ", b"HTTP/1.0 400 "))
    assert await works(control_path)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(min_size=1, max_size=300).map(lambda octets: octets + b"\r\n\r\n")
    | st.binary(max_size=100).map(lambda octets: b"POST /v1/unlock HTTP/1.1\r\nHost: fob\r\n" + octets)
)
def test_any_octets_leave_the_server_working(octets: bytes) -> None:
    asyncio.run(_any_octets(octets))


async def _any_octets(octets: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "control.sock"
        server = ControlServer(FakeDaemon(Path(folder)), allowed_uids={os.getuid()})
        await server.listen(path)
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(str(path))
                client.sendall(octets)
                assert await works(path)
        finally:
            await server.close()


async def test_another_user_is_hung_up_on(tmp_path: Path, daemon: FakeDaemon) -> None:
    server = ControlServer(daemon, allowed_uids={os.getuid() + 1})
    await server.listen(tmp_path / "control.sock")
    with structlog.testing.capture_logs() as logs:
        assert not await works(tmp_path / "control.sock")
    assert [(entry["event"], entry["uid"]) for entry in logs] == [("control.refused_user", os.getuid())]
    await server.close()


def test_the_socket_is_private_to_its_user(control_path: Path) -> None:
    assert stat.S_IMODE(control_path.stat().st_mode) == 0o600


async def test_an_inherited_socket_is_served(tmp_path: Path, daemon: FakeDaemon) -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "passed.sock"))
    listener.listen()
    listener.setblocking(False)
    server = ControlServer(daemon, allowed_uids={os.getuid()})
    await server.listen(listener)

    assert await works(tmp_path / "passed.sock")

    await server.close()
    assert (tmp_path / "passed.sock").exists()  # systemd's file is systemd's


async def test_a_fault_is_answered_and_its_text_kept_out(
    api: Api, phone: FakePhone, capfd: pytest.CaptureFixture[str]
) -> None:
    phone.fault = "a mistake that mentions 471147"

    with structlog.testing.capture_logs() as logs:
        status, body = await api.post("unlock", {"device": "pixel", "pin": "471147"})

    assert status == 500
    assert body["error"]["why"] == "a fault in the daemon (ZeroDivisionError)"
    assert [entry["fault"] for entry in logs] == ["ZeroDivisionError"]
    assert "471147" not in json.dumps([body, logs]) + "".join(capfd.readouterr())


async def test_a_pin_in_a_malformed_request_reaches_no_log(
    control_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    body = b'{"pin": "471147"}\r\nPIN: 471147\r\n\r\n'
    await raw(control_path, b"POST /v1/unlock HTTP/1.1\r\nHost: fob\r\nContent-Length: 1\r\n\r\n" + body)

    assert "471147" not in caplog.text + "".join(capfd.readouterr())
