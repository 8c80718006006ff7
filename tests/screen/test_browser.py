"""The page in a real browser: looked at, listened to, tapped, typed at; with the phone in this process."""

import asyncio
import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from fob_device.approval.askers import Asker
from fob_device.approval.questions import Decision
from fob_device.screen.sheets import ApprovalSheet
from support.chromium import NARROW, keep_picture, opened_page
from support.screen_scene import COMMIT, FORWARDED, LOGIN, PC_KEY, PIN, Scene

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def unlocked(handset: Scene, page: Page, path: str = "") -> None:
    """The page of the phone, unlocked."""
    await handset.unlock()
    await page.goto(handset.address + path)


async def test_unlock_on_the_pad_after_a_wrong_pin(handset: Scene, page: Page, tmp_path: Path) -> None:
    await page.goto(handset.address)
    await expect(page.get_by_role("heading", name="Locked, 12:00")).to_be_visible()
    await keep_picture(page, tmp_path, "locked")
    await page.get_by_role("link", name="Unlock", exact=True).click()
    for key in "9999":
        await page.get_by_role("button", name=key, exact=True).click()
    await page.get_by_role("button", name="Unlock", exact=True).click()
    await expect(page.get_by_role("alert")).to_have_text("Wrong PIN, 2 tries left")
    await keep_picture(page, tmp_path, "wrong-pin")
    field = page.get_by_role("textbox", name="PIN")
    await expect(field).to_be_focused()
    await expect(field).to_have_value("")
    for key in PIN:
        await page.get_by_role("button", name=key, exact=True).click()
    await page.get_by_role("button", name="Erase").click()
    await page.keyboard.type(PIN[-1])
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Home")).to_be_focused()
    assert not handset.person.lock.is_locked
    await keep_picture(page, tmp_path, "home")


async def test_a_sheet_rises_takes_the_focus_and_gives_it_back(handset: Scene, page: Page, tmp_path: Path) -> None:
    await unlocked(handset, page, "keys")
    await page.get_by_role("link", name="work").focus()
    await handset.ask()
    sheet = page.get_by_role("dialog", name="Log in to github.com")
    await expect(sheet).to_be_visible()
    await expect(sheet.get_by_role("heading")).to_be_focused()
    await expect(page.get_by_role("timer")).to_have_text(re.compile(r"(60|59|58) left"))
    # What lies behind is out of reach: a tab leads to the answers.
    await expect(sheet.get_by_role("button", name="Allow once")).to_be_enabled()
    await keep_picture(page, tmp_path, "approval")
    await page.keyboard.press("Shift+Tab")
    await expect(page.get_by_role("button", name="Lock the phone")).to_be_focused()
    await page.keyboard.press("Tab")
    await expect(sheet.get_by_role("button", name="Allow once")).to_be_focused()
    await page.keyboard.press("Enter")
    assert await handset.asked[0] == Decision(True)
    await expect(sheet).to_have_count(0)
    await expect(page.get_by_role("link", name="work")).to_be_focused()


async def test_sheets_are_answered_one_by_one(handset: Scene, page: Page, tmp_path: Path) -> None:
    await unlocked(handset, page)
    for caller in (LOGIN, FORWARDED, COMMIT):
        await handset.ask(caller)
    await expect(page.get_by_text("2 more requests wait behind this one")).to_be_visible()
    await page.get_by_role("button", name="Allow for 1 hour").click()
    await expect(page.get_by_role("dialog", name="Log in to build.example.org")).to_be_visible()
    await expect(page.get_by_text("Forwarded from another machine.")).to_be_visible()
    await keep_picture(page, tmp_path, "forwarded")
    await page.get_by_role("button", name="Deny").click()
    await expect(page.get_by_role("dialog", name="Sign a git commit")).to_be_visible()
    await page.get_by_role("button", name="Allow once").click()
    assert await asyncio.gather(*handset.asked) == [Decision(True, 3600), Decision(False), Decision(True)]
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_a_new_sheet_does_not_take_a_tap_that_was_meant_for_what_lay_there(handset: Scene, page: Page) -> None:
    await unlocked(handset, page)
    await handset.ask(LOGIN)
    allow = page.get_by_role("button", name="Allow once")
    await expect(allow).to_be_enabled()
    await handset.ask(COMMIT)
    await allow.dblclick()
    await expect(page.get_by_role("dialog", name="Sign a git commit")).to_be_visible()
    assert await handset.asked[0] == Decision(True)
    assert not handset.asked[1].done()
    await expect(page).to_have_url(handset.address)


