"""Pads on small screens: with warnings, at the last try, for the longest names, and when no PIN helps any more."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from fob_device.pad.entry import PinEntry, PinUse
from fob_device.token.pins import TRIES
from fob_protocol.caller import HOST_SIZE, Caller, Purpose
from fob_protocol.pkcs11.constants import Cku
from support.chromium import NARROW, keep_picture, opened_page
from support.screen_scene import FORWARDED, LOGIN, PIN, Scene

pytestmark = pytest.mark.asyncio(loop_scope="session")

SMALL = (320, 568)
# By the words of the warning, if there is one.
PADS = {
    "": PinEntry(PinUse.KEY, Cku.USER, "me@pc", LOGIN, "work"),
    "Forwarded from another machine.": PinEntry(PinUse.KEY, Cku.USER, "me@pc", FORWARDED, "work"),
    "Every key on this phone will be gone.": PinEntry(PinUse.ERASE, Cku.SO, "me@pc", new_label="a new name"),
}
LAST_TRY = "Wrong PIN, 1 try left, then the PIN is blocked"

# What scrolls in the sheet, and what lies over the middle of something to read or to tap.
HIDDEN = """sheet => {
  const all = [sheet, ...sheet.querySelectorAll("*")];
  const cut = all.filter((e) => getComputedStyle(e).overflowY === "auto" && e.scrollHeight > e.clientHeight);
  const covered = [...sheet.querySelectorAll("p, h2, b, input:not([type=hidden]), button")].filter((e) => {
    if (!e.checkVisibility() || e.matches(":empty:not(input)")) return false;
    const { left, top, width, height } = e.getBoundingClientRect();
    const there = document.elementFromPoint(left + width / 2, top + height / 2);
    return !e.contains(there);
  });
  return [...cut, ...covered].map((e) => `${e.localName}.${e.className} ${e.textContent.slice(0, 30)}`);
}"""


@pytest.mark.parametrize("size", [SMALL, NARROW])
@pytest.mark.parametrize("warning", PADS)
async def test_the_last_try_is_all_in_sight_with_its_warning_and_the_pad(
    handset: Scene, browser: Browser, tmp_path: Path, size: tuple[int, int], warning: str
) -> None:
    entry = PADS[warning]
    async with opened_page(browser, size=size) as page:
        await handset.unlock()
        await page.goto(handset.address)
        typed = await handset.ask_pin(entry)
        [sheet] = handset.person.visible_sheets
        for _ in range(TRIES[entry.user] - 1):
            await handset.person.type_pin(sheet.id, b"000000")
        shown = page.get_by_role("dialog", name="Type the")
        await expect(shown.get_by_role("alert")).to_have_text(LAST_TRY)
        await expect(shown.get_by_role("button", name="Cancel")).to_be_enabled()
        await keep_picture(page, tmp_path, f"last-try-{entry.use.name}-{warning[:5]}-{size[0]}".lower())
        await in_sight(page, LAST_TRY, "To ", *filter(None, [warning]))
        assert await shown.evaluate(HIDDEN) == []
        if entry.user is Cku.USER:
            for digit in PIN:
                await shown.get_by_role("button", name=digit, exact=True).click()
            await shown.get_by_role("button", name="OK").click()
            assert await typed == PIN.encode()


async def test_what_is_too_long_for_a_pad_scrolls_above_it(handset: Scene, browser: Browser, tmp_path: Path) -> None:
    programs = tuple(f"a-program-with-a-long-name-{number}" for number in range(8))
    caller = Caller(programs, Purpose.LOGIN, host="h" * HOST_SIZE, is_forwarded=True)
    async with opened_page(browser, size=SMALL) as page:
        await handset.unlock()
        await page.goto(handset.address)
        await handset.ask_pin(PinEntry(PinUse.KEY, Cku.USER, "x" * 64, caller, "W" * 64))
        sheet = page.get_by_role("dialog", name="Type the PIN")
        await expect(sheet.get_by_role("button", name="Cancel")).to_be_enabled()
        await keep_picture(page, tmp_path, "pad-long")
        await in_sight(page, "Forwarded from another machine.")
        purpose = sheet.get_by_text("To log in to")
        await purpose.evaluate("element => element.scrollIntoView({ block: 'end' })")
        await keep_picture(page, tmp_path, "pad-long-end")
        field = await sheet.get_by_role("textbox", name="PIN").bounding_box()
        words = await purpose.bounding_box()
        assert field is not None
        assert words is not None
        assert words["y"] + words["height"] <= field["y"]
        await in_sight(page)


@pytest.mark.parametrize("size", [SMALL, NARROW])
async def test_a_blocked_phone_says_what_helps_and_shows_no_pad(
    handset: Scene, browser: Browser, tmp_path: Path, size: tuple[int, int]
) -> None:
    async with opened_page(browser, size=size) as page:
        for _ in range(TRIES[Cku.USER]):
            await handset.post("unlock", {"pin": "000000"})
        await page.goto(f"{handset.address}unlock")
        await expect(page.get_by_role("heading", name="PIN blocked")).to_be_in_viewport(ratio=1)
        command = page.get_by_text("pkcs11-tool --login --login-type so --init-pin").last
        await expect(command).to_be_in_viewport(ratio=1)
        await expect(page.get_by_role("textbox")).to_have_count(0)
        await keep_picture(page, tmp_path, f"blocked-{size[0]}")
        await page.get_by_role("link", name="Back").click()
        await expect(page.get_by_role("heading", name="Locked, 12:00")).to_be_visible()


async def in_sight(page: Page, *texts: str) -> None:
    """All of the pad and the time that is left, and some texts of the sheet."""
    sheet = page.get_by_role("dialog")
    for element in (
        sheet.get_by_role("timer"),
        sheet.get_by_role("textbox", name="PIN"),
        *await sheet.get_by_role("button").all(),
        *(sheet.get_by_text(text).first for text in texts),
    ):
        await expect(element).to_be_in_viewport(ratio=1)
