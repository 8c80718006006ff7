"""Two computers of one name: which of them asks is seen at once, also on what is open already."""

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from fob_device.approval.asking import Asking
from fob_device.pad.entry import PinEntry, PinUse
from fob_protocol.history.entry import computer_id, marked_name
from fob_protocol.pkcs11.constants import Cku
from support.chromium import keep_picture
from support.screen_scene import LOGIN, PC_KEY, Scene

pytestmark = pytest.mark.asyncio(loop_scope="session")

NAMESAKE = bytes(32)
MARKED = marked_name("me@pc", computer_id(PC_KEY))


async def test_an_open_question_says_which_computer_asks_as_soon_as_a_namesake_pairs(
    handset: Scene, page: Page, tmp_path: Path
) -> None:
    await handset.unlock()
    await page.goto(handset.address)
    await handset.ask(pc_key=PC_KEY)
    sheet = page.get_by_role("dialog", name="Log in to github.com")
    computer = sheet.get_by_role("definition").filter(has_text="me@pc")
    await expect(computer).to_have_text("me@pc")
    handset.phone.pair(NAMESAKE, "me@pc")
    await expect(computer).to_have_text(MARKED)
    await keep_picture(page, tmp_path, "namesake")
    assert MARKED in (await sheet.get_attribute("data-words") or "")
    handset.phone.unpair_computer(NAMESAKE)
    await expect(computer).to_have_text("me@pc")
    # It is the same question still.
    await sheet.get_by_role("button", name="Allow once").click()
    assert (await handset.asked[0]).is_yes


async def test_an_open_pad_says_it_too(handset: Scene, page: Page) -> None:
    await handset.unlock()
    await page.goto(handset.address)
    await handset.ask_pin(PinEntry(PinUse.KEY, Cku.USER, "me@pc", LOGIN, "work", handset.key, pc_key=PC_KEY))
    sheet = page.get_by_role("dialog", name="Type the PIN")
    await expect(sheet.get_by_text("me@pc asks for a PIN")).to_be_visible()
    handset.phone.pair(NAMESAKE, "me@pc")
    await expect(sheet.get_by_text(f"{MARKED} asks for a PIN")).to_be_visible()
    await expect(sheet.get_by_text(f"for ssh <- git <- zsh on {MARKED}")).to_be_visible()


async def test_what_waits_at_the_lock_screen_says_it_too(handset: Scene, page: Page) -> None:
    await handset.unlock()
    await handset.ask(pc_key=PC_KEY)
    await handset.post("lock")
    asking = Asking("me@pc", "log in", 0.0, lambda words: None, pc_key=PC_KEY)
    waiting = asyncio.ensure_future(handset.person.unlocked(asking))
    await page.goto(handset.address)
    await expect(page.get_by_role("link", name="2 requests from me@pc wait")).to_be_visible()
    handset.phone.pair(NAMESAKE, "me@pc")
    await expect(page.get_by_role("link", name=f"2 requests from {MARKED} wait")).to_be_visible()
    waiting.cancel()
