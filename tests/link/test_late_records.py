"""A record that arrives when its session has ended, as one that a slow radio still had when the cable took over."""

import asyncio
from pathlib import Path
from unittest.mock import patch

import pytest

from fob_device.line.session import DeviceSession
from fob_device.screen.sheets import ApprovalSheet
from fob_protocol.caller import Caller, Purpose
from fob_protocol.link.frames import Frame
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.session.pace import Pace
from support.screen_world import ScreenWorld, at_screen
from support.world import counted_signatures

pytestmark = pytest.mark.clause("P9")

SSH = Caller(("ssh", "zsh"), Purpose.LOGIN, host="github.com")
ONE = bytes([1]) * 32


async def last_record(session: DeviceSession) -> Frame:
    """The next one that this session gets, a poll for a request that waits."""
    records: list[Frame] = []
    receive = DeviceSession.receive

    def noting(self: DeviceSession, frame: Frame) -> None:
        if self is session:
            records.append(frame)
        receive(self, frame)

    with patch.object(DeviceSession, "receive", noting):
        await asyncio.sleep(2)
    return records[-1]


def test_a_computer_that_is_heard_in_its_new_session_is_not_missed_in_the_old_one(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        key = await world.new_key()
        with counted_signatures() as signed:
            answer = world.begin_to_sign(key, 1, SSH)
            sheet = await world.sheet(ApprovalSheet)
            (opened,) = world.phone.sessions
            late = await last_record(opened.session)
            await world.reconnect()
            await world.until(lambda: not sheet.is_away)
            opened.session.receive(late)
            await asyncio.sleep(2 * Pace().silence)
            assert not sheet.is_away
            await world.tap()
            assert (await answer).ckr == Ckr.OK
        assert signed == {ONE: 1}

    at_screen(tmp_path, story)
