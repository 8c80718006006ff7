"""`make picture`: the page about the back office for docs/device.md, of a real phone that a real office configured."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from playwright.async_api import expect

from fob_daemon.demo.links import SerialLink
from fob_daemon.demo.office import HARDWARE, DemoOffice
from fob_daemon.demo.run import switch_on_and_pair
from fob_daemon.demo.scratch import Scratch
from screen.picture import FOBD, make_picture, photograph
from support.chromium import chromium, opened_page
from support.live import Live
from support.live_screen import LiveScreen, ScreenProcesses

PICTURE: Final = Path(__file__).parents[2] / "docs" / "pictures" / "office.png"
# Of what the demo's phone was ordered with; its newer version is another profile.
UPGRADED: Final = "customer-profile"
_PROFILE: Final = '{"name": "Ada"}\n'


def make(folder: Path) -> bytes:
    """Office, order, phone and daemon as in `fob demo --tour office`; then there is an upgrade."""
    scratch, link = Scratch.in_folder(folder), SerialLink()
    processes = ScreenProcesses(scratch, link)
    processes.fobd = FOBD
    with processes:
        office = DemoOffice(processes, lambda words: None)
        scratch.write_files(link.configuration(scratch) + office.found())
        processes.make_phone()
        office.make_and_order()
        switch_on_and_pair(processes, lambda words: None)
        office.await_configured()
        live = Live(scratch, processes)
        release(live)
        processes.give_screen()
        live.await_state("ready")
        return asyncio.run(look(LiveScreen(live, processes)))


def release(live: Live) -> None:
    """The office has a newer version of one component."""
    profile = live.folder / "profile.json"
    profile.write_text(_PROFILE)
    live.run(
        "fob-office", "component", "add", str(profile), "--id", UPGRADED, "--version", "1.1.0", "--kind", "data",
        "--title", "Customer profile", "--hardware", HARDWARE, "--state", str(live.scratch.office),
    )  # fmt: skip


async def look(screen: LiveScreen) -> bytes:
    """The person looks for upgrades."""
    async with AsyncExitStack() as stack:
        browser = await stack.enter_async_context(chromium())
        page = await stack.enter_async_context(opened_page(browser, has_policy=False))
        await screen.unlock(page)
        await page.get_by_role("link", name="Office").click()
        await page.get_by_role("button", name="Look for upgrades").click()
        await expect(page.get_by_role("region", name="Upgrades")).to_be_visible()
        await page.get_by_role("button", name="Look for upgrades").wait_for()
        await page.mouse.move(0, 0)
        return await photograph(page)


if __name__ == "__main__":
    make_picture(__doc__, PICTURE, make)
