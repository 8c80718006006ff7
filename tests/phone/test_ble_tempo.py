"""How the phone asks a computer for connection intervals: when, how often, and what it makes of the answer."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from bumble.l2cap import (
    L2CAP_COMMAND_NOT_UNDERSTOOD_REASON,
    L2CAP_CONNECTION_PARAMETERS_REJECTED_RESULT,
    L2CAP_Command_Reject,
    L2CAP_Connection_Parameter_Update_Request,
    L2CAP_Connection_Parameter_Update_Response,
    L2CAP_Control_Frame,
)

from fob_device.ports.ble.signaling import ANSWER_TIME
from fob_device.ports.ble.tempo import CALM_AFTER, FIRST_ASK_AFTER
from fob_protocol.link.frames import DELIMITER
from support.ble_scene import Scene, Tell
from support.ble_world import greet, on_the_air
from support.central import Central

pytestmark = pytest.mark.clause("P7")

# In units of 1.25 ms.
QUICK, CALM = 12, 24
# The question, and the events until a change counts.
PATIENCE = 0.5


class Asked:
    """What a computer is asked; unless told otherwise its stack grants it."""

    def __init__(self, pc: Central) -> None:
        self.requests: list[L2CAP_Connection_Parameter_Update_Request] = []
        self.refuses = False
        self.is_silent = False
        self.does_not_know = False
        self._manager: Any = pc.device.l2cap_channel_manager
        self._grant = self._manager.on_l2cap_connection_parameter_update_request
        self._manager.on_l2cap_connection_parameter_update_request = self._asked  # type: ignore[method-assign]  # overheard

    @property
    def intervals(self) -> list[int]:
        assert all(one.interval_min == one.interval_max for one in self.requests)
        return [one.interval_max for one in self.requests]

    def _asked(self, connection: Any, cid: int, request: L2CAP_Connection_Parameter_Update_Request) -> None:
        self.requests.append(request)
        answer: L2CAP_Control_Frame
        if self.is_silent:
            return
        if self.does_not_know:
            answer = L2CAP_Command_Reject(
                identifier=request.identifier, reason=L2CAP_COMMAND_NOT_UNDERSTOOD_REASON, data=b""
            )
        elif self.refuses:
            answer = L2CAP_Connection_Parameter_Update_Response(
                identifier=request.identifier, result=L2CAP_CONNECTION_PARAMETERS_REJECTED_RESULT
            )
        else:
            self._grant(connection, cid, request)
            return
        self._manager.send_control_frame(connection, cid, answer)


@asynccontextmanager
async def line(scene: Scene) -> AsyncIterator[tuple[Central, Asked]]:
    """A paired computer with a line, for as long as it is left in peace."""
    async with on_the_air(scene.handset.phone, scene.radio, asks=True), scene.computer() as pc:
        await scene.paired(pc)
        await pc.disconnect()
        await reconnect(scene, pc)
        await asyncio.sleep(FIRST_ASK_AFTER)
        yield pc, Asked(pc)


async def reconnect(scene: Scene, pc: Central) -> None:
    await pc.connect(scene.address)
    await pc.encrypt()
    await pc.subscribe()


async def use(pc: Central, frames: int = 2) -> None:
    """What ends frames is counted, whatever they hold."""
    for _ in range(frames):
        await pc.send(DELIMITER)
    await asyncio.sleep(PATIENCE)


def test_it_asks_once_while_it_is_used_and_once_when_it_is_not(tell: Tell) -> None:
    async def story(scene: Scene) -> None:
        async with line(scene) as (pc, asked):
            for _ in range(5):
                await use(pc)
            assert asked.intervals == [QUICK]
            # All else stays as the computer chose it.
            [request] = asked.requests
            assert (request.latency, request.timeout) == (0, 72)
            await asyncio.sleep(CALM_AFTER - 2 * PATIENCE)
            assert asked.intervals == [QUICK]
            await asyncio.sleep(2 * PATIENCE)
            assert asked.intervals == [QUICK, CALM]
            await asyncio.sleep(3600)
            assert asked.intervals == [QUICK, CALM]
            await use(pc)
            assert asked.intervals == [QUICK, CALM, QUICK]
            assert await greet(pc)

    tell(story)


def test_a_single_frame_after_a_pause_asks_for_nothing_and_a_second_one_does(tell: Tell) -> None:
    async def story(scene: Scene) -> None:
        async with line(scene) as (pc, asked):
            for _ in range(3):
                await use(pc, 1)
                await asyncio.sleep(CALM_AFTER)
            assert asked.intervals == []
            await use(pc, 1)
            await use(pc, 1)
            assert asked.intervals == [QUICK]

    tell(story)


def test_a_computer_that_has_just_connected_is_left_in_peace(tell: Tell) -> None:
    async def story(scene: Scene) -> None:
        async with on_the_air(scene.handset.phone, scene.radio, asks=True), scene.computer() as pc:
            await scene.bonded_line(pc)
            asked = Asked(pc)
            for _ in range(5):
                await use(pc)
            assert asked.intervals == []
            await asyncio.sleep(FIRST_ASK_AFTER - 5 * PATIENCE)
            await use(pc)
            assert asked.intervals == [QUICK]

    tell(story)


@pytest.mark.parametrize("how", ["refuses", "does_not_know", "is_silent"])
def test_who_does_not_grant_it_is_not_asked_again_and_the_line_goes_on(
    tell: Tell, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    async def story(scene: Scene) -> None:
        async with line(scene) as (pc, asked):
            setattr(asked, how, True)
            caplog.set_level(logging.INFO, "fob_device")
            await use(pc)
            # Only one question at a time: it waits for the answer.
            await use(pc)
            await asyncio.sleep(ANSWER_TIME)
            await use(pc)
            await asyncio.sleep(2 * CALM_AFTER)
            assert asked.intervals == [QUICK]
            assert await greet(pc)
            assert [record.message for record in caplog.records] == [
                "a computer grants no connection interval of 15 ms: it keeps 30 ms"
            ]
            # Another connection is another chance.
            setattr(asked, how, False)
            await pc.disconnect()
            await reconnect(scene, pc)
            await asyncio.sleep(FIRST_ASK_AFTER)
            await use(pc)
            assert asked.intervals == [QUICK, QUICK]

    tell(story)


def test_a_stranger_who_answers_in_anothers_place_is_not_heard(tell: Tell) -> None:
    async def story(scene: Scene) -> None:
        async with line(scene) as (pc, asked), scene.computer(2) as stranger:
            await stranger.connect(scene.address)
            asked.is_silent = True
            await use(pc)
            manager: Any = stranger.device.l2cap_channel_manager
            refusal = L2CAP_Connection_Parameter_Update_Response(
                identifier=asked.requests[0].identifier, result=L2CAP_CONNECTION_PARAMETERS_REJECTED_RESULT
            )
            manager.send_control_frame(stranger.connection, 5, refusal)
            await asyncio.sleep(PATIENCE)
            asked.is_silent = False
            asked._grant(pc.connection, 5, asked.requests[0])
            await asyncio.sleep(PATIENCE)
            assert pc.connection.parameters.connection_interval == 15.0
            await asyncio.sleep(CALM_AFTER)
            assert asked.intervals == [QUICK, CALM]

    tell(story)


def test_a_computer_that_goes_while_it_is_asked_leaves_nothing_behind(tell: Tell) -> None:
    async def story(scene: Scene) -> None:
        async with line(scene) as (pc, asked):
            asked.is_silent = True
            await use(pc)
            await pc.disconnect()
            await asyncio.sleep(2 * ANSWER_TIME)
            assert asked.intervals == [QUICK]

    tell(story)
