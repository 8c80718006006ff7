"""What is wrong with a page for whoever cannot see well, or has it read aloud."""

import re

from playwright.async_api import Page

NAMELESS = re.compile(r"- (button|link|textbox|radio|spinbutton|combobox|checkbox|dialog|region|img|group)(:|$)")

# WCAG 2.2, success criteria 1.4.3 and 1.4.10.
CONTRAST = 4.5
REFLOW = (320, 568)

# Every text with the colours that the browser computed for it and for what lies behind it. A wallpaper is a picture:
# its lightest colour stands for it.
COLOURS = """() => {
  const parse = (text) => {
    const n = text.match(/[\\d.]+/g).map(Number);
    const most = text.startsWith("color(srgb") ? 1 : 255;
    return [...n.slice(0, 3).map((c) => (c * 255) / most), n[3] ?? 1];
  };
  const over = ([r, g, b, a], below) => [r, g, b].map((c, i) => c * a + below[i] * (1 - a));
  const ground = (element) => {
    if (!element) return [255, 255, 255];
    if (element.matches(".wallpaper")) return [11, 92, 85];
    return over(parse(getComputedStyle(element).backgroundColor), ground(element.parentElement));
  };
  const light = (rgb) => rgb.map((c) => c / 255).map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode()); ) {
    const element = node.parentElement;
    if (!node.data.trim() || !element.checkVisibility()) continue;
    if (element.closest("[inert], .visually-hidden, option")) continue;
    const below = element.closest(".on-wallpaper") ? [11, 92, 85] : ground(element);
    const [a, b] = [light(over(parse(getComputedStyle(element).color), below)), light(below)].sort((x, y) => y - x);
    found.push([node.data.trim(), (a + 0.05) / (b + 0.05)]);
  }
  return found;
}"""


async def faults(page: Page) -> list[str]:
    """What is wrong with a page, in both colour schemes."""
    found = []
    # Its words may be there before its style.
    await page.wait_for_load_state("load")
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        texts = await page.evaluate(COLOURS)
        assert texts
        found += [f"{scheme}: '{text}' stands out by {ratio:.2f} only" for text, ratio in texts if ratio < CONTRAST]
    lines = (await page.locator("body").aria_snapshot()).splitlines()
    found += [f"no name: {line}" for line in lines if NAMELESS.search(line)]
    if await page.get_by_role("heading", level=1).count() != 1:
        found.append("not one heading of the first level")
    return found


async def runs_out(page: Page) -> list[str]:
    """Parts of the phone that are wider than their place."""
    wide = "[...document.querySelectorAll('main *')].filter(e => e.scrollWidth > e.clientWidth + 1"
    wide += " && getComputedStyle(e).overflowX != 'visible').map(e => e.className)"
    found: list[str] = await page.evaluate(wide)
    width = await page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    return found if width[0] == width[1] else [*found, f"the page has a width of {width[0]}, and the window {width[1]}"]
