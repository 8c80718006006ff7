"""The authentication box: whether it is the mailer who asks, and for exactly what (M14, M18, M19, M28)."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fob_protocol.metering.requests import FrankRequest, Piece
from support.centre_key_boxes import KeyBoxes, MailerDevice, key_boxes, user_of


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[KeyBoxes]:
    async with key_boxes(tmp_path, "steel-1", "authentication-1") as made:
        yield made


async def test_smoke(world: KeyBoxes) -> None:
    anna = MailerDevice(world)
    await anna.signs_up()
    user = user_of(anna.record)
    piece = Piece(95, "80331", bytes(16), None, "letter")
    request = FrankRequest(bytes(16), anna.account, "FM-1", world.boxes.now, b"", None, (piece,))
    assert await anna.permit(request)
    bob = MailerDevice(world, seed=6)
    await bob.signs_on(record=anna.record)
    assert user_of(bob.record).counter == user.counter + 1