async def test_a_request_that_joins_a_sheet_does_not_wake_its_buttons(handset: Scene, page: Page) -> None:
    """The page's clock stands but for what the test lets pass: the 0.4 s count from the sheet's first showing."""
    await page.clock.install()
    await unlocked(handset, page)
    allow = page.get_by_role("button", name="Allow once")
    await page.clock.pause_at(await page.evaluate("Date.now() + 1000"))
    await handset.ask()
    await expect(allow).to_be_disabled()
    await page.clock.run_for(56)
    [sheet] = handset.person.sheets
    assert isinstance(sheet, ApprovalSheet)
    sheet.prompt.askers.join(Asker())
    await expect(page.get_by_text("2 times")).to_be_visible()
    await page.clock.run_for(343)
    for button in await page.get_by_role("dialog").get_by_role("button").all():
        await expect(button).to_be_disabled()
    await page.clock.run_for(1)
    await expect(allow).to_be_enabled()
    await allow.click()
    assert await handset.asked[0] == Decision(True)


async def test_a_question_that_is_taken_back_goes_away(handset: Scene, page: Page) -> None:
    await unlocked(handset, page)
    await handset.ask()
    await expect(page.get_by_role("dialog")).to_be_visible()
    handset.asked[0].cancel()
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_the_code_is_compared(handset: Scene, page: Page, tmp_path: Path) -> None:
    await unlocked(handset, page, "computers")
    await page.get_by_role("button", name="Open pairing for 5 minutes").click()
    await expect(page.get_by_role("button", name="Close pairing")).to_be_visible()
    answer = asyncio.ensure_future(handset.person.compare("042137"))
    sheet = page.get_by_role("dialog", name="Compare the codes")
    await expect(sheet.get_by_role("group", name="Code 0 4 2, 1 3 7")).to_be_visible()
    await keep_picture(page, tmp_path, "pairing")
    await sheet.get_by_role("button", name="They are equal").click()
    assert await answer


async def test_what_is_typed_survives_what_happens(handset: Scene, page: Page) -> None:
    await unlocked(handset, page, "settings/pin")
    await page.get_by_role("textbox", name="Old PIN").fill(PIN)
    new = page.get_by_role("textbox", name="New PIN", exact=True)
    await new.fill("2468")
    handset.bench.set_battery(20, False)
    await expect(page.get_by_role("img", name="Battery 20 percent")).to_be_visible()
    await expect(new).to_be_focused()
    await handset.ask()
    await page.get_by_role("button", name="Deny").click()
    await expect(new).to_be_focused()
    await page.keyboard.type("24")
    await expect(new).to_have_value("246824")
    await page.get_by_role("textbox", name="New PIN again").fill("246824")
    await page.get_by_role("button", name="Change the PIN").click()
    await expect(page.get_by_text("The PIN is changed.")).to_be_visible()


async def test_settings_of_a_key(handset: Scene, page: Page, tmp_path: Path) -> None:
    await unlocked(handset, page)
    await page.get_by_role("link", name="Keys").click()
    await keep_picture(page, tmp_path, "keys")
    await page.get_by_role("link", name="work P-256").click()
    await expect(page.get_by_role("radio", name="Always ask")).to_be_checked()
    await page.get_by_role("radio", name="Never ask").check()
    await keep_picture(page, tmp_path, "key")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Saved.")).to_be_visible()
    await page.get_by_role("link", name="Keys").first.click()
    await expect(page.get_by_role("link", name="never asks")).to_be_visible()


async def test_unpairing_asks_again(handset: Scene, page: Page, tmp_path: Path) -> None:
    await unlocked(handset, page, "computers")
    await page.get_by_role("link", name="me@pc").click()
    await page.get_by_role("link", name="Unpair").click()
    await expect(page.get_by_role("group", name="Unpair 'me@pc'?")).to_be_visible()
    await keep_picture(page, tmp_path, "unpair")
    await page.get_by_role("button", name="Unpair").click()
    await expect(page.get_by_text("The computer is unpaired.")).to_be_visible()
    assert not handset.phone.is_paired(PC_KEY)


