"""The phone at a serial port that is unplugged and comes back, over real pseudo-terminals."""

import asyncio
import os
import subprocess
import tty
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import cast

import pytest
import serial

from fob_device.line.phone_lines import PhoneLines
from fob_device.ports import serial as port_module
from fob_device.ports.serial import serve_serial
from fob_protocol.session.pace import Pace
from support.ready_program import PATIENCE, installed, running

BAUD = 115_200
READ_SIZE = 4096
# More than a terminal takes while nobody reads at its other end.
FLOOD = 1_000_000


class Plug:
    """What is plugged in at a path, and taken out: the computer's end of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._master: int | None = None

    def put_in(self) -> None:
        """There is a serial device at the path from now on."""
        self._master, slave = os.openpty()
        tty.setraw(slave)
        self.path.symlink_to(os.ttyname(slave))
        os.close(slave)
        os.set_blocking(self._master, False)

    def pull(self) -> None:
        """It is gone, as the kernel has it: whoever has it open is hung up, and the path leads nowhere."""
        assert self._master is not None
        self.path.unlink()
        os.close(self._master)
        self._master = None

    def say(self, octets: bytes) -> None:
        """The computer writes."""
        assert self._master is not None
        os.write(self._master, octets)

    async def hear(self, size: int) -> bytes:
        """The computer reads so many octets."""
        assert self._master is not None
        loop, heard, news = asyncio.get_running_loop(), bytearray(), asyncio.Event()
        loop.add_reader(self._master, news.set)
        try:
            async with asyncio.timeout(PATIENCE):
                while len(heard) < size:
                    await news.wait()
                    news.clear()
                    try:
                        heard += os.read(self._master, READ_SIZE)
                    except OSError:
                        # Nobody has opened the other end yet; then the kernel says "readable" all the time.
                        await asyncio.sleep(0.01)
        finally:
            loop.remove_reader(self._master)
        return bytes(heard)


class Phone:
    """What the port drives, its lines and the one it has: it says what it hears, in capitals. `happened`: its life."""

    def __init__(self) -> None:
        self.happened: asyncio.Queue[str] = asyncio.Queue()
        self.write: Callable[[bytes], None] = lambda octets: None
        self.rate: float | None = None

    def __call__(self, write: Callable[[bytes], None], close: Callable[[], None], pace: Callable[[], Pace]) -> "Phone":
        self.rate = pace().rate
        self.write = write
        self.happened.put_nowait("opened")
        return self

    def data_received(self, data: bytes) -> None:
        self.write(data.upper())

    def hang_up(self) -> None:
        self.happened.put_nowait("hung up")

    async def next(self) -> str:
        async with asyncio.timeout(PATIENCE):
            return await self.happened.get()


@pytest.fixture
def plug(tmp_path: Path) -> Plug:
    return Plug(tmp_path / "ttyUSB0")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that is away is looked for at once."""
    monkeypatch.setattr(port_module, "REOPEN_AFTER", 0.01)


@asynccontextmanager
async def served(plug: Plug) -> AsyncIterator[Phone]:
    """A phone at the plug's path; in the end it is switched off, and lets go of the port."""
    phone, opened = Phone(), asyncio.Event()
    serving = asyncio.create_task(serve_serial(str(plug.path), BAUD, cast("PhoneLines", phone), opened.set))
    await opened.wait()
    try:
        yield phone
    finally:
        assert not serving.done()
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


async def converse(plug: Plug) -> None:
    """The line carries octets both ways."""
    plug.say(b"hello")
    assert await plug.hear(5) == b"HELLO"


async def test_a_port_that_vanishes_is_hung_up_and_served_again_when_it_is_back(plug: Plug) -> None:
    plug.put_in()
    async with served(plug) as phone:
        for _ in range(3):
            assert await phone.next() == "opened"
            assert phone.rate == BAUD / 10
            await converse(plug)
            plug.pull()
            assert await phone.next() == "hung up"
            plug.put_in()
        assert await phone.next() == "opened"
        await converse(plug)
        assert phone.happened.empty()


async def test_octets_that_nobody_took_do_not_keep_a_port_that_vanished(
    plug: Plug, caplog: pytest.LogCaptureFixture
) -> None:
    plug.put_in()
    async with served(plug) as phone:
        assert await phone.next() == "opened"
        phone.write(bytes(FLOOD))
        await plug.hear(1)
        plug.pull()
        assert await phone.next() == "hung up"
        plug.put_in()
        assert await phone.next() == "opened"
        # Nothing of the earlier line comes over the new one.
        await converse(plug)
    assert caplog.messages == [], "that is no fault of the program"


async def test_what_is_said_to_a_line_that_is_gone_goes_nowhere(plug: Plug) -> None:
    plug.put_in()
    async with served(plug) as phone:
        assert await phone.next() == "opened"
        earlier = phone.write
        plug.pull()
        assert await phone.next() == "hung up"
        earlier(b"too late")
        plug.put_in()
        assert await phone.next() == "opened"
        earlier(b"too late")
        await converse(plug)


async def test_a_port_that_is_not_there_yet_is_served_when_it_comes(plug: Plug) -> None:
    async with served(plug) as phone:
        assert phone.happened.empty()
        plug.put_in()
        assert await phone.next() == "opened"
        await converse(plug)


async def test_a_port_that_another_program_has_is_served_when_that_one_lets_go(plug: Plug) -> None:
    plug.put_in()
    other = serial.Serial(str(plug.path), exclusive=True)
    async with served(plug) as phone:
        # It was tried, and tried again.
        await asyncio.sleep(5 * port_module.REOPEN_AFTER)
        assert phone.happened.empty()
        other.close()
        assert await phone.next() == "opened"
        await converse(plug)


async def test_a_phone_that_is_switched_off_lets_go_of_its_port(plug: Plug) -> None:
    plug.put_in()
    async with served(plug) as phone:
        assert await phone.next() == "opened"
        phone.write(bytes(FLOOD))
    assert await phone.next() == "hung up"
    serial.Serial(str(plug.path), exclusive=True).close()


async def ask_until_answered(plug: Plug) -> None:
    """V.250's sign of life, with echo. As computers do: again, if nobody was at the port when it was said."""
    answer = b"AT\r\r\nOK\r\n"
    async with asyncio.timeout(PATIENCE):
        while True:
            plug.say(b"AT\r")
            with suppress(TimeoutError):
                async with asyncio.timeout(0.2):
                    assert await plug.hear(len(answer)) == answer
                    return


def test_the_program_outlives_its_port(plug: Plug, tmp_path: Path) -> None:
    """`fob-device run`: the same process answers at a port that was unplugged and plugged in again."""
    state = tmp_path / "phone"
    make = (installed("fob-device"), "init", f"--state={state}", "--pins=-")
    subprocess.run(make, input=b"123456\n12345678\n", check=True, capture_output=True, timeout=PATIENCE)
    plug.put_in()
    with running(installed("fob-device"), "run", f"--state={state}", f"--port=serial:{plug.path}") as phone:
        asyncio.run(ask_until_answered(plug))
        plug.pull()
        plug.put_in()
        asyncio.run(ask_until_answered(plug))
        assert phone.is_running
    assert [line for line in phone.words.splitlines() if "is on" not in line] == []
