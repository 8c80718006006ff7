"""Who is enabled when: intervals, grace, verdicts, damage and healing."""

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from fob_device.integrity.copies import ASK_TIME
from fob_device.integrity.own_program import NAME, UnreadableProgramError
from fob_device.integrity.program import Program
from fob_protocol.integrity.copy_record import COMPONENT_POLICY, INSTALLATION_POLICY, Policy
from fob_protocol.integrity.validation import State
from fob_protocol.office.configuration import Purpose
from fob_protocol.office.envelope import Service
from fob_protocol.office.errors import RefusedError
from fob_protocol.office.refusals import Refusal
from support.integrity_bench import LASTING, IntegrityBench, on_integrity_bench, validating_office

VERDICTS = [State.INVALID, State.CLONED, State.DISABLED]


@pytest.mark.clause("V16", "V17")
def test_with_an_interval_of_0_each_use_asks_for_itself_and_for_what_it_needs(tmp_path: Path) -> None:
    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        for uses in range(1, 4):
            assert await bench.use("echo") == "used"
            names = [bench.integrity.copies[evidence.copy].record.program for evidence, _ in bench.integrity.log]
            assert names[4:] == ["table", "echo"] * uses
        bench.away()
        assert await bench.use("echo") == "not-validated"
        bench.away(False)
        assert await bench.use("echo") == "used"

    on_integrity_bench(tmp_path, story)


@pytest.mark.clause("V16")
@pytest.mark.parametrize("state", VERDICTS)
@pytest.mark.parametrize("program", ["table", "echo"])
def test_a_copy_that_the_centre_disables_does_nothing_more(tmp_path: Path, program: str, state: State) -> None:
    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        bench.integrity.copy(program).state = state
        assert await bench.use("echo") == state.name.lower()
        assert await bench.use("looping") == "used"
        # It stays so without asking, also when nobody can be asked.
        asked = len(bench.integrity.log)
        bench.away()
        assert [await bench.use("echo") for _ in range(2)] == [state.name.lower()] * 2
        assert len(bench.integrity.log) == asked
        await bench.power_cut()
        await bench.back_office.started.wait()
        assert await bench.use("echo") == state.name.lower()

    on_integrity_bench(tmp_path, story)


@pytest.mark.clause("V16", "V17")
def test_within_the_interval_nothing_is_asked_and_behind_it_once(tmp_path: Path) -> None:
    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        asked = len(bench.integrity.log)
        bench.office.now += LASTING.interval - 1
        assert (await bench.use("looping"), len(bench.integrity.log)) == ("used", asked)
        bench.office.now += 1
        assert (await bench.use("looping"), len(bench.integrity.log)) == ("used", asked + 1)
        assert (await bench.use("looping"), len(bench.integrity.log)) == ("used", asked + 1)

    on_integrity_bench(tmp_path, story, validating_office(policy=LASTING))


@pytest.mark.clause("V16")
def test_grace_is_for_what_was_valid_is_the_same_and_for_so_long(tmp_path: Path) -> None:
    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        bench.away()
        bench.office.now += LASTING.grace - 1
        assert [await bench.use(name) for name in ("echo", "looping")] == ["used", "used"]
        bench.damage("looping")
        await bench.power_cut()
        await bench.back_office.started.wait()
        assert [await bench.use(name) for name in ("echo", "looping")] == ["used", "not-validated"]
        bench.office.now += 1
        assert await bench.use("echo") == "not-validated"
        bench.away(False)
        assert [await bench.use(name) for name in ("echo", "looping")] == ["used", "invalid"]

    on_integrity_bench(tmp_path, story, validating_office(policy=LASTING))


@pytest.mark.clause("V16")
@pytest.mark.parametrize(("policy", "ends"), [(COMPONENT_POLICY, "not-validated"), (LASTING, "used")])
def test_a_use_waits_for_a_computer_that_carries_nothing_no_longer_than_for_a_person(
    tmp_path: Path, policy: Policy, ends: str
) -> None:
    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        bench.office.now += LASTING.interval
        bench.post.cut = bench.post.carried + 1, False
        loop = asyncio.get_running_loop()
        begin = loop.time()
        assert await bench.use("looping") == ends
        assert loop.time() - begin == pytest.approx(ASK_TIME)
        assert await bench.use("looping") == "used"

    on_integrity_bench(tmp_path, story, validating_office(policy=policy))


def test_a_program_that_cannot_be_read_is_not_validated(tmp_path: Path) -> None:
    async def story(bench: IntegrityBench) -> None:
        def unreadable() -> bytes:
            raise UnreadableProgramError("fob_device/other.py is no plain file")

        await bench.validated()
        bench.own = Program(NAME, (0, 1, 0), None, unreadable)
        await bench.restart()
        assert (bench.words[NAME], bench.standings.reason(NAME)) == ("not-validated", "unreadable")
        assert await bench.use(NAME) == "not-validated"
        assert bench.words["echo"] == "valid"

    on_integrity_bench(tmp_path, story)


@pytest.mark.clause("V15", "V17")
def test_a_damaged_component_is_refused_at_its_next_start_and_a_fresh_download_heals_it(tmp_path: Path) -> None:
    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        old = bench.copy("echo").about.copy
        bench.damage("echo")
        assert await bench.use("echo") == "used"
        await bench.restart()
        assert bench.words == {NAME: "valid", "table": "valid", "echo": "invalid", "looping": "valid"}
        assert await bench.use("echo") == "invalid"
        assert bench.integrity.copies[old].state is State.INVALID
        failures = [(one.component, one.fault) for one in bench.back_office.machine.running.failures]
        assert failures == [("echo", "wrong-digest")]
        bench.office.asked.clear()
        await bench.back_office.configure(Purpose.AGAIN)
        await bench.validated()
        assert [component.id for component in bench.office.requests[-1].catalogue] == ["looping", "table"]
        assert bench.office.asked.count(Service.CONTENT) == 1
        assert bench.integrity.asked[-1].replaced == (old,)
        assert (bench.words["echo"], await bench.use("echo")) == ("valid", "used")
        assert bench.copy("echo").about.copy != old

    on_integrity_bench(tmp_path, story)


