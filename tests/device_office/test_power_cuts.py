"""The power goes at every question of a configuration, and the device ends in one state all the same."""

from pathlib import Path

import pytest

from fob_protocol.office.configuration import Outcome
from support.device_bench import DeviceBench, on_bench, releases
from support.reference_office import ReferenceOffice

# Directory, challenge, request, four chunks, report: no question comes after the last of these.
QUESTIONS = 8


def ordered() -> ReferenceOffice:
    office = ReferenceOffice()
    office.order = releases(office)
    return office


@pytest.mark.clause("C13", "C24", "C27")
@pytest.mark.parametrize("answered", [False, True], ids=["before the answer", "after it"])
@pytest.mark.parametrize("question", range(1, QUESTIONS + 1))
def test_a_power_cut_at_any_question_of_the_first_configuration(tmp_path: Path, question: int, answered: bool) -> None:
    async def story(bench: DeviceBench) -> None:
        bench.post.cut = question, answered
        await bench.until(lambda: bench.post.is_cut.is_set() or bench.is_at_rest)
        was_cut = bench.post.is_cut.is_set()
        await bench.power_cut()
        await bench.at_rest()
        assert was_cut
        assert bench.installed == ["table", "echo", "looping"]
        assert bench.back_office.machine.boot.record.set_number == 1
        assert [(report.set_number, report.outcome) for report in bench.office.reports] == [(1, Outcome.CONFIRMED)]
        # A request that may have been sent is sent again as it was; one that was not kept is a new one.
        assert len(bench.office.requests) == 1
        assert bench.office.reports[0].counter > bench.office.requests[0].counter
        assert bench.store.pending_request() is None

    on_bench(tmp_path, story, ordered())


@pytest.mark.clause("C24", "C27")
def test_a_power_cut_at_each_question_one_after_the_other(tmp_path: Path) -> None:
    """No counter is ever used twice, however often it is cut."""

    async def story(bench: DeviceBench) -> None:
        for question in (1, 2, 3, 4, 2, 1, 3, 2, 1, 1):
            bench.post.cut = question, True
            await bench.until(lambda: bench.post.is_cut.is_set() or bench.is_at_rest)
            await bench.power_cut()
        await bench.at_rest()
        assert bench.installed == ["table", "echo", "looping"]
        counters = [request.counter for request in bench.office.requests]
        counters += [report.counter for report in bench.office.reports]
        assert counters == sorted(set(counters))

    on_bench(tmp_path, story, ordered())


@pytest.mark.clause("C27")
def test_chunks_that_are_there_are_not_fetched_again(tmp_path: Path) -> None:
    async def story(bench: DeviceBench) -> None:
        bench.post.cut = 6, False
        await bench.post.is_cut.wait()
        await bench.power_cut()
        await bench.at_rest()
        # What is left of four chunks, and the report.
        assert bench.post.carried <= 5

    on_bench(tmp_path, story, ordered())
