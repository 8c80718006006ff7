"""Phones with a screen: in this process for fast stories, as programs for whole ones."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.screen_scene import Scene, screen_scene


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    """A locked phone of this process; its page is served, and nobody has looked yet."""
    async with screen_scene(tmp_path) as opened:
        yield opened
