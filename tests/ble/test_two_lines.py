"""One token, two lines: the cable is preferred, the radio stands by, and programs notice no change between them."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from cryptoki.desk import Thinker
from fob_daemon.device.remote_token import PrivateInput
from fob_daemon.device.slot import open_slot
from fob_daemon.link.keeper import State
from fob_daemon.link.manager import LinkManager
from fob_daemon.link.transport import Line, LineUrl
from fob_device.approval.questions import Decider
from fob_device.line.phone_lines import PhoneLines
from fob_protocol import catalogue
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Cku
from support.memory_line import Cable
from support.noise import Noise
from support.radio_cable import RadioCable
from support.virtual_loop import run_virtually
from support.world import USER_PIN, World, counted_signatures

INFO = catalogue.GET_TOKEN_INFO.build()


class TwoLines:
    """A phone that was paired by radio and has a cable too: `async with TwoLines(tmp_path) as lines`."""

    def __init__(self, folder: Path, person: Decider | None = None) -> None:
        self._person = person
        self.radio = RadioCable(folder)
        self.cable = Cable(Noise(0.0, 1))
        self.opened: list[str] = []
        self._folder = folder

    async def __aenter__(self) -> "TwoLines":
        self.world = await World.paired(self._folder, 1, self._person, cable=self.radio)
        await self.world.disconnect()
        self.cable.switch_on(PhoneLines(self.world.phone))
        self.link = LinkManager(
            (self.cable.url, self.radio.url),
            self.world._identity,
            self.world._device_key,
            self.world.random.randbytes,
            self._open,
        )
        self.world.link = self.link
        self.world._running = asyncio.create_task(self.link.run())
        await self.until(State.READY, State.STANDBY)
        self.slot = open_slot(1, "phone", self.link)
        self.key = await self.world.new_key(b"ec")
        await self.slot.logins.open(Cku.USER, USER_PIN)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.world.disconnect()
        self.cable.switch_off()
        await self.world.close()

    async def until(self, cable: State, radio: State, seconds: float = 60.0) -> None:
        """Let time pass until the lines are in these states."""
        await self.world.until(lambda: self.states() == (cable, radio), seconds)

    def states(self) -> tuple[State, ...]:
        return tuple(line.state for line in self.link.lines)

    async def sign(self, digest: bytes = bytes(32)) -> bytes:
        """As a program that is logged in does."""
        token = self.slot.remote
        return await self.slot.logins.run(Cku.USER, lambda: token.sign(PrivateInput(self.key, None, digest)))

    async def _open(self, url: LineUrl, on_data: Callable[[bytes], None]) -> Line:
        self.opened.append(url.scheme)
        opener = self.cable if url == self.cable.url else self.radio
        return await opener.open(url, on_data)


@pytest.mark.clause("P7")
def test_a_pulled_cable_moves_the_traffic_to_the_radio_within_a_second(tmp_path: Path) -> None:
    async def story() -> None:
        async with TwoLines(tmp_path) as lines:
            connects = lines.link.connects
            lines.cable.unplug()
            began = asyncio.get_running_loop().time()
            await lines.sign()
            assert asyncio.get_running_loop().time() - began < 1.0
            assert lines.link.connects == connects + 1
            # The radio was held ready: nothing was searched for.
            assert (lines.link.line.url.scheme, lines.opened.count("ble")) == ("ble", 1)

    run_virtually(story())


@pytest.mark.clause("P7", "P9")
def test_a_signature_under_way_when_the_cable_is_pulled_is_made_once(tmp_path: Path) -> None:
    async def story() -> None:
        async with TwoLines(tmp_path) as lines:
            with counted_signatures() as signed:
                for number in range(20):
                    digest = bytes([number]) * 32
                    signing = asyncio.create_task(lines.sign(digest))
                    # From before the request has left to after the answer has come.
                    await asyncio.sleep(number * 0.0004)
                    lines.cable.unplug()
                    await signing
                    assert signed[digest] == 1
                    lines.cable.plug_in()
                    await lines.until(State.READY, State.STANDBY)

    run_virtually(story())


def test_the_traffic_comes_back_to_the_cable_when_nothing_is_under_way(tmp_path: Path) -> None:
    async def story() -> None:
        async with TwoLines(tmp_path) as lines:
            lines.cable.unplug()
            await lines.until(State.AWAY, State.READY)
            connects = lines.link.connects
            lines.cable.plug_in()
            await lines.until(State.READY, State.STANDBY)
            assert lines.link.connects == connects + 1
            before = lines.radio.radio
            assert (await lines.link.request(INFO, timeout=30)).ckr == Ckr.OK
            assert (before, lines.link.line.url) == (lines.radio.radio, lines.cable.url)

    run_virtually(story())


def test_who_waits_for_the_person_is_not_moved_back(tmp_path: Path) -> None:
    async def story() -> None:
        person = Thinker()
        async with TwoLines(tmp_path, person) as lines:
            lines.cable.unplug()
            await lines.until(State.AWAY, State.READY)
            signing = asyncio.create_task(lines.sign())
            await asyncio.sleep(1)
            lines.cable.plug_in()
            await lines.until(State.STANDBY, State.READY)
            await asyncio.sleep(10)
            assert lines.states() == (State.STANDBY, State.READY)
            person.answered.set()
            await signing
            await lines.until(State.READY, State.STANDBY)

    run_virtually(story())


def test_a_phone_out_of_range_is_reached_by_cable_and_stands_by_when_it_is_back(tmp_path: Path) -> None:
    async def story() -> None:
        async with TwoLines(tmp_path) as lines:
            connects = lines.link.connects
            lines.radio.unplug()
            await lines.until(State.READY, State.AWAY)
            assert (await lines.link.request(INFO, timeout=30)).ckr == Ckr.OK
            await asyncio.sleep(60)
            lines.radio.plug_in()
            await lines.until(State.READY, State.STANDBY)
            assert lines.link.connects == connects

    run_virtually(story())


def test_with_both_lines_gone_the_device_is_away_and_each_line_says_why(tmp_path: Path) -> None:
    async def story() -> None:
        async with TwoLines(tmp_path) as lines:
            lines.radio.unplug()
            lines.cable.unplug()
            await lines.until(State.AWAY, State.AWAY)
            await asyncio.sleep(30)
            assert (lines.link.state, lines.link.greeting) == (State.AWAY, None)
            assert all(line.why for line in lines.link.lines)

    run_virtually(story())
