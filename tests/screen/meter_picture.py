"""`make picture`: the phone's page about its meter beside a label that it paid for, by a real data centre."""

import asyncio
import base64
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from playwright.async_api import Browser

from fob_daemon.demo.links import SerialLink
from fob_daemon.demo.metering import METER_OPTIONS, TERMS, person
from fob_daemon.demo.office import DemoOffice
from fob_daemon.demo.run import switch_on_and_pair
from fob_daemon.demo.scratch import Scratch
from screen.picture import FOBD, make_picture, photograph
from support.chromium import chromium, opened_page
from support.live import Live
from support.live_screen import LiveScreen, ScreenProcesses

PICTURE: Final = Path(__file__).parents[2] / "docs" / "pictures" / "meter.png"
_DRAWN: Final = """<!doctype html><style>
  body {{ margin: 0; width: 1004px; height: 700px; display: flex; align-items: center; background: #e9ecf2; }}
  .label {{ width: 540px; margin: 0 44px 0 50px; background: #fff; box-shadow: 0 2px 14px #0003; }}
  .phone {{ height: 676px; }}
</style><img class="label" alt="" src="data:image/svg+xml;base64,{label}">
<img class="phone" alt="" src="data:image/png;base64,{phone}">"""


def make(folder: Path) -> bytes:
    """As in `fob demo --tour meter`, up to the first letter; then there is a screen."""
    scratch, link = Scratch.in_folder(folder), SerialLink()
    processes = ScreenProcesses(scratch, link)
    processes.fobd = FOBD
    with processes:
        office = DemoOffice(processes, lambda words: None, METER_OPTIONS)
        scratch.write_files(link.configuration(scratch) + office.found_with_centre(*TERMS), person())
        processes.make_phone()
        office.make_and_order()
        switch_on_and_pair(processes, lambda words: None)
        office.await_configured()
        live = Live(scratch, processes)
        live.run("fob", "meter", "sign-up", "ada", "--origin", "20457")
        live.run("fob", "meter", "refill", "20")
        live.run(
            "fob", "meter", "frank", "--to", "10115", "--address", "Grace Hopper, Invalidenstr. 117, 10115 Berlin",
            "--weight", "20", "--output", "labels",
        )  # fmt: skip
        (label,) = (live.folder / "labels").glob("*.svg")
        processes.give_screen()
        live.await_state("ready")
        return asyncio.run(look(LiveScreen(live, processes), label.read_bytes()))


async def look(screen: LiveScreen, label: bytes) -> bytes:
    """The person looks at the meter."""
    async with AsyncExitStack() as stack:
        browser = await stack.enter_async_context(chromium())
        page = await stack.enter_async_context(opened_page(browser, has_policy=False))
        await screen.unlock(page)
        await page.get_by_role("link", name="Meter").click()
        await page.get_by_role("heading", name="Meter", exact=True).wait_for()
        await page.mouse.move(0, 0)
        return await draw(browser, await photograph(page), label)


async def draw(browser: Browser, phone: bytes, label: bytes) -> bytes:
    """Both, beside each other."""
    images = {"phone": base64.b64encode(phone).decode(), "label": base64.b64encode(label).decode()}
    page = await browser.new_page(viewport={"width": 1004, "height": 700})
    await page.set_content(_DRAWN.format(**images))
    return await page.screenshot()


if __name__ == "__main__":
    make_picture(__doc__, PICTURE, make)
