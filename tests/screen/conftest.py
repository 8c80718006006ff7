"""Phones with a screen: in this process for fast stories, as programs for whole ones; and a browser to look at them.

One loop for the whole run drives the browser: tests with it are marked `in_browser`.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from support.chromium import chromium, opened_page
from support.office_scene import OfficeScene
from support.office_signers import NOW
from support.screen_scene import Scene, screen_scene


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    """A locked phone of this process; its page is served, and nobody has looked yet."""
    async with screen_scene(tmp_path, Scene) as opened:
        yield opened


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Started once."""
    async with chromium() as started:
        yield started


@pytest_asyncio.fixture(loop_scope="session")
async def handset(tmp_path: Path) -> AsyncIterator[Scene]:
    """As `scene`, for tests with a browser."""
    async with screen_scene(tmp_path, Scene) as opened:
        yield opened


@pytest.fixture
async def office_scene(tmp_path: Path) -> AsyncIterator[OfficeScene]:
    """As `scene`, of a device of a back office that has not been asked yet."""
    async with screen_scene(tmp_path, OfficeScene, NOW) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def office_handset(tmp_path: Path) -> AsyncIterator[OfficeScene]:
    """As `office_scene`, for tests with a browser."""
    async with screen_scene(tmp_path, OfficeScene, NOW) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    """An empty window."""
    async with opened_page(browser) as opened:
        yield opened
