"""`fob monitor` as a program: events for a script, lines for a pipe, a live screen that is gone without a trace."""

import asyncio
import fcntl
import json
import os
import re
import signal
import struct
import subprocess
import termios
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from cli.fob_program import FOB, FobProgram
from control.fake_daemon import FakeDaemon, log_entry
from control.fake_phone import FakePhone
from fob_daemon.control.grant_reports import Granted, Revoked
from fob_daemon.control.interface import Ask, DeviceChange, Settled
from fob_daemon.control.limits import MAX_EVENTS_WAITING
from fob_daemon.control.office_reports import OptionsChange, Progress, Relayed
from fob_daemon.device.grants import Grant

WORDS = "log in to github.com with 'work' for ssh <- zsh on me@pc"
ENTER, LEAVE = "\x1b[?1049h", "\x1b[?1049l"


@asynccontextmanager
async def following(fob: FobProgram, daemon: FakeDaemon, *arguments: str) -> AsyncIterator[asyncio.StreamReader]:
    """The output of `fob monitor` that hears of all that happens from here on."""
    process = await fob.start(*arguments, "monitor")
    assert process.stdout is not None
    await daemon.followers.get()
    yield process.stdout
    process.terminate()
    await process.communicate()


async def test_for_a_script_an_event_a_line(fob: FobProgram, daemon: FakeDaemon, phone: FakePhone) -> None:
    async with following(fob, daemon, "--json") as out:
        daemon.announce(Ask("pixel", WORDS, 60.0, 7))
        daemon.announce(Settled("pixel", 7))
        daemon.announce(log_entry(1))
        found = [json.loads(await out.readline()) for _ in range(3)]
    assert found[0] == {"event": "ask", "data": {"device": "pixel", "words": WORDS, "seconds": 60.0, "request": 7}}
    assert found[1] == {"event": "settled", "data": {"device": "pixel", "request": 7}}
    assert (found[2]["event"], found[2]["data"]["sequence"]) == ("log", 1)


async def test_into_a_pipe_lines_for_a_person(fob: FobProgram, daemon: FakeDaemon, phone: FakePhone) -> None:
    async with following(fob, daemon) as out:
        for event in (
            Ask("pixel", f"{WORDS}\x1b[2J", 60.0, 7),
            Settled("pixel", 7),
            Granted("pixel", 1, 300, WORDS),
            Revoked("pixel", 1),
            Revoked("pixel", 0),
            DeviceChange(daemon.devices["pixel"]),
            log_entry(1),
        ):
            daemon.announce(event)
        found = [(await out.readline()).decode() for _ in range(7)]
    assert all(re.match(r"\d\d:\d\d:\d\d  ", line) for line in found)
    assert [line[10:].rstrip() for line in found] == [
        f"ask       pixel  {WORDS}\ufffd[2J (60 s)",
        "settled   pixel",
        f"granted   pixel  number 1 for 300 s: {WORDS}",
        "revoked   pixel  number 1",
        "revoked   pixel  all",
        "device    pixel  ready  serial:/dev/ttyUSB7?baud=115200",
        "log       pixel  log in to github.com with 'mail' for ssh <- git <- zsh  OK  12 ms",
    ]


async def test_the_back_office_in_lines_and_on_the_screen(
    fob: FobProgram, daemon: FakeDaemon, phone: FakePhone
) -> None:
    heard = (
        Relayed("pixel", "content", "rates", 3, 40, "answered", "", 0.25),
        Relayed("pixel", "session", "", 0, 0, "unreachable", "it hung up", 0.1),
        Progress("pixel", "rates\x1b[2J", 4, 40),
        OptionsChange("pixel", 4),
    )
    async with following(fob, daemon) as out:
        for event in heard:
            daemon.announce(event)
        found = [(await out.readline()).decode()[10:].rstrip() for _ in heard]
    assert found == [
        "relay     pixel  content  rates 3/40  answered  250 ms",
        "relay     pixel  session  unreachable  100 ms  it hung up",
        "progress  pixel  rates\ufffd[2J 4/40",
        "options   pixel  set 4 runs",
    ]
    async with live(fob) as screen:
        await screen.until("no device" if not daemon.devices else "pixel")
        daemon.announce(heard[2])
        await screen.until("Back office")
        await screen.until("██······················  10 %  rates\ufffd[2J")
        daemon.announce(heard[1])
        await screen.until("it hung up")


async def test_a_question_that_is_open_already_is_told(fob: FobProgram, daemon: FakeDaemon, phone: FakePhone) -> None:
    daemon.asked = [Ask("pixel", WORDS, 42.0, 7)]
    async with following(fob, daemon) as out:
        assert (await out.readline()).decode()[10:].rstrip() == f"ask       pixel  {WORDS} (42 s)"
    async with live(fob) as screen:
        await screen.until("log in to github.com with 'work'")


async def test_who_reads_too_slowly_loses_events_and_hears_how_many(
    fob: FobProgram, daemon: FakeDaemon, phone: FakePhone
) -> None:
    many = 20 * MAX_EVENTS_WAITING
    async with following(fob, daemon, "--json") as out:
        for number in range(many):
            daemon.announce(Ask("pixel", "w" * 500, 60.0, number))
            if number % 16 == 0:
                await asyncio.sleep(0)
        # Read nothing until all pipes are full.
        await asyncio.sleep(0.5)
        heard, lost = 0, 0
        while heard + lost < many:
            event = json.loads(await out.readline())
            heard, lost = (heard, lost + event["data"]["count"]) if event["event"] == "lost" else (heard + 1, lost)
    assert heard + lost == many
    assert lost > 0


