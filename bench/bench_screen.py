"""How long the person waits for the phone's screen, and a program for the person's tap: a real browser, real programs.

A client asks Fob's ssh agent for a signature; the page shows the question; a mouse clicks. Browser and client have one
machine's clock.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import Final

from playwright.async_api import Page

from figures import Figure, at_most, run_bench

# A phone with a page is what the tests have already.
sys.path.append(str(Path(__file__).parents[1] / "tests"))

from agent.client import REQUEST_IDENTITIES, identities, sign_request, signature
from support.chromium import chromium, opened_page
from support.live_screen import LiveScreen, live_screen

RUNS: Final = 60
QUICK_RUNS: Final = 5
MS: Final = 1000
PATIENCE: Final = 10.0
KEY: Final = "Ed25519"

# When a question has been painted, and when the mouse has clicked: in the page, in milliseconds since 1970.
WATCH: Final = """() => {
  window.seen = 0;
  window.tapped = 0;
  const now = () => performance.timeOrigin + performance.now();
  new MutationObserver(() => {
    if (!window.seen && document.querySelector("[role=dialog]"))
      requestAnimationFrame(() => requestAnimationFrame(() => { window.seen ||= now() }));
  }).observe(document.body, { childList: true, subtree: true });
  document.addEventListener("click", () => { window.tapped = now() }, true);
}"""


@dataclass(slots=True)
class Waits:
    """Milliseconds, one for each question."""

    until_seen: list[float] = field(default_factory=list)
    until_answered: list[float] = field(default_factory=list)


async def exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, message: bytes) -> bytes:
    """One request to the agent, and its reply."""
    writer.write(len(message).to_bytes(4) + message)
    return await reader.readexactly(int.from_bytes(await reader.readexactly(4)))


async def ask(page: Page, screen: LiveScreen, runs: int) -> Waits:
    """So many signatures, each asked for and allowed."""
    reader, writer = await asyncio.open_unix_connection(screen.live.scratch.socket("agent"))
    blob = next(blob for blob, name in identities(await exchange(reader, writer, REQUEST_IDENTITIES)) if name == KEY)
    waits = Waits()
    for _ in range(runs):
        await page.evaluate("() => { window.seen = 0 }")
        asked = time.time() * MS
        reply = asyncio.ensure_future(exchange(reader, writer, sign_request(blob, b"data")))
        allow = page.get_by_role("button", name="Allow once")
        await allow.click()
        signature(await asyncio.wait_for(reply, PATIENCE))
        answered = time.time() * MS
        waits.until_seen.append(float(await page.evaluate("window.seen")) - asked)
        waits.until_answered.append(answered - float(await page.evaluate("window.tapped")))
        await page.get_by_role("dialog").wait_for(state="detached")
    writer.close()
    return waits


async def look(screen: LiveScreen, runs: int) -> Waits:
    """With a window on the unlocked phone."""
    async with AsyncExitStack() as stack:
        browser = await stack.enter_async_context(chromium())
        page = await stack.enter_async_context(opened_page(browser, is_calm=False))
        await screen.unlock(page)
        await page.evaluate(WATCH)
        return await ask(page, screen, runs)


def measure(quick: bool) -> Sequence[Figure]:
    """Both waits, their medians and what one in twenty exceeds."""
    with tempfile.TemporaryDirectory(prefix="fob-bench-") as folder, live_screen(Path(folder)) as screen:
        waits = asyncio.run(look(screen, QUICK_RUNS if quick else RUNS))
    seen, answered = waits.until_seen, waits.until_answered
    return [
        Figure("request to question on the screen", median(seen), "ms", at_most(200), spread(seen)),
        Figure("tap to the client's answer", median(answered), "ms", at_most(150), spread(answered)),
    ]


def spread(values: Sequence[float]) -> str:
    """How many, and the slow ones."""
    return f"{len(values)} questions, 95th percentile {quantiles(values, n=20)[-1]:.3g} ms, most {max(values):.3g} ms"


if __name__ == "__main__":
    run_bench("How fast the phone's screen is.", measure)
