"""`make picture`: the README's picture. A real phone's page asks about a real `git commit`; the terminal is drawn."""

import argparse
import asyncio
import base64
import sys
import tempfile
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Final

from playwright.async_api import Browser, FloatRect, Page

from support.chromium import chromium, opened_page
from support.live_screen import LiveScreen, live_screen

PICTURE: Final = Path(__file__).parents[2] / "docs" / "pictures" / "screen.png"
# Octets: it is loaded with every look at the README.
PICTURE_LIMIT: Final = 200_000
PROMPT: Final = "me@pc:~/letter$"
KEY: Final = "work"
SCALE: Final = 1.6
# What the phone has around its box: rings and buttons.
EDGE: Final = 13.0

# The computer's real name is nobody's business.
FOBD: Final = "from fob_daemon import daemon, main; daemon.pc_name = lambda: 'me@pc'; main.main()"

_DRAWN: Final = """<!doctype html><meta charset="utf-8"><style>
  body {{ margin: 0; width: 1004px; height: 700px; display: flex; align-items: center; background: #e9ecf2; }}
  .terminal {{ width: 560px; margin: 0 34px 0 40px; border-radius: 14px; background: #171a22; color: #d8dce6; }}
  .bar {{ display: flex; gap: 8px; padding: 13px 16px; border-bottom: 1px solid #2b303c; }}
  .bar i {{ width: 12px; height: 12px; border-radius: 50%; background: #4a5060; }}
  pre {{ margin: 0; min-height: 300px; padding: 16px 18px 20px; white-space: pre-wrap; overflow-wrap: anywhere;
    font: 13.5px/1.55 "JetBrains Mono", "Cascadia Mono", "DejaVu Sans Mono", monospace; }}
  b {{ color: #6fdcc8; font-weight: 400; }}
  u {{ display: inline-block; width: 8px; height: 17px; vertical-align: -3px; background: #d8dce6; }}
  img {{ height: 676px; }}
</style><div class="terminal"><div class="bar"><i></i><i></i><i></i></div><pre>{lines}</pre></div>
<img alt="" src="data:image/png;base64,{phone}">"""

# What the README's picture does not need of the page: the desk around the phone, and the shadow on it.
_PHONE_ALONE: Final = """
  html, body { background: transparent !important; }
  .workbench { visibility: hidden; }
  .phone { box-shadow: inset 0 0 0 2px #000, 0 0 0 2px var(--body-edge), 0 0 0 5px var(--body), 0 0 0 6.5px #8c93a3; }
"""


@dataclass(slots=True)
class Terminal:
    """What was typed in it and what came out, as HTML."""

    screen: LiveScreen
    lines: list[str] = field(default_factory=list)

    async def run(self, command: str, page: Page | None = None) -> None:
        """A command to its end; with a page, its person allows what the phone asks."""
        shell = await self.start(command)
        if page is not None:
            await page.get_by_role("button", name="Allow once").click()
        output, errors = await shell.communicate()
        self.lines += [escape(line) for line in (errors + output).decode().splitlines()]

    async def start(self, command: str) -> asyncio.subprocess.Process:
        """A command of a shell that nobody started but init, as a terminal's."""
        self.lines.append(f"<b>{PROMPT}</b> {escape(command)}")
        return await self.screen.start("setsid", "--fork", "bash", "-c", f"{command}; true")


def make_picture(words: str, default: Path, make: Callable[[Path], bytes], limit: int = PICTURE_LIMIT) -> None:
    """The command line of a picture: `make(folder)`, written to the path given, or to where a document looks for it.

    `limit`: octets.
    """
    parser = argparse.ArgumentParser(prog="make picture", description=words)
    parser.add_argument("path", nargs="?", type=Path, default=default)
    path = parser.parse_args().path
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="fob-picture-") as folder:
        path.write_bytes(make(Path(folder)))
    size = path.stat().st_size
    print(f"{path}: {size} octets")
    if size > limit:
        sys.exit(f"more than {limit}")


def make(folder: Path) -> bytes:
    """A phone that is asked by git."""
    with live_screen(folder, fobd=FOBD) as screen:
        return asyncio.run(commit(screen))


async def commit(screen: LiveScreen) -> bytes:
    """Commit once, show that it was signed, and wait in front of the next question."""
    async with AsyncExitStack() as stack:
        browser = await stack.enter_async_context(chromium())
        page = await stack.enter_async_context(opened_page(browser, has_policy=False, scale=SCALE))
        await screen.unlock(page)
        terminal = Terminal(screen)
        await asyncio.to_thread(prepare, screen)
        await terminal.run("git commit -S -m 'Dear Ada'", page)
        await page.get_by_role("dialog").wait_for(state="detached")
        await terminal.run("git log --show-signature --format=%s")
        await asyncio.to_thread(change_letter, screen)
        waiting = await terminal.start("git commit -S -m 'Yours, Grace'")
        await page.get_by_role("button", name="Allow once").and_(page.get_by_role("button", disabled=False)).wait_for()
        phone = await photograph(page)
        await page.get_by_role("button", name="Deny").click()
        await waiting.communicate()
        return await draw(browser, terminal.lines, phone)


def prepare(screen: LiveScreen) -> None:
    """A repository whose commits are signed by a key of the phone, and a person who trusts it."""
    live = screen.live
    live.run("fob", "keys", "new", "--type", "ed25519", "--label", KEY, "--id", "77")
    key = live.ssh_key(KEY).read_text().strip()
    (live.folder / "trusted").write_text(f"me@example.org {key}\n")
    live.run("git", "init", "-q")
    for name, value in {
        "user.name": "Me",
        "user.email": "me@example.org",
        "gpg.format": "ssh",
        "user.signingkey": f"key::{key}",
        "gpg.ssh.allowedSignersFile": str(live.folder / "trusted"),
        "log.showSignature": "false",
    }.items():
        live.run("git", "config", name, value)
    change_letter(screen)


def change_letter(screen: LiveScreen) -> None:
    """Something to commit."""
    with (screen.live.folder / "letter").open("a") as letter:
        letter.write("The phone signs.\n")
    screen.live.run("git", "add", "letter")


async def photograph(page: Page) -> bytes:
    """The phone alone, on nothing."""
    box = await page.get_by_role("main").bounding_box()
    assert box is not None
    clip: FloatRect = {
        "x": box["x"] - EDGE,
        "y": box["y"] - EDGE,
        "width": box["width"] + 2 * EDGE,
        "height": box["height"] + 2 * EDGE,
    }
    return await page.screenshot(style=_PHONE_ALONE, clip=clip, omit_background=True, animations="disabled")


async def draw(browser: Browser, lines: list[str], phone: bytes) -> bytes:
    """The terminal as it would look, and the phone beside it."""
    html = _DRAWN.format(lines="\n".join(lines) + "\n<u></u>", phone=base64.b64encode(phone).decode())
    async with opened_page(browser, size=(1004, 700), scale=SCALE) as page:
        await page.set_content(html)
        return await page.screenshot()


if __name__ == "__main__":
    make_picture(__doc__, PICTURE, make)
