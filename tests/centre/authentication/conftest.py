"""An authentication box, with those that it needs and a mailer."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.centre_key_boxes import KeyBoxes, MailerDevice, key_boxes


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[KeyBoxes]:
    async with key_boxes(tmp_path, "steel-1", "authentication-1", "meter-1") as made:
        yield made


@pytest.fixture
async def anna(world: KeyBoxes) -> MailerDevice:
    """Who has signed up."""
    device = MailerDevice(world)
    await device.signs_up()
    return device
