"""`make picture`: the operator's page about a copy for docs/office.md, of a real office with weeks of usage."""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Final

from playwright.async_api import expect

from support.chromium import chromium, opened_page
from support.page_scene import PageScene, page_scene

PICTURE: Final = Path(__file__).parents[2] / "docs" / "pictures" / "operator.png"
# Octets.
PICTURE_LIMIT: Final = 80_000
SIZE: Final = (860, 690)


def main() -> None:
    """Make the picture at the path given, or where the documentation looks for it."""
    parser = argparse.ArgumentParser(prog="make picture", description=__doc__)
    parser.add_argument("path", nargs="?", type=Path, default=PICTURE)
    path = parser.parse_args().path
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="fob-picture-") as folder, page_scene(Path(folder)) as scene:
        asyncio.run(look(scene, path))
    size = path.stat().st_size
    print(f"{path}: {size} octets")
    if size > PICTURE_LIMIT:
        sys.exit(f"more than {PICTURE_LIMIT}")


async def look(scene: PageScene, path: Path) -> None:
    """An operator looks at the copy that was found silent."""
    async with chromium() as browser, opened_page(browser, size=SIZE, has_tls_trust=False) as page:
        await page.goto(scene.address)
        await page.get_by_label("Operator's token").fill(scene.changing)
        await page.keyboard.press("Enter")
        finding = page.get_by_role("listitem").filter(has_text="silent")
        await finding.get_by_role("link", name="Copy").click()
        await expect(page.get_by_role("heading", level=1)).to_contain_text("Copy")
        await page.mouse.move(0, 0)
        await page.screenshot(path=path)


if __name__ == "__main__":
    main()
