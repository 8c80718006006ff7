"""A real browser: Debian's Chromium, headless, by Playwright. Tests use its shell, which shows pages as the whole
browser does for a third of its processor time. Pages are found by what a reader of screens says of them.

FOB_SCREENSHOTS names a folder that keeps a picture of each state; else they go with the test's own folder.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from playwright.async_api import Browser, Page, async_playwright

from support.required import program

# A name that leads to this machine, as an attacker's would (DNS rebinding).
FOREIGN_HOST: Final = "phone.attacker.example"
# What Chromium needs in a container, and no calls home.
_ARGUMENTS: Final = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    f"--host-resolver-rules=MAP {FOREIGN_HOST} 127.0.0.1",
)  # fmt: skip
WIDE: Final = (1180, 900)
NARROW: Final = (390, 844)
# Nothing on a page takes longer; a test that waits more has found a fault.
PATIENCE: Final = 10.0


@asynccontextmanager
async def chromium(name: str = "chromium-headless-shell") -> AsyncIterator[Browser]:
    """One browser, this program; pages of it share nothing."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program(name), args=list(_ARGUMENTS))
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def opened_page(
    browser: Browser,
    *,
    size: tuple[int, int] = WIDE,
    is_dark: bool = False,
    has_script: bool = True,
    is_calm: bool = True,
    may_complain: bool = False,
    has_policy: bool = True,
    has_tls_trust: bool = True,
    scale: float = 1.0,
) -> AsyncIterator[Page]:
    """A window of its own, with or without what a person may want: darkness, motion, script, a page's own policy.

    Without `has_tls_trust` any certificate is as good as another.

    What a page complains of fails, unless it `may_complain`.
    """
    context = await browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if is_dark else "light",
        reduced_motion="reduce" if is_calm else "no-preference",
        java_script_enabled=has_script,
        bypass_csp=not has_policy,
        ignore_https_errors=not has_tls_trust,
        device_scale_factor=scale,
    )
    context.set_default_timeout(PATIENCE * 1000)
    page = await context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("dialog", lambda dialog: faults.append(f"a dialog: {dialog.message}"))
    page.on("console", lambda message: faults.append(message.text) if "Content Security" in message.text else None)
    try:
        yield page
    finally:
        await context.close()
    assert may_complain or faults == []


async def keep_picture(page: Page, folder: Path, name: str) -> Path:
    """A picture of a state, as it is when nothing moves any more. Playwright makes the folder."""
    place = Path(os.environ.get("FOB_SCREENSHOTS") or folder)
    path = place / f"{name}.png"
    await page.screenshot(path=path, animations="disabled")
    return path
