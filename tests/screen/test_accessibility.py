"""Whoever cannot see well, or uses no mouse, or gets sick of motion: every page, in both colour schemes."""

import asyncio

import pytest
from playwright.async_api import Browser, Page, expect

from fob_device.approval.asking import Asking
from support.accessibility import REFLOW, faults, runs_out
from support.chromium import NARROW, opened_page
from support.screen_scene import FORWARDED, LOGIN, PC_KEY, Scene

pytestmark = pytest.mark.asyncio(loop_scope="session")

PAGES = (
    "", "keys", "keys/{key}", "computers", f"computers/{PC_KEY.hex()}", f"computers/{PC_KEY.hex()}/unpair", "history",
    "settings?saved", "settings/pin?unequal", "over",
)  # fmt: skip

# Locked, and unlocked.
LOCKED_PAGES = ("", "unlock", "unlock?wrong")


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
            assert await runs_out(page) == [], path


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
