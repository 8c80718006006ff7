"""Stories of the phone's port on the air."""

from pathlib import Path

import pytest

from support.ble_scene import Scene, Story, Tell
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
