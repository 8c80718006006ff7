"""Stories of the phone's port on the air, and what lies between a computer and a phone on the workbench."""

from pathlib import Path

import pytest

from support.ble_scene import Scene, Story, Tell
from support.medium import MEDIA, Medium
from support.virtual_loop import run_virtually


@pytest.fixture
def tell(tmp_path: Path) -> Tell:
    """Runs a story in virtual time, on a new phone."""

    async def whole(story: Story) -> None:
        scene = Scene(tmp_path)
        try:
            await story(scene)
        finally:
            scene.handset.switch_off()

    return lambda story: run_virtually(whole(story))


@pytest.fixture(params=MEDIA)
def medium(request: pytest.FixtureRequest, tmp_path: Path) -> Medium:
    """A cable or the air, with nobody at either end yet."""
    return MEDIA[request.param](tmp_path)
