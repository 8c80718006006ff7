"""The radio as a program: hosts and a control channel on Unix sockets."""

import asyncio
import contextlib
import json
import random
import re
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from bumble.hci import HCI_Error, HCI_ErrorCode
from bumble.transport import open_transport

from fob_device.json_lines import CLIENTS_LIMIT, LINE_LIMIT
from fob_device.radio.server import HOSTS_LIMIT, NO_HCI
from support.base_install import without
from support.central import central
from support.echo_peripheral import ADDRESS, echo_peripheral
from support.ready_program import PATIENCE, Program, installed, running

PROGRAM = [installed("fob-device"), "radio"]


class Control:
    """One connection to the control channel."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    @contextlib.asynccontextmanager
    async def connected(cls, path: Path) -> AsyncIterator["Control"]:
        reader, writer = await asyncio.open_unix_connection(path)
        try:
            yield cls(reader, writer)
        finally:
            writer.close()
            await writer.wait_closed()

    async def line(self, line: bytes) -> dict[str, Any]:
        self._writer.write(line)
        async with asyncio.timeout(PATIENCE):
            answer: dict[str, Any] = json.loads(await self._reader.readline())
        return answer

    async def ask(self, **request: object) -> dict[str, Any]:
        return await self.line(json.dumps(request).encode() + b"\n")

    async def until_on_the_air(self, count: int) -> None:
        """Another socket's news takes a moment."""
        async with asyncio.timeout(PATIENCE):
            while len((await self.ask(do="list"))["devices"]) != count:
                pass

    async def is_cut_off(self) -> bool:
        async with asyncio.timeout(PATIENCE):
            try:
                return await self._reader.read() == b""
            except ConnectionResetError:
                return True


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder with a radio's `hosts` and `control`."""
    with running(*PROGRAM, f"--listen=unix:{tmp_path}/hosts", f"--control=unix:{tmp_path}/control", "--interval=7.5"):
        yield tmp_path


async def test_two_hosts_talk_and_the_control_channel_counts_and_moves(folder: Path) -> None:
    hosts = f"unix-client:{folder}/hosts"
    async with (
        echo_peripheral(await open_transport(hosts)),
        central(await open_transport(hosts)) as pc,
        Control.connected(folder / "control") as control,
    ):
        await pc.connect(ADDRESS)
        await pc.subscribe()
        before = (await control.ask(do="read", device=ADDRESS))["counters"]
        await pc.send(b"hello")
        await pc.receive_until(b"hello")
        after = (await control.ask(do="read", device=ADDRESS))["counters"]
        assert after["to_peripheral"]["events"] - before["to_peripheral"]["events"] == 1
        assert after == (await control.ask(do="read"))["counters"]

        listed = (await control.ask(do="list"))["devices"]
        assert [device["addresses"][0] for device in listed] == [ADDRESS, pc.address]

        assert await control.ask(do="set", device=ADDRESS, distance=100, loss=0.5) == {"ok": True}
        await pc.gone()


async def test_a_host_that_is_gone_is_off_the_air(folder: Path) -> None:
    hosts = f"unix-client:{folder}/hosts"
    async with central(await open_transport(hosts)) as pc, Control.connected(folder / "control") as control:
        async with echo_peripheral(await open_transport(hosts)):
            await pc.scan(ADDRESS)
            await control.until_on_the_air(2)
        await control.until_on_the_air(1)


async def test_what_the_control_channel_does_not_understand(folder: Path) -> None:
    async with Control.connected(folder / "control") as control:
        for line in (
            b"\n",
            b"[1]\n",
            b'{"do": "fly"}\n',
            b'{"do": "set", "device": "x", "loss": 1}\n',
            b'{"do": "set", "device": "x", "distance": -1}\n',
            b'{"do": "set", "device": "' + b"x" * 65 + b'"}\n',
            b'{"do": "read", "device": "x", "extra": 1}\n',
            b"\xff\n",
        ):
            answer = await control.line(line)
            assert not answer["ok"]
            assert answer["error"]


