"""`make picture`: the operator's page about a copy for docs/office.md, of a real office with weeks of usage."""

import asyncio
from pathlib import Path
from typing import Final

from playwright.async_api import expect

from screen.picture import make_picture
from support.chromium import chromium, opened_page
from support.page_scene import PageScene, page_scene

PICTURE: Final = Path(__file__).parents[2] / "docs" / "pictures" / "operator.png"
# Octets.
PICTURE_LIMIT: Final = 80_000
SIZE: Final = (860, 690)


def make(folder: Path) -> bytes:
    """An office of weeks ago, with a copy that fell silent."""
    with page_scene(folder) as scene:
        return asyncio.run(look(scene))


async def look(scene: PageScene) -> bytes:
    """An operator looks at the copy that was found silent."""
    async with chromium() as browser, opened_page(browser, size=SIZE, has_tls_trust=False) as page:
        await page.goto(scene.address)
        await page.get_by_label("Operator's token").fill(scene.changing)
        await page.keyboard.press("Enter")
        finding = page.get_by_role("listitem").filter(has_text="silent")
        await finding.get_by_role("link", name="Copy").click()
        await expect(page.get_by_role("heading", level=1)).to_contain_text("Copy")
        await page.mouse.move(0, 0)
        return await page.screenshot()


if __name__ == "__main__":
    make_picture(__doc__, PICTURE, make, PICTURE_LIMIT)