@pytest.mark.clause("V15", "V24")
def test_what_of_the_device_s_own_program_was_changed_is_told_and_keeps_it_from_its_keys(tmp_path: Path) -> None:
    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        assert await bench.use(NAME) == "used"
        bench.own_octets += b"!"
        bench.away()
        await bench.power_cut()
        await bench.back_office.started.wait()
        assert await bench.use(NAME) == "not-validated"
        bench.away(False)
        await bench.validated()
        assert (bench.words[NAME], await bench.use(NAME)) == ("invalid", "invalid")
        # Installed anew.
        bench.own_octets = bench.own_octets[:-1]
        await bench.restart()
        assert (bench.words[NAME], await bench.use(NAME)) == ("valid", "used")

    on_integrity_bench(tmp_path, story)


@pytest.mark.clause("V15", "V16", "V17")
def test_a_new_device_whose_own_program_was_changed_before_its_first_copy_uses_no_key(tmp_path: Path) -> None:
    async def story(bench: IntegrityBench) -> None:
        bench.own_octets += b"!"
        await bench.validated()
        assert bench.words == {NAME: "invalid", "table": "valid", "echo": "valid", "looping": "valid"}
        assert bench.integrity.copy(NAME).state is State.INVALID
        assert [await bench.use(name) for name in (NAME, "echo")] == ["invalid", "used"]
        # Installed anew.
        bench.own_octets = bench.own_octets[:-1]
        await bench.restart()
        assert (bench.words[NAME], await bench.use(NAME)) == ("valid", "used")

    on_integrity_bench(tmp_path, story)


@pytest.mark.clause("V16")
def test_without_any_copy_its_keys_are_used_for_no_longer_than_with_one_that_waits(tmp_path: Path) -> None:
    async def story(bench: IntegrityBench) -> None:
        bench.office.refuses[Service.DISTRIBUTION] = RefusedError(Refusal.DENIED)
        await bench.validated()
        assert (bench.standings.copy(NAME), await bench.use(NAME)) == (None, "used")
        bench.office.now += INSTALLATION_POLICY.grace - 1
        await bench.power_cut()
        await bench.back_office.started.wait()
        assert await bench.use(NAME) == "used"
        bench.office.now += 1
        assert await bench.use(NAME) == "not-validated"
        assert bench.standings.reason(NAME) == "denied"
        del bench.office.refuses[Service.DISTRIBUTION]
        await bench.restart()
        assert (bench.words[NAME], await bench.use(NAME)) == ("valid", "used")

    on_integrity_bench(tmp_path, story)


@pytest.mark.clause("V16", "V17")
def test_its_own_program_is_asked_about_at_each_interval_and_its_keys_wait_for_nobody_meanwhile(tmp_path: Path) -> None:
    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        for interval in range(2, 5):
            bench.office.now += INSTALLATION_POLICY.interval
            assert await bench.use(NAME) == "used"
            await bench.until(lambda: bench.copy(NAME).program_number == interval)  # noqa: B023 - awaited here
        bench.away()
        bench.office.now += INSTALLATION_POLICY.grace - 1
        carried = bench.post.carried
        assert (await bench.use(NAME), bench.post.carried) == ("used", carried)
        bench.office.now += 1
        assert await bench.use(NAME) == "not-validated"

    on_integrity_bench(tmp_path, story)


@pytest.mark.clause("V16")
def test_its_own_program_may_be_asked_about_before_each_use_too(tmp_path: Path) -> None:
    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        bench.integrity.copy(NAME).state = State.DISABLED
        assert await bench.use(NAME) == "disabled"

    on_integrity_bench(tmp_path, story, validating_office(own=COMPONENT_POLICY))


def test_a_new_device_has_its_keys_while_its_first_validation_is_under_way(tmp_path: Path) -> None:
    async def story(bench: IntegrityBench) -> None:
        bench.post.cut = 10, False
        await bench.post.is_cut.wait()
        assert await bench.use(NAME) == "used"
        bench.away()
        bench.office.now += INSTALLATION_POLICY.grace
        await bench.power_cut()
        await bench.back_office.started.wait()
        assert await bench.use(NAME) == "not-validated"

    on_integrity_bench(tmp_path, story)


@pytest.mark.clause("V16")
@pytest.mark.parametrize("state", [State.CLONED, State.DISABLED])
def test_an_operator_gives_another_copy_and_it_is_taken_at_the_next_start(tmp_path: Path, state: State) -> None:
    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        bench.integrity.copy("looping").state = state
        assert await bench.use("looping") == state.name.lower()
        bench.integrity.reissue("looping")
        await bench.restart()
        assert (bench.words["looping"], await bench.use("looping")) == ("valid", "used")

    on_integrity_bench(tmp_path, story)


def test_what_does_not_roll_keeps_its_identifier(tmp_path: Path) -> None:
    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        before = bench.copy("echo").identifier
        await bench.restart()
        assert (bench.copy("echo").identifier, bench.copy("echo").server_number) == (before, 2)

    on_integrity_bench(tmp_path, story, validating_office(policy=replace(COMPONENT_POLICY, rolls=False)))
