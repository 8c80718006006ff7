"""More to read than fits, more windows than are kept fresh; and a phone that nobody has paired yet."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from fob_device.pad.entry import PinEntry, PinUse
from fob_device.screen.web.limits import STREAMS_LIMIT
from fob_protocol.caller import HOST_SIZE, NAMESPACE_SIZE, Caller, Purpose
from fob_protocol.pkcs11.constants import Cku
from support.chromium import NARROW, WIDE, keep_picture, opened_page
from support.screen_scene import LOGIN, PC_KEY, Scene

pytestmark = pytest.mark.asyncio(loop_scope="session")

SIZES = ((1200, 900), (360, 640), (320, 568))
PROGRAMS = tuple(f"a-program-with-a-long-name-{number}" for number in range(8))
LONG = {
    "signature": Caller(PROGRAMS, Purpose.SIGNATURE, namespace="N" * (NAMESPACE_SIZE + 1)),
    "login": Caller(PROGRAMS, Purpose.LOGIN, host="h" * (HOST_SIZE + 1)),
    "forwarded": Caller(PROGRAMS, Purpose.LOGIN, host="h" * (HOST_SIZE + 1), is_forwarded=True),
}
LABEL = "W" * 100


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("what", LONG)
async def test_both_answers_are_in_sight_however_long_the_texts(
    handset: Scene, browser: Browser, tmp_path: Path, size: tuple[int, int], what: str
) -> None:
    async with opened_page(browser, size=size) as page:
        await handset.unlock()
        await page.goto(handset.address)
        await handset.ask(LONG[what], label=LABEL)
        await handset.ask()
        sheet = page.get_by_role("dialog")
        await expect(page.get_by_text("1 more request waits behind this one")).to_be_in_viewport(ratio=1)
        await keep_picture(page, tmp_path, f"long-{what}-{size[0]}")
        for button in await sheet.get_by_role("button").all():
            await expect(button).to_be_in_viewport(ratio=1)
        # What does not fit is read by scrolling, up to the mark where it was cut.
        key = sheet.get_by_text("W" * 63 + "…").last
        await key.scroll_into_view_if_needed()
        await expect(key).to_be_in_viewport()
        await page.keyboard.press("End")
        await expect(sheet.get_by_role("definition").last).to_be_in_viewport(ratio=0.4)
        await keep_picture(page, tmp_path, f"long-{what}-{size[0]}-end")
        await sheet.get_by_role("button", name="Deny").click()
        assert not (await handset.asked[0]).is_yes


@pytest.mark.parametrize("size", SIZES)
async def test_a_chain_of_long_names_shows_every_arrow_and_both_its_ends(
    handset: Scene, browser: Browser, tmp_path: Path, size: tuple[int, int]
) -> None:
    names = tuple(f"{letter}-program-with-a-name-by-far-too-long-{letter}" for letter in "abcdefgh")
    async with opened_page(browser, size=size) as page:
        await handset.unlock()
        await page.goto(handset.address)
        await handset.ask(Caller(names, Purpose.LOGIN, host="github.com"))
        chain = page.get_by_role("definition").first
        # Each name is cut once, in its middle.
        cut = [f"{letter}-program-with-a…-far-too-long-{letter}" for letter in "abcdefgh"]
        assert (await chain.inner_text()).split() == cut
        arrows = await chain.get_by_role("img", name="started by").all()
        assert len(arrows) == len(names) - 1
        right = await chain.evaluate("element => element.getBoundingClientRect().right")
        for place, arrow in enumerate(arrows, 1):
            await arrow.scroll_into_view_if_needed()
            box, name = await arrow.bounding_box(), await chain.get_by_text(cut[place]).bounding_box()
            assert box is not None
            assert name is not None
            assert 0 < box["x"] + box["width"] <= name["x"], "the arrow stands before its program"
            assert name["x"] + name["width"] <= right
            assert name["y"] < box["y"] + box["height"] / 2 < name["y"] + name["height"]
        await keep_picture(page, tmp_path, f"chain-{size[0]}")


@pytest.mark.parametrize("size", SIZES)
async def test_both_answers_to_a_code_are_in_sight(
    handset: Scene, browser: Browser, tmp_path: Path, size: tuple[int, int]
) -> None:
    async with opened_page(browser, size=size) as page:
        await handset.unlock()
        await page.goto(f"{handset.address}computers")
        await page.get_by_role("button", name="Open pairing").click()
        answer = asyncio.ensure_future(handset.person.compare("042137"))
        await expect(page.get_by_role("button", name="They are equal")).to_be_in_viewport(ratio=1)
        await keep_picture(page, tmp_path, f"code-{size[0]}")
        await expect(page.get_by_role("group", name="Code 0 4 2, 1 3 7")).to_be_in_viewport(ratio=1)
        await page.get_by_role("button", name="They differ").click()
        assert not await answer


@pytest.mark.parametrize("size", SIZES)
async def test_the_whole_pad_is_in_sight(
    handset: Scene, browser: Browser, tmp_path: Path, size: tuple[int, int]
) -> None:
    async with opened_page(browser, size=size) as page:
        await handset.unlock()
        await page.goto(handset.address)
        await handset.ask_pin(PinEntry(PinUse.KEY, Cku.USER, "me@pc", LOGIN, "work"))
        await expect(page.get_by_role("textbox", name="PIN")).to_be_in_viewport(ratio=1)
        await keep_picture(page, tmp_path, f"pad-{size[0]}")
        for button in await page.get_by_role("dialog").get_by_role("button").all():
            await expect(button).to_be_in_viewport(ratio=1)


async def test_a_window_too_many_says_so_and_goes_on_when_one_is_closed(
    handset: Scene, browser: Browser, page: Page, tmp_path: Path
) -> None:
    await handset.unlock()
    await page.clock.install()
    async with AsyncExitStack() as stack:
        for _ in range(STREAMS_LIMIT):
            other = await stack.enter_async_context(opened_page(browser))
            async with other.expect_response("**/events"):
                await other.goto(handset.address)
        await page.goto(handset.address)
        words = page.get_by_text("Too many windows show this phone.")
        await expect(words).to_be_visible()
        await expect(page.get_by_text("The phone's program has ended.")).to_be_hidden()
        await keep_picture(page, tmp_path, "full")
        for size in (NARROW, SIZES[-1], WIDE):
            await page.set_viewport_size({"width": size[0], "height": size[1]})
            await keep_picture(page, tmp_path, f"full-{size[0]}")
            note, status = await words.bounding_box(), await page.get_by_role("group", name="Status").bounding_box()
            assert note is not None
            assert status is not None
            assert note["y"] + note["height"] < status["y"], "the status bar is below it"
            await expect(page.get_by_role("navigation", name="Phone")).to_be_in_viewport(ratio=1)
    await page.clock.fast_forward(5000)
    await expect(words).to_be_hidden()


async def test_a_new_phone_leads_to_where_a_computer_is_paired(handset: Scene, page: Page, tmp_path: Path) -> None:
    await handset.unlock()
    handset.phone.unpair_computer(PC_KEY)
    await page.goto(handset.address)
    pair = page.get_by_role("link", name="Pair a computer")
    await expect(pair).to_be_visible()
    await keep_picture(page, tmp_path, "welcome")
    await pair.click()
    await expect(page.get_by_role("button", name="Open pairing for 5 minutes")).to_be_visible()
