"""The operator's page in a real browser, without script: what an operator does, in both colour schemes, and narrow."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from support.accessibility import REFLOW, faults, runs_out
from support.chromium import keep_picture, opened_page
from support.office_usage import use
from support.page_scene import PageScene

pytestmark = pytest.mark.asyncio(loop_scope="session")


def pages(scene: PageScene) -> list[str]:
    copies = [f"/copies/{scene.numbers[position].hex()}" for position in (0, 1, 9, 20)]
    return ["", "/findings", "/findings?seen=true", "/programs/rates", "/programs/fobd", "/centre", "/nothing", *copies]


@asynccontextmanager
async def logged_in(scene: PageScene, browser: Browser, *, size: tuple[int, int] = (1180, 900)) -> AsyncIterator[Page]:
    # The office's certificate is of its own authority, which this browser does not know.
    async with opened_page(browser, size=size, has_script=False, has_tls_trust=False) as page:
        await page.goto(scene.address)
        await log_in(scene, page)
        yield page


async def log_in(scene: PageScene, page: Page) -> None:
    await page.get_by_label("Operator's token").fill(scene.changing)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Overview")


async def test_an_operator_goes_from_a_finding_to_the_copy_and_disables_it(
    scene: PageScene, browser: Browser, tmp_path: Path
) -> None:
    async with logged_in(scene, browser) as page:
        number = scene.numbers[22]
        use(scene.office.scene, number, ahead=500)
        await page.get_by_role("link", name="Findings").click()
        await keep_picture(page, tmp_path, "findings")
        await page.get_by_role("link", name=f"Copy {number.hex()}").click()
        await expect(page.get_by_role("img", name="validations on").first).to_be_visible()
        await page.get_by_text("Disable it…").click()
        await page.get_by_role("button", name="Disable this copy").click()
        await expect(page.get_by_role("status")).to_have_text("Disabled: its next request is refused.")
        await page.get_by_text("Enable it…").click()
        await page.get_by_role("button", name="Enable this copy").click()
        await page.get_by_role("button", name="Acknowledge finding").click()
        await expect(page.get_by_role("status")).to_have_text("Acknowledged.")
        await page.get_by_role("button", name="Log out").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Log in")
        await page.go_back()
        await page.reload()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Log in")


async def test_every_page_can_be_read_and_named(scene: PageScene, browser: Browser) -> None:
    async with opened_page(browser, has_tls_trust=False, has_policy=False) as page:
        found = {}
        await page.goto(f"{scene.address}/login")
        found["login"] = await faults(page)
        await page.get_by_label("Operator's token").fill("wrong")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("alert")).to_be_visible()
        found["wrong"] = await faults(page)
        await log_in(scene, page)
        for path in pages(scene):
            await page.goto(scene.address + path)
            await page.evaluate("document.querySelectorAll('details').forEach(e => e.open = true)")
            found[path] = await faults(page)
    assert {path: texts for path, texts in found.items() if texts} == {}


async def test_nothing_runs_out_of_a_small_screen(scene: PageScene, browser: Browser) -> None:
    async with opened_page(browser, size=REFLOW, has_tls_trust=False, has_policy=False) as page:
        await page.goto(scene.address)
        assert await runs_out(page) == []
        await log_in(scene, page)
        for path in pages(scene):
            await page.goto(scene.address + path)
            # Tables may be moved to and fro in their place.
            assert [name for name in await runs_out(page) if name != "card scroll"] == [], path


async def test_the_keyboard_comes_everywhere(scene: PageScene, browser: Browser) -> None:
    async with logged_in(scene, browser) as page:
        names = []
        for _ in range(9):
            await page.keyboard.press("Tab")
            names.append(await page.locator(":focus").inner_text())
        contents = "To the page's contents"
        assert names[:6] == [contents, "Fob back office", "Overview", "Findings", "Data centre", "Log out"]
        assert await page.locator(":focus").count() == 1
