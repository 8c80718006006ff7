"""Uses that wait for the office: for an answer to a question begun after they came, while it is there."""

import asyncio
from pathlib import Path

import pytest

from fob_device.integrity.copies import SHORT_ASK_TIME
from fob_device.integrity.own_program import NAME
from fob_device.office.carrier import NotCarried, NotCarriedError
from fob_device.office.progress import Told
from fob_device.office.talker import LEAST_PAUSE
from fob_protocol.integrity.validation import State
from support.integrity_bench import IntegrityBench, on_integrity_bench

# Virtual seconds.
HOUR = 3600.0


@pytest.mark.clause("V16")
@pytest.mark.parametrize("program", [NAME, "looping"])
def test_a_question_that_was_withdrawn_is_no_answer_to_those_who_wait(tmp_path: Path, program: str) -> None:
    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        bench.integrity.copy(program).state = State.DISABLED
        bench.post.cut = bench.post.carried + 1, False
        uses = [bench.background(bench.use(program)) for _ in range(3)]
        await asyncio.sleep(0.1)
        # Nobody carries the next one's question either.
        bench.post.cut = bench.post.carried + 1, False
        for use in uses[:2]:
            use.cancel()
            await asyncio.sleep(0.1)
        assert await uses[2] == "disabled"

    on_integrity_bench(tmp_path, story)


@pytest.mark.clause("V16")
def test_who_waits_in_vain_answers_for_nobody_who_came_behind_the_question(tmp_path: Path) -> None:
    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        answers = asyncio.Event()
        carry = bench.post.carry

        async def slowly(service: str, question: bytes, told: Told) -> bytes:
            answer = await carry(service, question, told)
            await answers.wait()
            return answer

        # The office has answered, and whoever carries it takes longer than a use waits.
        bench.post.carry = slowly  # type: ignore[method-assign]
        first = bench.background(bench.copies.validate(NAME))
        await asyncio.sleep(0.1)
        waited = bench.background(bench.use(NAME))
        await asyncio.sleep(SHORT_ASK_TIME - 1)
        late = bench.background(bench.use(NAME))
        assert await waited == "used", "by grace"
        bench.integrity.copy(NAME).state = State.DISABLED
        answers.set()
        await first
        assert await late == "disabled"

    on_integrity_bench(tmp_path, story)


@pytest.mark.clause("V16")
def test_the_first_use_after_the_office_is_back_is_the_last_that_goes_unasked(tmp_path: Path) -> None:
    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        bench.away()
        assert [await bench.use(NAME) for _ in range(2)] == ["used", "used"]
        # The pauses have grown.
        await asyncio.sleep(HOUR)
        bench.integrity.copy(NAME).state = State.DISABLED
        bench.away(False)
        assert await bench.use(NAME) == "used"
        await asyncio.sleep(LEAST_PAUSE)
        assert await bench.use(NAME) == "disabled"

    on_integrity_bench(tmp_path, story)


@pytest.mark.clause("V16")
def test_an_office_that_wanted_to_be_asked_tomorrow_is_asked_when_a_key_is_used(tmp_path: Path) -> None:
    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        tomorrow = NotCarriedError(NotCarried.NOT_ANSWERED, 86_400)
        # To the use, and to what the device asks by itself behind it.
        bench.post.failures += [tomorrow, tomorrow]
        assert await bench.use(NAME) == "used"
        await asyncio.sleep(HOUR)
        bench.integrity.copy(NAME).state = State.DISABLED
        assert await bench.use(NAME) == "used"
        await asyncio.sleep(LEAST_PAUSE)
        assert await bench.use(NAME) == "disabled"

    on_integrity_bench(tmp_path, story)


def test_an_office_that_is_away_has_rest_however_many_keys_are_used(tmp_path: Path) -> None:
    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        bench.away()
        assert [await bench.use(NAME) for _ in range(2)] == ["used", "used"]
        await asyncio.sleep(HOUR)
        carried = bench.post.carried
        for _ in range(100):
            assert await bench.use(NAME) == "used"
            await asyncio.sleep(1)
        assert bench.post.carried - carried <= 100 / LEAST_PAUSE + 1

    on_integrity_bench(tmp_path, story)


@pytest.mark.clause("V16")
def test_a_use_without_grace_waits_no_longer_for_what_pauses_than_the_office_has_rest(tmp_path: Path) -> None:
    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        bench.away()
        assert [await bench.use(NAME) for _ in range(2)] == ["used", "used"]
        await asyncio.sleep(HOUR)
        bench.away(False)
        loop = asyncio.get_running_loop()
        begin = loop.time()
        assert await bench.use("looping") == "used"
        assert loop.time() - begin <= LEAST_PAUSE
        # What answers one question has the others asked too.
        await asyncio.sleep(LEAST_PAUSE)
        assert not bench.standings.is_unanswered(NAME)

    on_integrity_bench(tmp_path, story)
