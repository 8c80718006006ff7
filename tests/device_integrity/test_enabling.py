"""Who is enabled when: intervals, grace, verdicts, damage and healing."""

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from fob_device.integrity.copies import ASK_TIME, SHORT_ASK_TIME
from fob_device.integrity.own_program import NAME, UnreadableProgramError
from fob_device.integrity.program import Program
from fob_device.integrity.standings import USE_AGAIN
from fob_protocol.integrity.copy_record import COMPONENT_POLICY, INSTALLATION_POLICY, Policy
from fob_protocol.integrity.validation import State
from fob_protocol.office.configuration import Purpose
from fob_protocol.office.envelope import Service
from fob_protocol.office.errors import RefusedError
from fob_protocol.office.refusals import Refusal
from support.integrity_bench import LASTING, IntegrityBench, on_integrity_bench, validating_office

HOURLY = replace(INSTALLATION_POLICY, interval=3600)
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


@pytest.mark.clause("V16")
@pytest.mark.parametrize("program", [NAME, "looping"])
def test_what_the_centre_enables_again_is_used_again_without_a_restart(tmp_path: Path, program: str) -> None:
    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        bench.integrity.copy(program).state = State.DISABLED
        assert await bench.use(program) == "disabled"
        bench.integrity.copy(program).state = State.VALID
        # Whoever tries without a break asks nobody.
        asked = len(bench.integrity.log)
        assert ([await bench.use(program) for _ in range(9)], len(bench.integrity.log)) == (["disabled"] * 9, asked)
        bench.office.now += USE_AGAIN
        assert (await bench.use(program), bench.words[program]) == ("used", "valid")

    on_integrity_bench(tmp_path, story)


@pytest.mark.clause("V16")
def test_what_the_centre_gives_anew_is_taken_at_the_next_use(tmp_path: Path) -> None:
    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        bench.integrity.copy("looping").state = State.CLONED
        assert await bench.use("looping") == "cloned"
        bench.integrity.reissue("looping")
        bench.office.now += USE_AGAIN
        assert await bench.use("looping") == "used"

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


@pytest.mark.clause("V17")
def test_what_was_validated_before_a_set_begins_anew_says_nothing_of_it(tmp_path: Path) -> None:
    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        assert await bench.use("looping") == "used"
        bench.away()
        assert await bench.use("looping") == "used"
        bench.copies.started([program for program in bench.standings.programs if program.name != NAME])
        assert await bench.use("looping") == "not-validated"

    on_integrity_bench(tmp_path, story, validating_office(policy=replace(LASTING, grace=0)))


@pytest.mark.clause("V16")
def test_a_clock_that_is_put_back_lengthens_no_grace(tmp_path: Path) -> None:
    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        bench.office.now += LASTING.grace
        # What another program hears tells the time.
        assert await bench.use("echo") == "used"
        bench.away()
        bench.behind = LASTING.grace
        assert [await bench.use(name) for name in ("echo", "looping")] == ["used", "not-validated"]

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
@pytest.mark.parametrize(
    ("policy", "ends", "seconds"), [(COMPONENT_POLICY, "not-validated", ASK_TIME), (LASTING, "used", SHORT_ASK_TIME)]
)
def test_a_use_waits_for_a_computer_that_carries_nothing_no_longer_than_for_a_person(
    tmp_path: Path, policy: Policy, ends: str, seconds: float
) -> None:
    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        bench.office.now += LASTING.interval
        bench.post.cut = bench.post.carried + 1, False
        loop = asyncio.get_running_loop()
        begin = loop.time()
        assert await bench.use("looping") == ends
        assert loop.time() - begin == pytest.approx(seconds)
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
            bench.office.now += HOURLY.interval
            assert await bench.use(NAME) == "used"
            await bench.until(lambda: bench.copy(NAME).program_number == interval)  # noqa: B023 - awaited here
        bench.away()
        bench.office.now += HOURLY.grace - 1
        carried = bench.post.carried
        assert (await bench.use(NAME), bench.post.carried) == ("used", carried)
        bench.office.now += 1
        assert await bench.use(NAME) == "not-validated"

    on_integrity_bench(tmp_path, story, validating_office(own=HOURLY))


@pytest.mark.clause("V16")
def test_the_next_use_of_a_key_is_refused_when_the_centre_has_disabled_the_device_s_own_program(tmp_path: Path) -> None:
    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        asked = len(bench.integrity.log)
        assert ([await bench.use(NAME) for _ in range(3)], len(bench.integrity.log)) == (["used"] * 3, asked + 3)
        bench.integrity.copy(NAME).state = State.DISABLED
        assert await bench.use(NAME) == "disabled"

    on_integrity_bench(tmp_path, story)


@pytest.mark.clause("V16")
def test_uses_of_keys_that_come_together_ask_twice_at_most(tmp_path: Path) -> None:
    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        asked = len(bench.integrity.log)
        assert await asyncio.gather(*(bench.use(NAME) for _ in range(20))) == ["used"] * 20
        assert len(bench.integrity.log) == asked + 2
        bench.away()
        begin = asyncio.get_running_loop().time()
        assert await asyncio.gather(*(bench.use(NAME) for _ in range(20))) == ["used"] * 20
        assert asyncio.get_running_loop().time() - begin < SHORT_ASK_TIME + 1
        bench.away(False)
        assert await bench.use(NAME) == "used"
        # What was under way is settled first, and says nothing of what is there now.
        await bench.until(lambda: len(bench.integrity.log) == asked + 4)
        bench.integrity.copy(NAME).state = State.DISABLED
        assert await asyncio.gather(*(bench.use(NAME) for _ in range(20))) == ["disabled"] * 20

    on_integrity_bench(tmp_path, story)


@pytest.mark.clause("V16")
def test_while_the_office_is_away_one_use_of_a_key_waits_and_the_next_ones_only_when_it_is_back(tmp_path: Path) -> None:
    async def story(bench: IntegrityBench) -> None:
        async def timed() -> tuple[str, bool]:
            begin = loop.time()
            return await bench.use(NAME), loop.time() - begin > 0.5

        await bench.validated()
        loop = asyncio.get_running_loop()
        bench.away()
        assert [await timed() for _ in range(5)] == [("used", True)] + [("used", False)] * 4
        assert loop.time() < SHORT_ASK_TIME + 10
        bench.integrity.copy(NAME).state = State.DISABLED
        bench.away(False)
        # Nobody has told the device yet that the office is back; it asks by itself, also without any use.
        assert await timed() == ("used", False)
        await bench.until(lambda: bench.words[NAME] == "disabled", 400)
        assert await bench.use(NAME) == "disabled"

    on_integrity_bench(tmp_path, story)


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
