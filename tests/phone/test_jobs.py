"""What a session was asked to do is remembered for a FOBRECALL: so many jobs, so many octets (docs, section 4)."""

import asyncio

import pytest

from fob_device.approval.askers import Asker
from fob_device.line.jobs import JOBS_LIMIT, Fate, Job, Jobs
from fob_protocol.at.answer import Answer
from fob_protocol.limits import HELD_OCTETS, OUTSTANDING_LIMIT, PARKED_LIMIT

pytestmark = pytest.mark.clause("P7")


class Remembered:
    """The jobs of a session, which end when the test says so."""

    def __init__(self) -> None:
        self.jobs = Jobs()
        self._ends: dict[int, asyncio.Future[Answer]] = {}

    def begin(self, *numbers: int) -> None:
        """So many requests arrive."""
        loop = asyncio.get_running_loop()
        for number in numbers:
            self._ends[number] = loop.create_future()
            self.jobs.add(number, Job(loop.create_task(self._run(number)), Asker()))

    async def end(self, *numbers: int, octets: int = 1) -> None:
        """They are answered, in this order."""
        for number in numbers:
            await asyncio.sleep(0)
            self._ends[number].set_result(Answer(((bytes(octets),),)))
            await asyncio.sleep(0)
        for _ in range(3):
            await asyncio.sleep(0)

    def fate(self, number: int) -> Fate | None:
        """Why there is no job of this number, None when there is one."""
        job = self.jobs.find(number)
        return job if isinstance(job, Fate) else None

    async def _run(self, number: int) -> Answer:
        return await self._ends[number]


async def test_of_finished_jobs_those_that_ended_first_are_forgotten() -> None:
    remembered = Remembered()
    remembered.begin(*range(JOBS_LIMIT))
    # The oldest waited for a person, and was answered last.
    await remembered.end(*range(1, JOBS_LIMIT), 0)
    remembered.begin(*range(JOBS_LIMIT, JOBS_LIMIT + 10))
    assert [remembered.fate(number) for number in range(1, 11)] == 10 * [Fate.FORGOTTEN]
    assert [remembered.fate(number) for number in (0, 11, JOBS_LIMIT + 9)] == [None, None, None]
    assert remembered.fate(JOBS_LIMIT + 10) is Fate.NEVER_CAME
    await remembered.end(*range(JOBS_LIMIT, JOBS_LIMIT + 10))


async def test_what_runs_is_never_forgotten() -> None:
    remembered = Remembered()
    waiting = range(PARKED_LIMIT + OUTSTANDING_LIMIT)
    remembered.begin(*waiting)
    for number in range(1_000, 1_000 + JOBS_LIMIT):
        remembered.begin(number)
        await remembered.end(number)
    assert {remembered.fate(number) for number in waiting} == {None}
    assert len(remembered.jobs.jobs) == JOBS_LIMIT
    await remembered.end(*waiting)


async def test_answers_are_remembered_up_to_a_number_of_octets() -> None:
    remembered = Remembered()
    size = 60_000
    numbers = range(HELD_OCTETS // size + 5)
    for number in numbers:
        remembered.begin(number)
        await remembered.end(number, octets=size)
    kept = [number for number in numbers if remembered.fate(number) is None]
    assert kept == list(numbers[-len(kept) :])
    assert size * (len(kept) + 1) > HELD_OCTETS >= size * len(kept)


async def test_a_withdrawn_job_is_remembered_as_one() -> None:
    remembered = Remembered()
    remembered.begin(0)
    await asyncio.sleep(0)
    remembered.jobs.withdraw(0)
    await asyncio.sleep(0)
    assert remembered.fate(0) is None
    assert remembered.jobs.unfinished() == []
