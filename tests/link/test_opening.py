"""From an open line to a session: what crosses it, octet by octet (docs/protocol.md, sections 1 and 6)."""

from pathlib import Path
from typing import Any

import pytest

from fob_daemon.link.begin import begin_session
from fob_daemon.link.data_line import DataLine, open_data_line
from fob_daemon.link.opening import ASK, WAKE
from fob_protocol.link.frames import DELIMITER, NO_CARRIER
from fob_protocol.session.pace import FIRST_ANSWER_OCTETS, HANDSHAKE_OCTETS, Pace
from fob_protocol.session.requester import Counters
from support.medium import Medium
from support.noise import Tap
from support.virtual_loop import run_virtually
from support.world import World

VERSIONS = b"\r\n+FOBOPEN: (1)\r\n\r\nOK\r\n"
OPEN = b"AT+FOBOPEN=1\r"
CONNECT = b"\r\nCONNECT\r\n"
HANDSHAKE_1, HANDSHAKE_2 = 102, 84


class Heard:
    """Both directions of a line."""

    def __init__(self, medium: Medium) -> None:
        self.down = bytearray()
        self.up = bytearray()
        medium.taps.append(Tap(self.down.extend, self.up.extend))

    def reset(self) -> None:
        """Hear from here."""
        self.down.clear()
        self.up.clear()


@pytest.fixture
def heard(medium: Medium) -> Heard:
    return Heard(medium)


async def shake_hands(world: World, data_line: DataLine) -> None:
    session = await begin_session(
        data_line,
        world._identity,
        world._device_key,
        world.random.randbytes,
        on_event=lambda event: None,
        counters=Counters(),
    )
    session.end()


async def unconnected(folder: Path, medium: Medium) -> World:
    world = await World.paired(folder, 1, cable=medium)
    await world.disconnect()
    return world


def test_a_device_in_command_state(tmp_path: Path, medium: Medium, heard: Heard) -> None:
    async def story() -> None:
        world = await unconnected(tmp_path, medium)
        heard.reset()
        answered: list[Any] = []
        data_line = await open_data_line(medium.url, medium.open, answered.append)
        assert answered == [data_line.line.pace]
        assert bytes(heard.down) == WAKE + ASK + OPEN
        # Echo is on until the end of ATE0; it crosses while the PC still writes.
        assert bytes(heard.up).endswith(ASK + VERSIONS + CONNECT)
        await world.close()

    run_virtually(story())


def test_a_device_in_data_state_hangs_up_and_is_asked_in_one(tmp_path: Path, medium: Medium, heard: Heard) -> None:
    async def story() -> None:
        world = await unconnected(tmp_path, medium)
        data_line = await open_data_line(medium.url, medium.open)
        heard.reset()
        answered: list[Any] = []
        await data_line.enter(answered.append)
        assert answered == [data_line.line.pace]
        assert bytes(heard.down) == WAKE + ASK + OPEN
        # What stands behind LEAVE counts in command state.
        assert bytes(heard.up) == NO_CARRIER + DELIMITER + b"\r" + ASK + VERSIONS + CONNECT
        await world.close()

    run_virtually(story())


def test_the_octets_that_the_patience_of_requests_is_reckoned_from(
    tmp_path: Path, medium: Medium, heard: Heard
) -> None:
    async def story() -> None:
        world = await unconnected(tmp_path, medium)
        data_line = await open_data_line(medium.url, medium.open)
        heard.reset()
        await shake_hands(world, data_line)
        assert (len(heard.down), len(heard.up)) == (HANDSHAKE_1, HANDSHAKE_2)
        assert len(WAKE + ASK + VERSIONS) <= FIRST_ANSWER_OCTETS
        assert len(ASK + VERSIONS + OPEN + CONNECT) + HANDSHAKE_1 + HANDSHAKE_2 <= HANDSHAKE_OCTETS
        await world.close()

    run_virtually(story())


@pytest.mark.parametrize(
    ("baud", "answer", "opening"), [(None, 350, 600), (115_200, 356, 744), (9_600, 417, 2325), (1_200, 883, 14_400)]
)
def test_how_long_a_request_waits(baud: int | None, answer: int, opening: int) -> None:
    pace = Pace(baud / 10 if baud else None)
    assert (round(pace.first_answer_time * 1000), round(pace.opening_time * 1000)) == (answer, opening)
