"""The radio as a program: hosts and a control channel on Unix sockets."""

import asyncio
import contextlib
import json
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from bumble.transport import open_transport

from fob_device.radio.control import CLIENTS_LIMIT, LINE_LIMIT
from fob_device.radio.server import HOSTS_LIMIT
from support.central import central
from support.echo_peripheral import ADDRESS, echo_peripheral
from support.ready_program import PATIENCE, installed, running

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
    ("arguments", "words"),
    [
        (["--listen=/tmp/x"], "a socket is unix:/path"),
        (["--listen=unix:/nowhere/x"], "error: the radio cannot listen at /nowhere/x"),
        (["--listen=unix:/tmp/x", "--interval=1"], "--interval"),
        (["--listen=unix:/tmp/x", "--loss=1"], "--loss"),
    ],
)
def test_a_radio_that_cannot_be_started_says_why(arguments: list[str], words: str) -> None:
    done = subprocess.run([*PROGRAM, *arguments], capture_output=True, timeout=PATIENCE, check=False, text=True)
    assert done.returncode != 0
    assert words in done.stderr
    assert "Traceback" not in done.stderr
