"""The link manager: what a request sees of a link that comes, goes and comes back."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from fob_daemon.link.ble.radio import FORGOTTEN_THERE
from fob_daemon.link.fate import FateUnknownError
from fob_daemon.link.keeper import BACKOFF, State
from fob_daemon.link.manager import LinkManager
from fob_protocol import catalogue
from fob_protocol.noise.keys import KeyPair
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.session.pace import RECONNECT_GRACE
from support.medium import Medium
from support.memory_line import Cable
from support.virtual_loop import run_virtually
from support.world import World

INFO = catalogue.GET_TOKEN_INFO.build()


async def refusal(link: LinkManager) -> tuple[CkrError, float]:
    """How a request fails, and after how many seconds."""
    began = asyncio.get_running_loop().time()
    with pytest.raises(CkrError) as caught:
        await link.request(INFO, timeout=30)
    return caught.value, asyncio.get_running_loop().time() - began


def is_cable(medium: Medium) -> bool:
    """A cable tells a break at once, and keeps no bond."""
    return isinstance(medium, Cable)


def test_away_fails_at_once_and_back_works_again(tmp_path: Path, medium: Medium) -> None:
    async def story() -> None:
        world = await World.paired(tmp_path, 1, cable=medium)
        world.cable.unplug()
        await asyncio.sleep(5)
        error, seconds = await refusal(world.manager)
        assert (error.ckr, seconds, world.manager.state) == (Ckr.DEVICE_REMOVED, 0.0, State.AWAY)
        world.cable.plug_in()
        # The longest pause between two tries, and the time to connect.
        await world.until(lambda: world.manager.greeting is not None, seconds=BACKOFF[-1] + 1.5)
        assert (await world.manager.request(INFO, timeout=30)).ckr == Ckr.OK
        assert world.manager.connects == 2
        await world.close()

    run_virtually(story())


def test_a_short_break_is_not_noticed(tmp_path: Path, medium: Medium) -> None:
    async def story() -> None:
        world = await World.paired(tmp_path, 1, cable=medium)
        # The device has heard of the session: before that nobody could say later what it made of a request.
        await asyncio.sleep(1)
        world.cable.hang_up()
        assert (await world.manager.request(INFO, timeout=30)).ckr == Ckr.OK
        assert world.manager.connects == 2
        await world.close()

    run_virtually(story())


def test_a_long_break_is_told_within_two_seconds(tmp_path: Path, medium: Medium) -> None:
    async def story() -> None:
        world = await World.paired(tmp_path, 1, cable=medium)
        world.cable.unplug()
        error, seconds = await refusal(world.manager)
        # The request was on its way when the plug was pulled: nobody knows whether it arrived.
        assert (type(error), error.ckr, error.reason) == (FateUnknownError, Ckr.DEVICE_ERROR, "the link was lost")
        assert seconds < 2.0
        if is_cable(medium):
            assert seconds == pytest.approx(RECONNECT_GRACE, abs=0.01)
        await world.close()

    run_virtually(story())


def test_a_device_that_falls_silent_is_given_up_within_two_seconds(tmp_path: Path, medium: Medium) -> None:
    async def story() -> None:
        world = await World.paired(tmp_path, 1, cable=medium)
        world.noise.silence = True
        error, seconds = await refusal(world.manager)
        assert error.ckr in (Ckr.DEVICE_ERROR, Ckr.DEVICE_REMOVED)
        assert seconds < 2.0
        await world.close()

    run_virtually(story())


def test_the_first_request_waits_for_the_first_session(tmp_path: Path, medium: Medium) -> None:
    async def story() -> None:
        world = await World.paired(tmp_path, 1, cable=medium)
        await world.disconnect()
        link = world.new_link()
        running = asyncio.create_task(link.run())
        await asyncio.sleep(0)
        assert (await link.request(INFO, timeout=30)).ckr == Ckr.OK
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await world.close()

    run_virtually(story())


@pytest.mark.clause("P14")
def test_another_device_at_the_line_is_refused(tmp_path: Path, medium: Medium) -> None:
    async def story() -> None:
        world = await World.paired(tmp_path, 1, cable=medium)
        # The same public key would be in the registry; only the private key behind it differs.
        other = KeyPair.generate(world.random.randbytes)
        world.phone.memory = replace(world.phone.memory, identity=other)
        world.cable.hang_up()
        await world.until(lambda: world.manager.state is State.REFUSED)
        assert world.manager.greeting is None
        await world.close()

    run_virtually(story())


def test_a_phone_that_forgot_this_pc_says_so(tmp_path: Path, medium: Medium) -> None:
    async def story() -> None:
        world = await World.paired(tmp_path, 1, cable=medium)
        world.forget_pc()
        world.cable.hang_up()
        await world.until(lambda: world.manager.state is State.REFUSED)
        # By radio the bond is asked for first.
        why = "the device is not paired with this computer" if is_cable(medium) else FORGOTTEN_THERE
        assert (world.manager.why, world.manager.remedy) == (why, f"fob pair {medium.url.text}")
        await world.close()

    run_virtually(story())


def test_an_idle_link_is_probed_and_no_script_that_counts_round_trips_sees_it(tmp_path: Path, medium: Medium) -> None:
    async def story() -> None:
        world = await World.paired(tmp_path, 1, cable=medium)
        counters = world.manager.counters
        await asyncio.sleep(0.1)
        assert counters.keepalives == 1, "nobody asked for anything: the first record proves our key to the device"
        assert (await world.manager.request(INFO, timeout=30)).ckr == Ckr.OK
        before = counters.round_trips
        await asyncio.sleep(100)
        assert (counters.round_trips - before, counters.keepalives) == (0, 4)
        assert (await world.manager.request(INFO, timeout=30)).ckr == Ckr.OK
        assert (counters.round_trips - before, counters.keepalives) == (1, 4)
        assert world.manager.connects == 1
        await world.close()

    run_virtually(story())
