"""A phone with a screen and a daemon as programs, paired, with keys; and its page in a browser."""

import asyncio
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from playwright.async_api import Page

from fob_daemon.demo.processes import program
from fob_daemon.demo.run import set_up
from fob_daemon.demo.scratch import Scratch
from support.cheap_phone import CheapProcesses
from support.chromium import PATIENCE
from support.live import LINGER, LINKS, SERIAL, Live
from support.required import check_program

_ADDRESS: Final = re.compile(rb"the screen is at (http://\S+)")


class ScreenProcesses(CheapProcesses):
    """As a demo's, but that from `give_screen` on the phone obeys whoever looks at its page."""

    has_screen = False
    # Python that runs the daemon; its own program by default.
    fobd = ""

    def start_phone(self) -> None:
        """Switch the phone on; returns when its line is there, and its page."""
        if not self.has_screen:
            super().start_phone()
            return
        arguments = ["run", "--state", str(self.scratch.phone), "--port", self.link.port(self.scratch), "--screen"]
        self.start("phone", program("fob-device", *arguments))

    def start_daemon(self) -> None:
        """Start fobd; returns when its sockets listen."""
        if not self.fobd:
            super().start_daemon()
            return
        self.start("fobd", (sys.executable, "-c", self.fobd, "--config", str(self.scratch.config)))

    def give_screen(self) -> None:
        """Start the phone anew, with a screen."""
        self.kill_phone()
        self.has_screen = True
        self.start_phone()

    @property
    def address(self) -> str:
        """Where the page is, by what the phone printed at its start."""
        found = _ADDRESS.search((self.scratch.folder / "phone.log").read_bytes())
        assert found is not None
        return found[1].decode()


@dataclass(slots=True)
class Done:
    """How a program ended."""

    status: int
    output: str
    errors: str


@dataclass(slots=True)
class LiveScreen:
    """Programs and page of one phone."""

    live: Live
    processes: ScreenProcesses

    @property
    def address(self) -> str:
        """Where the page is."""
        return self.processes.address

    @property
    def pin(self) -> str:
        """The user's."""
        return self.live.scratch.user_pin

    async def start(self, *command: str, **more: str) -> asyncio.subprocess.Process:
        """A client that may wait for the person; `more` goes into its environment."""
        check_program(command[0])
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(
            *command, stdin=pipe, stdout=pipe, stderr=pipe, env=self.live.environment | more, cwd=self.live.folder
        )

    def configure(self, old: str, new: str) -> None:
        """Start the daemon anew with other lines in its configuration."""
        config = self.live.scratch.config
        config.write_text(config.read_text().replace(old, new))
        self.live.restart_daemon()
        self.live.await_state("ready")

    async def unlock(self, page: Page) -> None:
        """Look at the phone, and type the PIN if it is locked."""
        await page.goto(self.address)
        locked, home = page.get_by_role("link", name="Unlock", exact=True), page.get_by_role("heading", name="Home")
        await locked.or_(home).wait_for()
        if await home.is_visible():
            return
        await locked.click()
        await page.get_by_role("textbox", name="PIN").fill(self.pin)
        await page.keyboard.press("Enter")
        await home.wait_for()


async def ended(process: asyncio.subprocess.Process) -> Done:
    """When a client is done."""
    output, errors = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert process.returncode is not None
    return Done(process.returncode, output.decode(), errors.decode())


@contextmanager
def live_screen(folder: Path, configuration: str = "", fobd: str = "") -> Iterator[LiveScreen]:
    """Started and paired by a rule; then whoever looks at the page is the phone's person, and the phone is locked.

    `configuration`: more lines of the daemon's. `fobd`: Python that runs it, if not its program does.
    """
    link = LINKS[SERIAL]
    scratch = Scratch.in_folder(folder)
    scratch.write_files(link.configuration(scratch))
    with scratch.config.open("a") as file:
        file.write(f"[timeouts]\nlogout_linger = {LINGER}\n{configuration}")
    processes = ScreenProcesses(scratch, link)
    processes.fobd = fobd
    with processes:
        set_up(processes, lambda words: None)
        processes.give_screen()
        live = Live(scratch, processes)
        live.await_state("ready")
        yield LiveScreen(live, processes)
