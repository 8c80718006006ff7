"""By cable and by radio: lines that break in the middle of what is relayed. And programs that are killed by radio."""

import asyncio
import random
from itertools import product
from pathlib import Path
from typing import Final

import pytest

from fob_device.workbench.control import ask
from support.gate import Moment, Strike
from support.nursery import Nursery
from support.trio import Made, Party, Trio, trio_of
from support.trio_stories import (
    CONFIGURATION_POINTS,
    FIRST_CONFIGURATION,
    REGISTRATION_POINTS,
    STORY_TIME,
    THOROUGH,
    Story,
    check_configured_once,
    check_registered_once,
    configure,
    each,
    register,
)

pytestmark = [pytest.mark.slow]

# Octets per second: what is to be cut takes long enough to be cut.
SLOW: Final = 1000
# Exchanges of the first configuration: the answer with the challenge, and the one with all that is granted.
CHALLENGED, GRANTED = 2, 3

# Of each conversation, unless FOB_POWER_CUTS is "all".
BY_RADIO: Final = 4


@pytest.fixture(params=["generic", "generic_by_radio"], ids=["serial", "ble"])
def made(request: pytest.FixtureRequest) -> Made:
    found: Made = request.getfixturevalue(request.param)
    return found


class Scissors:
    """On the phone's workbench. `direction` is that of the octets that are counted."""

    def __init__(self, phone: Path, direction: str) -> None:
        self._phone = phone
        self._direction = direction
        self._before = 0

    def open(self) -> None:
        """From now on octets are counted, and cross slowly."""
        self._before = self._count()
        ask(self._phone, {"do": "slow", "rate": SLOW})

    def cut_after(self, octets: int) -> int:
        """The line hangs up when so many have crossed it, or a few more: how many."""
        while (crossed := self._count() - self._before) < octets:
            pass
        assert ask(self._phone, {"do": "drop"})["dropped"] == 1
        ask(self._phone, {"do": "calm"})
        return crossed

    def _count(self) -> int:
        [line] = ask(self._phone, {"do": "report"})["report"]["lines"]
        count: int = line[self._direction]
        return count


async def configure_and_cut(trio: Trio, number: int, direction: str, octets: int) -> int:
    """The line breaks when so many octets have crossed it since an exchange was answered; how many they were."""
    scissors = Scissors(trio.scratch.phone, direction)
    trio.gate.strike = Strike(number, Moment.AFTER, scissors.open, answers=True)
    async with asyncio.timeout(STORY_TIME):
        configuring = asyncio.create_task(configure(trio))
        await trio.gate.struck.wait()
        crossed = await trio.ask(lambda: scissors.cut_after(octets))
        assert len(trio.gate.asked) == number, "the next question has reached nobody"
        await configuring
    trio.close()
    check_configured_once(trio)
    return crossed


@pytest.mark.clause("C27", "P7")
async def test_a_line_that_breaks_in_the_middle_of_an_answer(programs: Nursery, made: Made) -> None:
    """AT+FOBRELAYED is begun again in the next session; the office is not asked again for what is at the daemon."""
    async with trio_of(programs, made) as trio:
        crossed = await configure_and_cut(trio, GRANTED, "octets_in", 700)
        assert 700 <= crossed < trio.gate.answers[GRANTED - 1]
        assert trio.gate.asked == list(FIRST_CONFIGURATION)


@pytest.mark.clause("C27", "P7")
async def test_a_line_that_breaks_in_the_middle_of_a_question(programs: Nursery, made: Made) -> None:
    """It is fetched again in the next session, and nothing but this one question is ever posted."""
    async with trio_of(programs, made) as trio:
        crossed = await configure_and_cut(trio, CHALLENGED, "octets_out", 100)
        assert 100 <= crossed < trio.gate.questions[CHALLENGED]
        assert trio.gate.asked == list(FIRST_CONFIGURATION)


def some(numbers: tuple[int, ...], seed: int) -> list[tuple[int, Moment, Party]]:
    """Points at which one of them is killed."""
    points = list(product(numbers, Moment, Party))
    return points if THOROUGH else random.Random(seed).sample(points, BY_RADIO)


@pytest.mark.clause("C13", "C24", "C27")
async def test_killed_while_configuring_by_radio(programs: Nursery, generic_by_radio: Made) -> None:
    story = Story(generic_by_radio, configure, check_configured_once)
    await each(some(CONFIGURATION_POINTS, 1), lambda point: story.disturbed(programs, *point))


@pytest.mark.clause("R15", "R18", "R26")
async def test_killed_while_registering_by_radio(programs: Nursery, configured_by_radio: Made) -> None:
    story = Story(configured_by_radio, register, check_registered_once)
    await each(some(REGISTRATION_POINTS, 2), lambda point: story.disturbed(programs, *point))
