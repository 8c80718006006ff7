"""The pages about the back office in a real browser, in each of their states: seen, heard, typed at, tapped."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from fob_protocol.office.envelope import Service
from fob_protocol.office.errors import RefusedError
from fob_protocol.office.refusals import Refusal
from support.accessibility import REFLOW, faults, runs_out
from support.chromium import WIDE, keep_picture, opened_page
from support.office_scene import OfficeScene

pytestmark = pytest.mark.asyncio(loop_scope="session")

BANK = "office/servers/bank"
State = Callable[[OfficeScene], Awaitable[None]]


async def generic(scene: OfficeScene) -> None:
    """The order names nothing."""
    scene.office.order = []
    await scene.begin()


async def fetching(scene: OfficeScene) -> None:
    """Most of it is there."""
    await scene.fetching(2)


async def form(scene: OfficeScene) -> None:
    """It can be filled in."""
    await scene.configured()
    await scene.post(f"{BANK}/form")
    await scene.until(lambda office: office.form is not None)


async def filled_in(scene: OfficeScene, name: str = "Ann") -> None:
    """What was filled in has been answered."""
    await form(scene)
    await scene.post(f"{BANK}/register", {"field-name": name})
    await scene.until(lambda office: office.ended is not None)


async def name_taken(scene: OfficeScene) -> None:
    """Somebody else has the name."""
    await form(scene)
    scene.office.refuses = {Service.REGISTRATION: RefusedError(Refusal.NAME_TAKEN)}
    await scene.post(f"{BANK}/register", {"field-name": "Ann"})
    await scene.until(lambda office: office.ended is not None)


async def asking(scene: OfficeScene) -> None:
    """What it takes to register is not answered."""
    await scene.configured()
    scene.carrier.gate.clear()
    await scene.post(f"{BANK}/form")


# Where each state is seen, and words that stand there.
STATES: dict[str, tuple[State, str, str]] = {
    "generic": (generic, "office", "Nothing is configured"),
    "fetching": (fetching, "office", "Fetching components"),
    "configured": (OfficeScene.configured, "office", "Configured"),
    "upgrade": (OfficeScene.upgrade_waits, "office", "1 of 3 components has a newer version."),
    "refused": (OfficeScene.refused, "office", "Ask who runs the office."),
    "registered": (filled_in, BANK, "You are registered."),
    "registered-list": (filled_in, "office", "As Ann; letters: level 2"),
    "form": (form, BANK, "A bank of letters"),
    "taken": (name_taken, BANK, "Take another name."),
    "asking": (asking, BANK, "Wait no more"),
}


@pytest.mark.parametrize("state", STATES)
async def test_every_state_can_be_read_named_and_fits(
    office_handset: OfficeScene, browser: Browser, tmp_path: Path, state: str
) -> None:
    """Both colour schemes, on a wide screen and on the smallest one."""
    reach, path, words = STATES[state]
    await office_handset.unlock()
    await reach(office_handset)
    async with opened_page(browser) as page:
        await page.goto(office_handset.address + path)
        await expect(page.get_by_text(words, exact=False).first).to_be_visible()
        assert await faults(page) == []
        await keep_picture(page, tmp_path, f"office-{state}")
        await page.set_viewport_size({"width": REFLOW[0], "height": REFLOW[1]})
        assert await runs_out(page) == []
        for target in await page.get_by_role("main").get_by_role("button").all():
            await target.scroll_into_view_if_needed()
            await expect(target).to_be_in_viewport(ratio=0.99)


async def test_progress_is_heard_by_quarters_and_nothing_moves_the_focus(
    office_handset: OfficeScene, page: Page
) -> None:
    await office_handset.unlock()
    await office_handset.fetching(1)
    await page.goto(f"{office_handset.address}office")
    said, bar = page.locator("#announcer"), page.get_by_role("progressbar", name="Fetching Table")
    await expect(bar).to_have_js_property("position", 0.5)
    await expect(said).to_have_text("")
    await page.get_by_role("button", name="Configure now").focus()
    office_handset.carrier.closes_at = (Service.CONTENT, 3)
    office_handset.carrier.gate.set()
    await expect(said).to_have_text("Fetching components, 75 percent")
    await expect(page.get_by_role("button", name="Configure now")).to_be_focused()
    await expect(page.get_by_role("progressbar", name="Fetching Echo")).to_have_js_property("position", 14 / 18)
    office_handset.carrier.gate.set()
    await expect(said).to_have_text("Configured")


async def test_a_registration_by_the_keyboard_alone(office_handset: OfficeScene, page: Page) -> None:
    await office_handset.unlock()
    await office_handset.configured()
    await page.goto(f"{office_handset.address}office")
    await page.get_by_role("button", name="Look for upgrades").focus()
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="bank Not registered")).to_be_focused()
    await page.keyboard.press("Enter")
    await page.get_by_role("link", name="Office", exact=True).focus()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    name = page.get_by_role("textbox", name="Your name")
    await expect(name).to_be_focused()
    await expect(name).to_have_accessible_description("At most 64 plain letters; others count as 2 to 4")
    await page.keyboard.type("Ann \u00c4")
    # A question comes between, and what was typed stays.
    await office_handset.ask()
    await expect(page.get_by_role("dialog", name="Log in to github.com")).to_be_visible()
    await page.get_by_role("button", name="Deny").click()
    await expect(name).to_be_focused()
    await expect(name).to_have_value("Ann \u00c4")
    await page.keyboard.press("Tab")
    await page.keyboard.type("12")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("You are registered.")).to_be_visible()
    await expect(page.get_by_role("definition").filter(has_text="Level 2")).to_be_visible()
    await expect(page.get_by_role("heading", level=1)).to_be_focused()
    assert office_handset.office.user().name == "Ann \u00c4"


async def test_a_question_rises_in_the_middle_of_a_download(
    office_handset: OfficeScene, page: Page, tmp_path: Path
) -> None:
    await office_handset.unlock()
    await office_handset.fetching(2)
    await page.goto(f"{office_handset.address}office")
    await office_handset.ask()
    await page.get_by_role("button", name="Allow once").click()
    assert (await office_handset.asked[0]).is_yes
    await expect(page.get_by_role("progressbar", name="Fetching Echo")).to_have_js_property("position", 14 / 18)
    assert not office_handset.carrier.gate.is_set(), "nothing of the office's was carried for it"


async def test_without_script_forms_do_it_all(office_handset: OfficeScene, browser: Browser) -> None:
    await office_handset.unlock()
    await office_handset.configured()
    async with opened_page(browser, has_script=False, size=WIDE) as page:
        await page.goto(f"{office_handset.address}office")
        await page.get_by_role("button", name="Look for upgrades").click()
        await office_handset.until(lambda office: office.ended is not None)
        await page.goto(f"{office_handset.address}office")
        await expect(page.get_by_text("No component has a newer version.")).to_be_visible()
        await page.get_by_role("link", name="bank Not registered").click()
        await page.get_by_role("button", name="Register").click()
        await office_handset.until(lambda office: office.form is not None)
        await page.goto(f"{office_handset.address}{BANK}")
        await page.get_by_role("textbox", name="Your name").fill("Ann")
        await page.get_by_role("button", name="Register").click()
        await office_handset.until(lambda office: office.ended is not None)
        await page.goto(f"{office_handset.address}{BANK}")
        await expect(page.get_by_text("You are registered.")).to_be_visible()


async def test_nothing_moves_on_it(office_handset: OfficeScene, browser: Browser) -> None:
    """Not even for those who have nothing against motion."""
    await office_handset.unlock()
    await office_handset.fetching(2)
    async with opened_page(browser, is_calm=False) as page:
        await page.goto(f"{office_handset.address}office")
        await expect(page.get_by_role("progressbar")).to_be_visible()
        moving = "document.getAnimations().filter(a => a.effect.target.closest('.scroll')).length"
        assert await page.evaluate(moving) == 0