async def test_a_device_that_is_not_on_the_air_is_not_read_and_not_set(folder: Path) -> None:
    async with Control.connected(folder / "control") as control:
        for request in ({"do": "read"}, {"do": "set", "distance": 3}, {"do": "set", "loss": 0.5}, {"do": "set"}):
            answer = await control.ask(**request, device="nobody")
            assert answer == {"ok": False, "error": "nobody is not on the air"}
        async with central(await open_transport(f"unix-client:{folder}/hosts")) as pc:
            assert await control.ask(do="set", device=pc.address.lower(), loss=0.5) == {"ok": True}
        await control.until_on_the_air(0)
        assert not (await control.ask(do="set", device=pc.address, loss=0.5))["ok"]


async def test_a_line_over_the_limit_and_a_client_too_many_are_cut_off(folder: Path) -> None:
    async with contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(Control.connected(folder / "control")) for _ in range(CLIENTS_LIMIT)]
        for client in clients:
            assert (await client.ask(do="list"))["ok"]
        one_more = await stack.enter_async_context(Control.connected(folder / "control"))
        assert await one_more.is_cut_off()
        with pytest.raises((json.JSONDecodeError, ConnectionError)):
            await clients[0].line(b" " * (3 * LINE_LIMIT))
        assert (await clients[1].ask(do="list"))["ok"]


async def test_a_host_too_many_and_one_that_speaks_no_hci_are_cut_off(folder: Path) -> None:
    async with Control.connected(folder / "control") as control, contextlib.AsyncExitStack() as stack:
        hosts = [await stack.enter_async_context(Control.connected(folder / "hosts")) for _ in range(HOSTS_LIMIT)]
        await control.until_on_the_air(HOSTS_LIMIT)
        one_more = await stack.enter_async_context(Control.connected(folder / "hosts"))
        assert await one_more.is_cut_off()
        with pytest.raises((json.JSONDecodeError, ConnectionError)):
            await hosts[0].line(b"GET / HTTP/1.1\r\n")
        await control.until_on_the_air(HOSTS_LIMIT - 1)


@pytest.mark.parametrize(
    "octets",
    [
        b"GET / HTTP/1.1\r\n\r\n" * 50,
        b"\x01\x0d\x20\x01\x00" * 500,
        random.Random(1).randbytes(100_000),
        b"\x04" + random.Random(2).randbytes(100_000),
    ],
)
async def test_garbage_is_one_line_of_log_and_no_harm_to_others(tmp_path: Path, octets: bytes) -> None:
    with running(*PROGRAM, f"--listen=unix:{tmp_path}/hosts", f"--control=unix:{tmp_path}/control") as program:
        async with Control.connected(tmp_path / "control") as control:
            with socket.socket(socket.AF_UNIX) as host:
                host.connect(f"{tmp_path}/hosts")
                with contextlib.suppress(ConnectionError):
                    host.sendall(octets)
                await control.until_on_the_air(0)
            async with central(await open_transport(f"unix-client:{tmp_path}/hosts")):
                await control.until_on_the_air(1)
    assert program.words == f"{NO_HCI}\n"


@pytest.mark.parametrize(
    ("command", "what"),
    [
        (("radio", "--listen=unix:{}/hosts"), "the radio did not start"),
        (("run", "--state={}/phone", "--port=ble:unix-client:{}/hosts"), "the phone did not start"),
    ],
)
def test_without_the_package_there_are_three_lines(tmp_path: Path, command: tuple[str, ...], what: str) -> None:
    done = subprocess.run(
        [installed("fob-device"), *(word.format(tmp_path) for word in command)],
        env=without(("bumble",), tmp_path), capture_output=True, timeout=PATIENCE, check=False, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr.splitlines()) == (
        1,
        "",
        [
            f"error: {what}",
            "why:   it needs the package 'bumble', which is not installed",
            "try:   pip install 'fobd[radio]'",
        ],
    )


INTERVAL_RULE = "a connection interval has 7.5 to 4000 ms (Bluetooth Core, vol. 6, part B, 4.5.1)"
LOSS_RULE = "a loss is a probability from 0 to below 1"


