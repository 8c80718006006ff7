"""A computer whose clock is behind, or was set back: it asks as often as ever, and is told what time it is."""

import pytest

from daemon_integrity.computer import Computer, asked_by_itself, refusal_of, validated
from fob_office.distribution.operating import disable
from support.office_holders import policy

HOUR = 3600


@pytest.mark.clause("V16")
async def test_a_clock_that_is_behind_or_set_back_makes_no_interval_longer(computer: Computer) -> None:
    policy(computer.scene, "fobd", interval=60, grace=0)
    await computer.enrol()
    computer.slow = 2 * HOUR
    async with computer.switched_on() as own:
        assert await refusal_of(own) == ""
        disable(computer.scene.office, bytes.fromhex(own.report().copy), "operator")
        computer.slow = 4 * HOUR
        computer.scene.clock.pass_by(59)
        assert await refusal_of(own) == ""
        computer.scene.clock.pass_by(1)
        assert "(disabled)" in await refusal_of(own)


@pytest.mark.clause("V16")
async def test_nor_does_it_stop_the_asking_in_the_background(computer: Computer) -> None:
    policy(computer.scene, "fobd", interval=60)
    await computer.enrol()
    async with computer.switched_on() as own:
        assert await refusal_of(own) == ""
        disable(computer.scene.office, bytes.fromhex(own.report().copy), "operator")
        computer.slow = 2 * HOUR
        computer.scene.clock.pass_by(60)
        # By grace, while the office is asked.
        assert await refusal_of(own) == ""
        await asked_by_itself(computer, own)
        assert "(disabled)" in await refusal_of(own)


@pytest.mark.clause("V14", "V22")
async def test_a_refusal_as_late_tells_the_time_and_the_next_request_has_it(computer: Computer) -> None:
    """Without a challenge nothing else does."""
    policy(computer.scene, "fobd", technique="D2", grace=0)
    await computer.enrol()
    computer.slow = 2 * HOUR
    computer.scene.clock.pass_by(HOUR)
    async with computer.switched_on() as own:
        assert await validated(own) == "valid"
        assert computer.line.asked[-3:] == ["directory", "validation", "validation"]
        assert await refusal_of(own) == ""