async def test_without_a_daemon(lonely_fob: FobProgram) -> None:
    assert (await lonely_fob("monitor")).code == 3
    assert (await lonely_fob("monitor", "--json")).code == 3
    async with live(lonely_fob) as screen:
        assert await screen.ended() == 3
        assert ENTER not in screen.output


async def test_ctrl_c_is_how_it_ends(fob: FobProgram, daemon: FakeDaemon) -> None:
    process = await fob.start("monitor")
    await daemon.followers.get()
    process.send_signal(signal.SIGINT)
    out, err = await process.communicate()
    assert (process.returncode, out, err) == (130, b"", b"")


@dataclass
class LiveScreen:
    """`fob monitor` on a terminal of its own."""

    process: asyncio.subprocess.Process
    master: int
    slave: int
    before: list[object]
    output: str = ""

    @property
    def frame(self) -> list[str]:
        """What stands on the screen: the last whole frame, without colours."""
        frames: list[str] = re.findall(r"\x1b\[\?2026h\x1b\[H(.*?)\x1b\[\?2026l", self.output, re.DOTALL)
        plain = re.sub(r"\x1b\[[0-9;]*m", "", frames[-1]) if frames else ""
        return [line.rstrip() for line in plain.split("\r\n")]

    async def until(self, text: str) -> None:
        """Some line of the frame holds a text."""
        async with asyncio.timeout(20):
            while not any(text in line for line in self.frame):
                await self.read()

    async def read(self) -> None:
        """A moment, and what was written by then."""
        await asyncio.sleep(0.02)
        while True:
            try:
                self.output += os.read(self.master, 65_536).decode()
            except (BlockingIOError, OSError):
                return

    def resize(self, columns: int, rows: int) -> None:
        """The person pulls at the window."""
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.process.send_signal(signal.SIGWINCH)

    def type(self, keys: bytes) -> None:
        os.write(self.master, keys)

    async def ended(self) -> int:
        """The exit status."""
        async with asyncio.timeout(20):
            code = await self.process.wait()
        await self.read()
        return code

    def is_as_before(self) -> bool:
        """The screen was left, the cursor is seen, lines wrap, and typed keys are echoed."""
        order = [self.output.index(ENTER), self.output.rindex("\x1b[?7h"), self.output.rindex("\x1b[?25h")]
        return sorted(order) == order and self.output.endswith(LEAVE) and termios.tcgetattr(self.slave) == self.before


@asynccontextmanager
async def live(fob: FobProgram) -> AsyncIterator[LiveScreen]:
    master, slave = os.openpty()
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    os.set_blocking(master, False)
    before = termios.tcgetattr(slave)
    process = await asyncio.create_subprocess_exec(
        *FOB, "monitor", stdin=slave, stdout=slave, stderr=slave, env=fob.variables(), start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    screen = LiveScreen(process, master, slave, before)
    try:
        yield screen
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        os.close(master)
        os.close(slave)


async def test_the_live_screen(fob: FobProgram, daemon: FakeDaemon, phone: FakePhone) -> None:
    phone.grants = [Grant(3, 300, "sign a git commit")]
    daemon.entries = [log_entry(1)]
    async with live(fob) as screen:
        await screen.until("nothing waits for you")
        await screen.until("sign a git commit")
        await screen.until("log in to github.com")
        assert len(screen.frame) == 24
        daemon.announce(Ask("pixel", WORDS, 60.0, 7))
        await screen.until("log in to github.com with 'work' for ssh")
        daemon.announce(Revoked("pixel", 3))
        daemon.announce(Settled("pixel", 7))
        await screen.until("nothing waits for you")
        assert not any("git commit" in line for line in screen.frame)

        screen.type(b"x\x1a")
        screen.resize(60, 10)
        await screen.until("nothing waits for you")
        async with asyncio.timeout(20):
            while len(screen.frame) != 10 or max(map(len, screen.frame)) > 60:
                await screen.read()
        screen.type(b"\x03")
        assert (await screen.ended(), screen.is_as_before()) == (130, True)


@pytest.mark.parametrize(("how", "code"), [("q", 0), (signal.SIGTERM, 130), (signal.SIGHUP, 130)])
async def test_however_it_ends_the_terminal_is_as_before(
    fob: FobProgram, daemon: FakeDaemon, phone: FakePhone, how: str | signal.Signals, code: int
) -> None:
    async with live(fob) as screen:
        await screen.until("ready")
        if isinstance(how, str):
            screen.type(how.encode())
        else:
            screen.process.send_signal(how)
        assert (await screen.ended(), screen.is_as_before()) == (code, True)


async def test_without_colours(fob: FobProgram, daemon: FakeDaemon, phone: FakePhone) -> None:
    fob.environment["NO_COLOR"] = "1"
    async with live(fob) as screen:
        await screen.until("ready")
        assert not re.search(r"\x1b\[[0-9;]+m", screen.output)


async def test_a_frame_is_written_once(fob: FobProgram, daemon: FakeDaemon, phone: FakePhone) -> None:
    """Nothing changes: nothing is written, so nothing flickers."""
    async with live(fob) as screen:
        await screen.until("ready")
        await asyncio.sleep(1.5)
        await screen.read()
        written = len(screen.output)
        await asyncio.sleep(2.5)
        await screen.read()
        assert len(screen.output) == written


def test_the_live_view_is_loaded_for_its_own_command_only() -> None:
    loaded = (
        "import sys, fob_daemon.cli.main, fob_daemon.cli.devices; print([m for m in sys.modules if 'watching' in m])"
    )
    assert subprocess.check_output([FOB[0], "-c", loaded], text=True) == "[]\n"
