"""Device, daemon and office are killed at every message of the first configuration: it ends in one state by itself."""

import pytest

from support.gate import Moment
from support.nursery import Nursery
from support.trio import Made, Party
from support.trio_stories import (
    CONFIGURATION_POINTS,
    FIRST_CONFIGURATION,
    Story,
    check_configured_once,
    configure,
    each,
    points_of,
)

pytestmark = [pytest.mark.slow]


@pytest.fixture(scope="module")
def story(generic: Made) -> Story:
    return Story(generic, configure, check_configured_once)


@pytest.mark.clause("C13", "C15", "C19")
async def test_the_messages_of_a_configuration_that_nobody_disturbs(programs: Nursery, story: Story) -> None:
    assert await story.undisturbed(programs) == list(FIRST_CONFIGURATION)


@pytest.mark.clause("C13", "C24", "C27")
@pytest.mark.parametrize("moment", Moment)
@pytest.mark.parametrize("party", Party)
async def test_one_of_them_is_killed(programs: Nursery, story: Story, party: Party, moment: Moment) -> None:
    points = points_of(CONFIGURATION_POINTS, party, moment)
    await each(points, lambda number: story.disturbed(programs, number, moment, party))
