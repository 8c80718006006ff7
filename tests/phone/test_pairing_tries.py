"""Five pairings that come to nothing close pairing for a minute, however they were given up (protocol, section 5)."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fob_daemon.link.begin import RefusedError
from fob_daemon.link.data_line import DataLine, open_data_line
from fob_device.approval.narrator import Narrator
from fob_device.approval.rules import Rules
from fob_protocol.limits import PAIRING_CLOSED_FOR, PAIRING_TRIES
from fob_protocol.link.frames import Frame, Kind, Reason
from support.virtual_loop import run_virtually
from support.world import URL, World


async def first_answer(data_line: DataLine, commitment: bytes) -> Frame:
    """What the phone says to step 1."""
    frames: asyncio.Queue[Frame] = asyncio.Queue()
    data_line.on_frame = frames.put_nowait
    data_line.send(Frame(Kind.PAIR, (1,), commitment))
    return await frames.get()


@contextmanager
def disk_that_fails(world: World) -> Iterator[None]:
    """No write reaches the phone's disk."""
    connection = world.phone.pairings._database._connection
    connection.execute("PRAGMA query_only=ON")
    yield
    connection.execute("PRAGMA query_only=OFF")


def commitments(count: int) -> list[bytes]:
    return [bytes((number,)) * 32 for number in range(1, count + 1)]


async def over_one_line(world: World) -> list[Frame]:
    data_line = await open_data_line(URL, world.cable.open)
    return [await first_answer(data_line, commitment) for commitment in commitments(PAIRING_TRIES + 1)]


async def over_many_lines(world: World) -> list[Frame]:
    answers = []
    for commitment in commitments(PAIRING_TRIES + 1):
        data_line = await open_data_line(URL, world.cable.open)
        answers.append(await first_answer(data_line, commitment))
        data_line.line.close()
        await asyncio.sleep(0.1)
    return answers


@pytest.mark.clause("P14")
@pytest.mark.parametrize("attack", [over_one_line, over_many_lines])
def test_pairings_given_up_are_counted(tmp_path: Path, attack: Callable[[World], Awaitable[list[Frame]]]) -> None:
    async def story() -> None:
        world = await World.paired(tmp_path, 1)
        await world.disconnect()
        said: list[str] = []
        world.phone.on_pairing_open.append(Narrator(Rules(), said.append).pairing_opened)
        *begun, last = await attack(world)
        assert [(frame.kind, frame.fields) for frame in begun] == [(Kind.PAIR, (2,))] * PAIRING_TRIES
        assert (last.kind, last.fields) == (Kind.REFUSE, (Reason.PAIRING_CLOSED,))
        with pytest.raises(RefusedError, match="pairing is closed"):
            await world.pair()
        closed = "pairing is closed for 60 s: 5 tries in a row came to nothing"
        assert said == [closed]
        await asyncio.sleep(PAIRING_CLOSED_FOR)
        assert said == [closed, "pairing is open again"]
        await world.pair()
        await world.close()

    run_virtually(story())


def test_a_pairing_that_cannot_be_stored_is_no_pairing(tmp_path: Path) -> None:
    async def story() -> None:
        world = await World.paired(tmp_path, 1)
        await world.disconnect()
        world.forget_pc()
        with disk_that_fails(world), pytest.raises(RefusedError, match="no room"):
            await world.pair()
        assert len(world.phone.pairings) == 0
        await world.pair()
        assert len(world.phone.pairings) == 1
        await world.close()

    run_virtually(story())
