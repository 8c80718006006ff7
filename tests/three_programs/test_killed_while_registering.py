"""Device, daemon and office are killed at every message of a registration: a retry is safe, and it is one."""

import pytest

from support.gate import Moment
from support.nursery import Nursery
from support.trio import Made, Party
from support.trio_stories import (
    REGISTRATION,
    REGISTRATION_POINTS,
    Story,
    check_registered_once,
    each,
    points_of,
    register,
)

pytestmark = [pytest.mark.slow]


@pytest.fixture(scope="module")
def story(configured: Made) -> Story:
    return Story(configured, register, check_registered_once)


@pytest.mark.clause("R8", "R12", "R14")
async def test_the_messages_of_a_registration_that_nobody_disturbs(programs: Nursery, story: Story) -> None:
    assert await story.undisturbed(programs) == list(REGISTRATION)


@pytest.mark.clause("R15", "R18", "R26")
@pytest.mark.parametrize("moment", Moment)
@pytest.mark.parametrize("party", Party)
async def test_one_of_them_is_killed(programs: Nursery, story: Story, party: Party, moment: Moment) -> None:
    points = points_of(REGISTRATION_POINTS, party, moment)
    await each(points, lambda number: story.disturbed(programs, number, moment, party))