def refusal(*arguments: str) -> tuple[int, list[str]]:
    """How a radio that is not started ends, and its words."""
    done = subprocess.run([*PROGRAM, *arguments], capture_output=True, timeout=PATIENCE, check=False, text=True)
    assert done.stdout == ""
    return done.returncode, done.stderr.splitlines()


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--listen=/tmp/x"], "--listen /tmp/x: a socket is unix:/path"),
        (["--listen=unix:"], "--listen unix:: a socket is unix:/path"),
        (["--listen=unix:/tmp/x", "--control=x"], "--control x: a socket is unix:/path"),
        (
            ["--listen=unix:/tmp/x", "--control=unix:/tmp/../tmp/x"],
            "--control unix:/tmp/../tmp/x: hosts connect there: --listen and --control are two sockets",
        ),
        *(
            (["--listen=unix:/tmp/x", f"--interval={text}"], f"--interval {text}: {INTERVAL_RULE}")
            for text in ("nan", "inf", "-inf", "-30", "0", "7.4", "4000.1", "30ms", "")
        ),
        *(
            (["--listen=unix:/tmp/x", f"--loss={text}"], f"--loss {text}: {LOSS_RULE}")
            for text in ("nan", "inf", "-inf", "-0.1", "1", "10%", "")
        ),
    ],
)
def test_what_makes_no_sense_is_a_usage_error_of_three_lines(arguments: list[str], why: str) -> None:
    assert refusal(*arguments) == (
        2,
        ["error: the radio did not start", f"why:   {why}", "try:   fob-device radio --help"],
    )


def test_a_place_where_nobody_can_listen_is_told_in_three_lines() -> None:
    assert refusal("--listen=unix:/nowhere/x") == (
        1,
        ["error: the radio cannot listen at /nowhere/x", "why:   No such file or directory", "try:   ls -la /nowhere"],
    )


@pytest.mark.parametrize("interval", ["7.5", "4000"])
def test_the_shortest_and_the_longest_interval_are_allowed(tmp_path: Path, interval: str) -> None:
    with running(*PROGRAM, f"--listen=unix:{tmp_path}/hosts", f"--interval={interval}"):
        pass


async def test_who_measures_holds_the_interval(tmp_path: Path) -> None:
    hosts = f"unix-client:{tmp_path}/hosts"
    with running(*PROGRAM, f"--listen=unix:{tmp_path}/hosts", "--interval=7.5", "--hold"):
        async with echo_peripheral(await open_transport(hosts)), central(await open_transport(hosts)) as pc:
            await pc.connect(ADDRESS)
            with pytest.raises(HCI_Error) as caught:
                await pc.connection.update_parameters(15, 15, 0, 420)
            assert caught.value.error_code == HCI_ErrorCode.UNSUPPORTED_FEATURE_OR_PARAMETER_VALUE_ERROR
            assert pc.connection.parameters.connection_interval == 7.5


@pytest.mark.parametrize(
    "options", [("hosts", "other"), ("other", "control"), ("other", "hosts"), ("control", "other")]
)
async def test_a_second_radio_at_a_socket_is_refused_and_the_first_goes_on(
    folder: Path, options: tuple[str, str]
) -> None:
    listen, control = (f"{folder}/{name}" for name in options)
    code, (what, why, look) = await asyncio.to_thread(refusal, f"--listen=unix:{listen}", f"--control=unix:{control}")
    taken = listen if not listen.endswith("other") else control
    assert (code, what, look) == (1, f"error: the radio cannot listen at {taken}", f"try:   ls -la {folder}")
    assert re.fullmatch(r"why:   in use by process [0-9]+", why)
    async with central(await open_transport(f"unix-client:{folder}/hosts")), Control.connected(folder / "control") as c:
        await c.until_on_the_air(1)


def test_a_socket_of_another_program_is_left_to_it(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(f"{tmp_path}/taken")
        other.listen()
        code, (what, why, _) = refusal(f"--listen=unix:{tmp_path}/taken")
        assert (code, what) == (1, f"error: the radio cannot listen at {tmp_path}/taken")
        assert why == "why:   another program listens there"
        with socket.socket(socket.AF_UNIX) as caller:
            caller.connect(f"{tmp_path}/taken")


def test_a_file_is_never_replaced(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    code, (_, why, _) = refusal(f"--listen=unix:{precious}")
    assert (code, precious.read_text()) == (1, "precious")
    assert "in use" in why
    assert list(tmp_path.iterdir()) == [precious]


def test_the_sockets_of_a_radio_that_was_killed_are_taken_over(tmp_path: Path) -> None:
    places = f"--listen=unix:{tmp_path}/hosts", f"--control=unix:{tmp_path}/control"
    Program(*PROGRAM, *places).kill()
    assert (tmp_path / "hosts").is_socket()
    with running(*PROGRAM, *places):
        pass
