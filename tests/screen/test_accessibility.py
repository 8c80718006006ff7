"""Whoever cannot see well, or uses no mouse, or gets sick of motion: every page, in both colour schemes."""

import asyncio
import re

import pytest
from playwright.async_api import Browser, Page, expect

from fob_device.approval.asking import Asking
from support.chromium import NARROW, opened_page
from support.screen_scene import FORWARDED, LOGIN, PC_KEY, Scene

pytestmark = pytest.mark.asyncio(loop_scope="session")

PAGES = (
    "", "keys", "keys/{key}", "computers", f"computers/{PC_KEY.hex()}", f"computers/{PC_KEY.hex()}/unpair", "history",
    "settings?saved", "settings/pin?unequal", "over",
)  # fmt: skip

NAMELESS = re.compile(r"- (button|link|textbox|radio|spinbutton|combobox|checkbox|dialog|region|img|group)(:|$)")

# WCAG 2.2, success criteria 1.4.3 and 1.4.10.
CONTRAST = 4.5
REFLOW = (320, 640)

# Every text with the colours that the browser computed for it and for what lies behind it. A wallpaper is a picture:
# its lightest colour stands for it.
COLOURS = """() => {
  const parse = (text) => {
    const n = text.match(/[\\d.]+/g).map(Number);
    const most = text.startsWith("color(srgb") ? 1 : 255;
    return [...n.slice(0, 3).map((c) => (c * 255) / most), n[3] ?? 1];
  };
  const over = ([r, g, b, a], below) => [r, g, b].map((c, i) => c * a + below[i] * (1 - a));
  const ground = (element) => {
    if (!element) return [255, 255, 255];
    if (element.matches(".wallpaper")) return [11, 92, 85];
    return over(parse(getComputedStyle(element).backgroundColor), ground(element.parentElement));
  };
  const light = (rgb) => rgb.map((c) => c / 255).map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode()); ) {
    const element = node.parentElement;
    if (!node.data.trim() || !element.checkVisibility()) continue;
    if (element.closest("[inert], .visually-hidden, option")) continue;
    const below = element.closest(".on-wallpaper") ? [11, 92, 85] : ground(element);
    const [a, b] = [light(over(parse(getComputedStyle(element).color), below)), light(below)].sort((x, y) => y - x);
    found.push([node.data.trim(), (a + 0.05) / (b + 0.05)]);
  }
  return found;
}"""


# Locked, and unlocked.
LOCKED_PAGES = ("", "unlock", "unlock?wrong")


async def faults(page: Page) -> list[str]:
    """What is wrong with a page, in both colour schemes."""
    found = []
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        texts = await page.evaluate(COLOURS)
        assert texts
        found += [f"{scheme}: '{text}' stands out by {ratio:.2f} only" for text, ratio in texts if ratio < CONTRAST]
    lines = (await page.locator("body").aria_snapshot()).splitlines()
    found += [f"no name: {line}" for line in lines if NAMELESS.search(line)]
    if await page.get_by_role("heading", level=1).count() != 1:
        found.append("not one heading of the first level")
    return found


async def test_every_page_can_be_read_and_named(handset: Scene, page: Page) -> None:
    found = {}
    for path in LOCKED_PAGES:
        await page.goto(handset.address + path)
        found[f"locked {path}"] = await faults(page)
    await handset.unlock()
    for path in PAGES:
        await page.goto(handset.address + path.format(key=handset.key))
        found[path] = await faults(page)
    for caller in (FORWARDED, LOGIN):
        await handset.ask(caller)
        await expect(page.get_by_role("button", name="Deny")).to_be_enabled()
        found[f"sheet {caller.host}"] = await faults(page)
        await page.get_by_role("button", name="Deny").click()
        await expect(page.get_by_role("dialog")).to_have_count(0)
    assert {path: texts for path, texts in found.items() if texts} == {}


async def test_nothing_runs_out_of_a_small_screen(handset: Scene, browser: Browser) -> None:
    async with opened_page(browser, size=REFLOW) as page:
        await handset.unlock()
        for path in PAGES:
            await page.goto(handset.address + path.format(key=handset.key))
            wide = "[...document.querySelectorAll('main *')].filter(e => e.scrollWidth > e.clientWidth + 1"
            wide += " && getComputedStyle(e).overflowX != 'visible').map(e => e.className)"
            assert await page.evaluate(wide) == [], path
            assert await page.evaluate("document.documentElement.scrollWidth") == REFLOW[0], path


@pytest.mark.parametrize("is_calm", [True, False])
async def test_nothing_moves_for_who_wants_no_motion(handset: Scene, browser: Browser, is_calm: bool) -> None:
    async with opened_page(browser, size=NARROW, is_calm=is_calm) as page:
        await page.goto(f"{handset.address}unlock")
        await page.get_by_role("textbox", name="PIN").fill("9999")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("alert")).to_be_visible()
        style = await page.get_by_role("textbox", name="PIN").evaluate("e => getComputedStyle(e).animationName")
        assert style == ("none" if is_calm else "shake")


async def test_what_happens_is_said(handset: Scene, page: Page) -> None:
    """Not what was there when the page was opened, and each thing once."""
    await page.goto(handset.address)
    said = page.get_by_role("status")
    await expect(said).to_have_text("")
    asking = Asking("me@pc", "log in", 0.0, lambda words: None)
    waiting = asyncio.ensure_future(handset.person.unlocked(asking))
    await expect(said).to_have_text("1 request from me@pc waits")
    waiting.cancel()
