"""For how many computers, and for how long, the phone's port on the air has room (protocol, section 8)."""

import asyncio

import pytest

from fob_protocol.limits import PAIRING_TIME
from fob_protocol.link.gatt import CONNECTIONS_LIMIT, PROVING_TIME
from support.ble_scene import Scene, Tell
from support.ble_world import greet, on_the_air

pytestmark = pytest.mark.clause("P7")


def test_there_is_room_for_four_and_then_no_advertising(tell: Tell) -> None:
    async def story(scene: Scene) -> None:
        async with on_the_air(scene.handset.phone, scene.radio):
            computers = [scene.computer(number) for number in range(1, CONNECTIONS_LIMIT + 2)]
            centrals = [await computer.__aenter__() for computer in computers]
            *inside, outside = centrals
            for pc in inside:
                await scene.bonded_line(pc)
            with pytest.raises(TimeoutError):
                await outside.scan(scene.address)
            for pc in inside:
                assert await greet(pc)
            await inside[1].disconnect()
            await scene.bonded_line(outside)
            assert await greet(outside)

    tell(story)


def test_a_stranger_holds_a_connection_for_half_a_minute(tell: Tell) -> None:
    async def story(scene: Scene) -> None:
        async with scene.phone_and_computer() as pc:
            await asyncio.sleep(PROVING_TIME - 2)
            assert pc.is_connected
            await pc.gone()

    tell(story)


def test_a_bonded_computer_that_does_not_pair_is_sent_away(tell: Tell) -> None:
    async def story(scene: Scene) -> None:
        async with on_the_air(scene.handset.phone, scene.radio), scene.computer() as pc:
            await scene.bonded_line(pc)
            await asyncio.sleep(PAIRING_TIME - 1)
            assert await greet(pc)
            await pc.gone()
            assert scene.bonds == []

    tell(story)


def test_switching_off_says_goodbye(tell: Tell) -> None:
    async def story(scene: Scene) -> None:
        async with scene.computer() as pc:
            async with on_the_air(scene.handset.phone, scene.radio):
                await scene.paired(pc)
            assert not pc.is_connected

    tell(story)
