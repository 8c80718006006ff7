"""What a device's clock says makes no copy younger than what servers have signed, and locks no honest one out."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from fob_device.integrity.own_program import NAME
from fob_device.office.talker import TIME_STEP
from fob_protocol.integrity.copy_record import COMPONENT_POLICY, INSTALLATION_POLICY
from fob_protocol.integrity.method import Embedder, Method, Technique, Variant
from fob_protocol.integrity.validation import State, Validated
from fob_protocol.office.refusals import Refusal
from support.integrity_bench import IntegrityBench, on_integrity_bench, validating_office

MINUTELY = replace(COMPONENT_POLICY, interval=60)
UNCHALLENGED = Method(Technique.D1, Embedder.DISTRIBUTOR, Variant.VA_1)


@pytest.mark.clause("V16")
@pytest.mark.parametrize("behind", [45, 3600])
@pytest.mark.parametrize("program", [NAME, "looping"])
def test_a_clock_that_is_behind_keeps_no_use_from_asking(tmp_path: Path, program: str, behind: int) -> None:
    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        # A time that is not worth a write of the disk yet.
        bench.office.now += TIME_STEP - 1
        assert await bench.use(program) == "used"
        bench.behind = behind
        bench.integrity.copy(program).state = State.DISABLED
        assert await bench.use(program) == "disabled"

    on_integrity_bench(tmp_path, story, validating_office(own=replace(INSTALLATION_POLICY, grace=0)))


@pytest.mark.clause("V16", "V17")
def test_an_interval_is_over_when_it_is_by_a_clock_that_nobody_sets(tmp_path: Path) -> None:
    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        bench.behind = 7200
        for program in ("looping", NAME):
            bench.integrity.copy(program).state = State.DISABLED
        asked = len(bench.integrity.log)
        bench.office.now += MINUTELY.interval - 1
        assert [await bench.use(program) for program in ("looping", NAME)] == ["used", "used"]
        assert len(bench.integrity.log) == asked
        bench.office.now += 1
        assert [await bench.use(program) for program in ("looping", NAME)] == ["disabled", "disabled"]

    own = replace(INSTALLATION_POLICY, interval=60, grace=0)
    on_integrity_bench(tmp_path, story, validating_office(policy=MINUTELY, own=own))


@pytest.mark.clause("V16")
def test_without_grace_a_clock_that_is_behind_gives_none_across_a_restart(tmp_path: Path) -> None:
    async def story(bench: IntegrityBench) -> None:
        bench.office.now += 3600
        await bench.validated()
        bench.behind = 7200
        bench.away()
        await bench.power_cut()
        await bench.back_office.started.wait()
        assert [await bench.use(program) for program in ("looping", NAME)] == ["not-validated", "not-validated"]

    on_integrity_bench(tmp_path, story, validating_office(own=replace(INSTALLATION_POLICY, grace=0)))


@pytest.mark.clause("V8", "V22")
def test_a_holder_whose_clock_is_behind_is_late_once_and_hears_the_time_with_that(tmp_path: Path) -> None:
    office = validating_office(method=UNCHALLENGED)
    assert office.integrity is not None
    office.integrity.known[NAME].method = UNCHALLENGED

    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        asked = len(bench.integrity.log)
        await bench.switch_off()
        bench.office.now += 3600
        bench.behind = 3600
        await bench.start()
        assert set(bench.words.values()) == {"valid"}
        came = [answer if isinstance(answer, Refusal) else type(answer) for _, answer in bench.integrity.log[asked:]]
        assert came == [Refusal.LATE, *[Validated] * 4]
        assert await bench.use("looping") == "used"

    on_integrity_bench(tmp_path, story, office)
