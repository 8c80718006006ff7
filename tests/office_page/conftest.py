"""One office whose page all tests look at, and one browser, driven by one loop for the whole run."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser

from support.chromium import chromium
from support.page_scene import PageScene, page_scene
from support.page_visitor import PageVisitor


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageScene]:
    """Tests take copies of their own to change."""
    with page_scene(tmp_path_factory.mktemp("state")) as made:
        yield made


@pytest.fixture
def stranger(scene: PageScene) -> Iterator[PageVisitor]:
    """A browser that is not logged in."""
    client = scene.office.client
    with httpx.Client(base_url=client.base_url, verify=scene.trusted, timeout=30) as own:
        yield PageVisitor(own)


@pytest.fixture
def ada(scene: PageScene, stranger: PageVisitor) -> PageVisitor:
    """Logged in; she may change something."""
    stranger.log_in(scene.changing)
    return stranger


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Started once."""
    async with chromium() as started:
        yield started
