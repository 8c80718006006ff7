"""Whoever cannot see well signs up for a meter and reads what it did, on a screen as small as there is."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from fob_device.approval.asking import Asking, loop_time
from fob_device.integrity.program import Program
from fob_device.office import switching
from fob_device.pad.password import PasswordEntry
from fob_protocol.metering.kinds import Deed
from support.accessibility import REFLOW, faults, runs_out
from support.chromium import opened_page
from support.integrity_bench import OWN
from support.meter_scene import MeterScene
from support.metering_office import PASSWORD
from support.office_signers import NOW
from support.screen_scene import screen_scene

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[MeterScene]:
    monkeypatch.setattr(switching, "own_program", lambda: Program("fob-device", (0, 1, 0), None, lambda: OWN))
    async with screen_scene(tmp_path, MeterScene, NOW) as opened:
        opened.carrier.gate.set()
        await opened.unlock()
        yield opened


async def test_every_page_of_the_meter_can_be_read_and_named(scene: MeterScene, browser: Browser) -> None:
    found: dict[str, list[str]] = {}

    async def look(page: Page, name: str) -> None:
        await page.goto(f"{scene.address}meter")
        found[name] = [*await faults(page), *await runs_out(page)]

    async with opened_page(browser, size=REFLOW) as page:
        await scene.configured_rates()
        await look(page, "no meter")
        await scene.post("meter/form")
        await scene.shows("Where you post")
        await look(page, "form")
        await page.get_by_label("Name").fill("ann")
        await page.get_by_label("Password", exact=True).fill(PASSWORD)
        await page.get_by_label("Password again").fill(PASSWORD)
        await page.get_by_label("Where you post").fill("20095")
        await page.get_by_role("button", name="Sign up").click()
        await scene.shows("You have a meter.")
        scene.office.does(Deed.LOAD, 5000)
        await scene.franked()
        await look(page, "franked")
        asking = Asking("me@pc", "join", loop_time() + 300, lambda words: None)
        typing = asyncio.ensure_future(scene.person.type_password(PasswordEntry("ann", True, "me@pc"), asking))
        await expect(page.get_by_role("dialog")).to_be_visible()
        found["password"] = await faults(page)
        typing.cancel()
    assert {name: texts for name, texts in found.items() if texts} == {}
