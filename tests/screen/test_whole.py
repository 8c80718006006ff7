"""The whole of it: real clients, fobd, the phone's program, and its page in a real browser."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from agent.openssh import Sshd
from support.chromium import keep_picture, opened_page
from support.live_screen import LiveScreen, ended, live_screen

pytestmark = pytest.mark.asyncio(loop_scope="session")

KEY = "Ed25519"
# Seconds after which the daemon gives a question up. A person in these tests takes less than the first, however busy
# the machine is; nobody answers within the second.
PATIENT = "private_operation = 30\n"
IMPATIENT = "private_operation = 2\n"


@pytest.fixture(scope="module")
def screen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveScreen]:
    """A phone that is paired and has three keys."""
    with live_screen(tmp_path_factory.mktemp("screen"), PATIENT) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def sshd(screen: LiveScreen, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sshd]:
    """Lets whoever has the phone's key in."""
    key = screen.live.ssh_key(KEY).read_text().strip()
    async with Sshd.started(tmp_path_factory.mktemp("sshd"), [key]) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser, screen: LiveScreen) -> AsyncIterator[Page]:
    """A window on the unlocked phone."""
    async with opened_page(browser) as opened:
        await screen.unlock(opened)
        yield opened


async def log_in(screen: LiveScreen, sshd: Sshd) -> asyncio.subprocess.Process:
    """ssh begins to log in; it waits for the phone."""
    only = ("-o", "IdentitiesOnly=yes", "-i", str(screen.live.ssh_key(KEY)))
    return await screen.start(*sshd.login(*only, "echo hello"))


@pytest.mark.slow
@pytest.mark.clause("P9")
async def test_an_ssh_login_is_allowed(screen: LiveScreen, sshd: Sshd, page: Page, tmp_path: Path) -> None:
    ssh = await log_in(screen, sshd)
    sheet = page.get_by_role("dialog", name=re.compile("Log in to "))
    await expect(sheet.get_by_role("definition").filter(has_text="ssh").first).to_be_visible()
    await expect(sheet.get_by_role("definition").filter(has_text=KEY)).to_be_visible()
    await keep_picture(page, tmp_path, "ssh-login")
    await sheet.get_by_role("button", name="Allow once").click()
    assert (await ended(ssh)).output == "hello\n"
    await expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.clause("P9")
async def test_an_ssh_login_is_denied(screen: LiveScreen, sshd: Sshd, page: Page) -> None:
    ssh = await log_in(screen, sshd)
    await page.get_by_role("dialog").get_by_role("button", name="Deny").click()
    done = await ended(ssh)
    assert done.status != 0
    assert done.output == ""
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_a_question_that_nobody_answers_ends_on_both_sides(screen: LiveScreen, sshd: Sshd, page: Page) -> None:
    screen.configure(PATIENT, IMPATIENT)
    ssh = await log_in(screen, sshd)
    sheet = page.get_by_role("dialog")
    await expect(sheet).to_be_visible()
    done = await ended(ssh)
    assert done.status != 0
    await expect(sheet).to_have_count(0)
    screen.configure(IMPATIENT, PATIENT)


async def test_a_yes_for_an_hour_is_one_question_until_it_is_revoked(
    screen: LiveScreen, sshd: Sshd, page: Page, tmp_path: Path
) -> None:
    ssh = await log_in(screen, sshd)
    await page.get_by_role("button", name="Allow for 1 hour").click()
    assert (await ended(ssh)).output == "hello\n"
    assert (await ended(await log_in(screen, sshd))).output == "hello\n"
    await expect(page.get_by_role("button", name="Revoke")).to_be_visible()
    await keep_picture(page, tmp_path, "granted")
    await page.get_by_role("button", name="Revoke").click()
    ssh = await log_in(screen, sshd)
    await page.get_by_role("button", name="Deny").click()
    assert (await ended(ssh)).status != 0


async def test_a_key_that_never_asks_asks_nothing(screen: LiveScreen, sshd: Sshd, page: Page) -> None:
    async def choose(setting: str) -> None:
        await page.get_by_role("link", name="Keys").first.click()
        await page.get_by_role("link", name=KEY).click()
        await page.get_by_role("radio", name=setting).check()
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_text("Saved.")).to_be_visible()

    await choose("Never ask")
    assert (await ended(await log_in(screen, sshd))).output == "hello\n"
    await choose("Always ask")
    ssh = await log_in(screen, sshd)
    await page.get_by_role("button", name="Allow once").click()
    assert (await ended(ssh)).output == "hello\n"


async def test_a_locked_phone_makes_it_wait_and_a_wrong_pin_is_no_answer(
    screen: LiveScreen, sshd: Sshd, page: Page, tmp_path: Path
) -> None:
    await page.get_by_role("button", name="Lock the phone").click()
    ssh = await log_in(screen, sshd)
    # Of the agent, which may be logged in already.
    card = page.get_by_role("link", name=re.compile("1 (login|request) from .* waits"))
    await expect(card).to_be_visible()
    await keep_picture(page, tmp_path, "request-waits")
    await card.click()
    await page.get_by_role("textbox", name="PIN").fill("000000")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("2 tries left")
    await page.get_by_role("textbox", name="PIN").fill(screen.pin)
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="Allow once").click()
    assert (await ended(ssh)).output == "hello\n"


async def test_unpair_on_the_phone_and_pair_again_by_the_code_on_its_page(
    screen: LiveScreen, page: Page, tmp_path: Path
) -> None:
    await page.get_by_role("link", name="Computers").click()
    await page.get_by_role("link", name="connected").click()
    await page.get_by_role("link", name="Unpair").click()
    await page.get_by_role("button", name="Unpair").click()
    await expect(page.get_by_text("No computer is paired.")).to_be_visible()

    await page.get_by_role("button", name=re.compile("Open pairing for")).click()
    fob = await screen.start("fob", "pair", screen.processes.link.url(screen.processes))
    assert fob.stdin is not None
    assert fob.stderr is not None
    await expect(page.get_by_role("dialog", name="Compare the codes")).to_be_visible()
    read = await page.get_by_role("group", name=re.compile("Code ")).inner_text()
    said = (await fob.stderr.readuntil(b"[y/n]: ")).decode()
    assert re.findall(r"\d{3}", said)[-2:] == re.findall(r"\d{3}", read)
    await keep_picture(page, tmp_path, "paired-by-code")
    fob.stdin.write(b"yes\n")
    await page.get_by_role("button", name="They are equal").click()
    assert (await ended(fob)).status == 0
    await expect(page.get_by_role("link", name="connected")).to_be_visible()
