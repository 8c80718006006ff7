"""The next request's challenge comes with VAL_OK: what a use asks, and when a challenge is asked for all the same."""

from pathlib import Path

import pytest

from fob_device.integrity.own_program import NAME
from fob_protocol.integrity.challenges import Challenges
from fob_protocol.integrity.limits import CHALLENGE_AGE, CHALLENGE_TIME
from fob_protocol.integrity.validation import State
from fob_protocol.office.refusals import Refusal
from support.integrity_bench import IntegrityBench, on_integrity_bench, validating_office
from support.reference_integrity import TYPED

COPY, OTHER = bytes(16), bytes(range(16))
CHALLENGE = bytes(range(32))


async def questions(bench: IntegrityBench, program: str, word: str = "used") -> int:
    """How many one use of a program costs, which ends with this word."""
    before = bench.post.carried
    assert await bench.use(program) == word
    return bench.post.carried - before


@pytest.mark.clause("V7", "V16")
@pytest.mark.parametrize(("program", "count"), [("looping", 1), ("echo", 2), (NAME, 1)])
def test_each_use_asks_one_question_for_each_program_that_it_needs(tmp_path: Path, program: str, count: int) -> None:
    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        assert [await questions(bench, program) for _ in range(3)] == [count] * 3
        # Each is a request of its own, with a challenge of its own.
        copy = bench.integrity.copy(program)
        assert copy.program_number == copy.server_number == 4

    on_integrity_bench(tmp_path, story)


@pytest.mark.clause("V7")
def test_a_challenge_that_got_old_is_not_used_but_asked_for(tmp_path: Path) -> None:
    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        bench.office.now += CHALLENGE_AGE - 1
        assert await questions(bench, "looping") == 1
        bench.office.now += CHALLENGE_AGE
        assert await questions(bench, "looping") == 2
        assert await questions(bench, "looping") == 1
        assert not any(isinstance(answer, Refusal) for _, answer in bench.integrity.log)

    on_integrity_bench(tmp_path, story)


@pytest.mark.clause("V7", "V16")
def test_a_challenge_that_the_office_finds_too_old_is_refused_and_another_one_asked_for(tmp_path: Path) -> None:
    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        challenges = bench.integrity.copy("looping").challenges
        (challenge,) = challenges
        challenges[challenge] -= CHALLENGE_TIME + 1
        assert await questions(bench, "looping") == 3
        assert [answer for _, answer in bench.integrity.log].count(Refusal.STALE_CHALLENGE) == 1
        assert await questions(bench, "looping") == 1

    on_integrity_bench(tmp_path, story)


@pytest.mark.clause("V7", "V17")
def test_challenges_are_kept_nowhere_but_in_memory(tmp_path: Path) -> None:
    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        before = len(bench.integrity.copy("looping").challenges)
        assert before == 1
        await bench.switch_off()
        bench.memory = bench._open()
        bench.switch_on()
        carried = bench.post.carried
        await bench.validated()
        # Of each of the four programs challenge and request.
        assert bench.post.carried - carried == 8

    on_integrity_bench(tmp_path, story)


@pytest.mark.clause("V16")
@pytest.mark.parametrize("program", ["looping", NAME])
@pytest.mark.parametrize("state", [State.INVALID, State.CLONED, State.DISABLED])
def test_what_is_flagged_after_its_challenge_was_given_is_refused_at_its_next_use(
    tmp_path: Path, program: str, state: State
) -> None:
    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        assert await questions(bench, program) == 1
        bench.integrity.copy(program).state = state
        assert await questions(bench, program, state.name.lower()) == 1

    on_integrity_bench(tmp_path, story)


@pytest.mark.clause("V16")
def test_what_needs_a_program_that_was_disabled_is_refused_by_its_name_at_the_next_use(tmp_path: Path) -> None:
    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        assert await questions(bench, "echo") == 2
        bench.integrity.copy("table").state = State.DISABLED
        assert await questions(bench, "echo", "disabled") == 1

    on_integrity_bench(tmp_path, story)


@pytest.mark.clause("V7")
def test_a_technique_without_challenges_is_given_none(tmp_path: Path) -> None:
    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        assert bench.integrity.copies
        assert not any(copy.challenges for copy in bench.integrity.copies.values() if copy.record.method == TYPED)

    on_integrity_bench(tmp_path, story, validating_office(method=TYPED))


@pytest.mark.clause("V7")
def test_a_challenge_is_of_one_copy_and_one_request_and_taken_once() -> None:
    challenges = Challenges()
    challenges.keep(COPY, 7, 1000, CHALLENGE)
    assert challenges.take(OTHER, 7, 1000) is None
    assert challenges.take(COPY, 7, 1000) == CHALLENGE
    assert challenges.take(COPY, 7, 1000) is None
    challenges.keep(COPY, 7, 1000, CHALLENGE)
    # Another request has been answered since.
    assert challenges.take(COPY, 8, 1000) is None
    assert "01020304" not in repr(challenges)


@pytest.mark.clause("V7")
@pytest.mark.parametrize(("passed", "is_good"), [(CHALLENGE_AGE - 1, True), (CHALLENGE_AGE, False), (-1, False)])
def test_a_challenge_is_good_while_it_is_young_by_a_clock_that_was_not_set_back(passed: int, is_good: bool) -> None:
    challenges = Challenges()
    challenges.keep(COPY, 7, 1000, CHALLENGE)
    assert (challenges.take(COPY, 7, 1000 + passed) == CHALLENGE) is is_good


def test_old_challenges_of_copies_that_are_gone_are_forgotten() -> None:
    challenges = Challenges()
    for number in range(100):
        challenges.keep(number.to_bytes(16), 1, 1000 + number * CHALLENGE_AGE, CHALLENGE)
    assert repr(challenges) == "Challenges(1)"