async def test_the_side_button_locks(handset: Scene, page: Page) -> None:
    await unlocked(handset, page)
    await page.get_by_role("button", name="Lock the phone").click()
    await expect(page.get_by_role("heading", name="Locked")).to_be_visible()
    assert handset.person.lock.is_locked


async def test_a_tap_too_late(handset: Scene, page: Page, browser: Browser, tmp_path: Path) -> None:
    """Two windows show one sheet; the second one has not heard yet that it was answered."""
    await unlocked(handset, page)
    await handset.ask()
    await expect(page.get_by_role("button", name="Deny")).to_be_enabled()
    await page.route("**/events", lambda route: route.abort())
    await page.route(
        "**/", lambda route: route.abort() if "fob-refresh" in route.request.headers else route.continue_()
    )
    [sheet] = handset.person.sheets
    await handset.post(f"sheets/{sheet.id}", {"answer": "no"})
    await page.get_by_role("button", name="Allow once").click()
    await expect(page.get_by_role("heading", name="This request is over")).to_be_visible()
    await keep_picture(page, tmp_path, "over")
    assert await handset.asked[0] == Decision(False)


async def test_power_is_cut_and_comes_back_locked(handset: Scene, page: Page, tmp_path: Path) -> None:
    await unlocked(handset, page)
    bench = page.get_by_role("complementary", name="Workbench")
    power = bench.get_by_role("region", name="Power")
    await power.get_by_role("spinbutton", name="Seconds").fill("600")
    await power.get_by_role("button", name="Cut the power").click()
    await expect(page.get_by_role("heading", name="The phone is off")).to_be_attached()
    await keep_picture(page, tmp_path, "off")
    handset.bench.cut_power(0)
    await expect(page.get_by_role("heading", name="Locked")).to_be_visible()


async def test_the_workbench_says_what_it_cannot_do(handset: Scene, page: Page) -> None:
    await page.goto(handset.address)
    bench = page.get_by_role("complementary", name="Workbench")
    await bench.get_by_role("spinbutton", name="How many").fill("1000")
    await bench.get_by_role("combobox", name="Which way").select_option("from phone")
    await bench.get_by_role("button", name="Lose").click()
    await expect(bench.get_by_text("1000 still to hit")).to_be_visible()
    await bench.get_by_role("button", name="Damage").click()
    await expect(bench.get_by_role("alert")).to_contain_text("Nothing was done.")
    await bench.get_by_role("button", name="No more faults, full speed").click()
    await expect(bench.get_by_role("alert")).to_have_count(0)


async def test_without_script_forms_do_it_all(handset: Scene, browser: Browser, tmp_path: Path) -> None:
    async with opened_page(browser, has_script=False) as page:
        await page.goto(handset.address)
        await page.get_by_role("link", name="Unlock", exact=True).click()
        await page.get_by_role("textbox", name="PIN").fill("9999")
        await page.get_by_role("button", name="Unlock", exact=True).click()
        await expect(page.get_by_role("alert")).to_have_text("Wrong PIN, 2 tries left")
        await keep_picture(page, tmp_path, "no-script")
        await page.get_by_role("textbox", name="PIN").fill(PIN)
        await page.get_by_role("button", name="Unlock", exact=True).click()
        await handset.ask()
        # The page looks again by itself.
        await page.get_by_role("button", name="Allow for 5 minutes").click()
        assert await handset.asked[0] == Decision(True, 300)
        await expect(page.get_by_role("heading", name="Home")).to_be_visible()


async def test_a_narrow_window_is_all_phone(handset: Scene, browser: Browser, tmp_path: Path) -> None:
    async with opened_page(browser, size=NARROW) as page:
        await unlocked(handset, page)
        screen = await page.get_by_role("main").bounding_box()
        assert screen == {"x": 0, "y": 0, "width": NARROW[0], "height": NARROW[1]}
        await expect(page.get_by_role("complementary")).to_have_count(0)
        await handset.ask(FORWARDED)
        await expect(page.get_by_role("dialog")).to_be_visible()
        await keep_picture(page, tmp_path, "narrow")
