"""What a start does with a set: measures it, tries it, runs it in order, or goes back to the other one."""

from dataclasses import replace

import pytest

from components.change_scene import ChangeScene, Started
from fob_device.components.boot_record import Ended, Phase
from fob_device.components.boot_state import BootState
from fob_device.components.contents import content_file
from fob_device.components.errors import PhaseError
from fob_device.components.machine import Machine
from fob_device.components.memory import Memory
from fob_device.components.running import Failure
from fob_device.components.runtime.errors import RunFault
from fob_protocol.office.configuration import Outcome
from fob_protocol.office.hashing import digest
from fob_protocol.office.limits import BOOT_TRIES
from support.component_device import NotingRuntime, install
from support.faulty_storage import Disk, FaultyStorage, Files
from support.octets import flipped
from support.office_signers import CHALLENGE


@pytest.fixture(scope="module")
def scene() -> ChangeScene:
    return ChangeScene()


@pytest.fixture(scope="module")
def staged(scene: ChangeScene) -> Files:
    """Set 2 waits for its trial; set 1 runs."""
    started = on(scene, scene.old)
    started.machine.installer.take(scene.offers[2], CHALLENGE, scene.trust)
    scene.shelf.fetch(started.machine.installer)
    started.machine.installer.stage(scene.trust)
    return started.storage.disk.files


def on(scene: ChangeScene, files: Files, **fails: RunFault) -> Started:
    return scene.start(FaultyStorage(Disk.holding(files)), fails)


@pytest.mark.clause("C16")
def test_components_start_in_the_order_of_the_table_and_not_in_that_of_the_list(scene: ChangeScene) -> None:
    table, rates = scene.sets[1]
    draft = scene.signers.draft(scene.device, [table, rates])
    draft.released.reverse()
    draft.change(entries=tuple(reversed(draft.manifest.entries)))
    started = on(scene, {})
    install(started.machine, scene.signers.offer(scene.device, draft), scene.shelf, scene.trust)
    assert started.runtime.names == ["table", "rates"]


@pytest.mark.clause("C16", "C25")
def test_what_is_handed_on_is_what_was_hashed(scene: ChangeScene) -> None:
    started = on(scene, scene.old)
    for component in started.machine.running.components:
        assert digest(component.content) == component.release.digest
        assert component.content == scene.contents[1][component.release.id]


class LeakyMemory(Memory):
    """An octet at this address does not hold what was written."""

    leak = 0x1_0000 + 5

    def write(self, address: int, octets: bytes) -> None:
        at = self.leak - address
        if 0 <= at < len(octets):
            octets = flipped(octets, at)
        super().write(address, octets)


@pytest.mark.clause("C16", "C25")
def test_what_memory_has_changed_is_not_run(scene: ChangeScene) -> None:
    """Check and use: what is hashed is what stands in memory, not what was read from the disk."""
    started = on(scene, scene.old)
    memory = LeakyMemory(scene.device.memory_map.areas(len(scene.device.loader)))
    running = started.machine.loader.start(memory)
    assert (list(started.runs), [failure.fault for failure in running.failures]) == (["table"], ["wrong-digest"])
    # What stands in memory is what is measured.
    (found,) = (one for one in running.found if one.fault)
    assert [at for at, octet in enumerate(found.octets) if octet != scene.contents[1]["rates"][at]] == [5]


@pytest.mark.clause("C16")
def test_a_set_that_does_not_fit_into_this_device_s_memory_is_not_run(scene: ChangeScene) -> None:
    """A board was changed."""
    small = replace(scene.device.memory_map, regions=scene.device.memory_map.regions[:1])
    device = replace(scene.device, memory_map=small)
    running = Machine(FaultyStorage(Disk.holding(scene.old)), device, NotingRuntime()).power_on()
    assert (running.held, [failure.fault for failure in running.failures]) == (None, ["unknown-id"])


def test_a_trial_counts_before_its_first_instruction(scene: ChangeScene, staged: Files) -> None:
    storage = FaultyStorage(Disk.holding(staged))
    counts = []

    class Counting:
        def start(self, component: object) -> None:
            counts.append(BootState(FaultyStorage(storage.disk)).record.tries)

        def stop(self) -> None:
            """Nothing runs."""

    scene.machine(storage, Counting()).power_on()
    assert counts == [1, 1, 1]


@pytest.mark.clause("C26", "C27")
def test_the_counter_steps_when_the_trial_is_confirmed(scene: ChangeScene, staged: Files) -> None:
    started = on(scene, staged)
    assert started.machine.running.trial
    assert started.machine.boot.record.security_counter == scene.counters[1]
    started.machine.loader.confirm()
    record = started.machine.boot.record
    assert (record.security_counter, record.ended) == (scene.counters[2], Ended(2, Outcome.CONFIRMED, ""))
    assert not scene.start(started.storage).machine.running.trial


@pytest.mark.clause("C27")
@pytest.mark.parametrize("component", ["table", "slogan", "rates"])
def test_a_trial_whose_component_fails_is_reverted_at_once(scene: ChangeScene, staged: Files, component: str) -> None:
    started = scene.start(FaultyStorage(Disk.holding(staged)), {component: RunFault.OUT_OF_FUEL})
    assert started.machine.boot.record.ended == Ended(2, Outcome.REVERTED, "out-of-fuel")
    (failure, *_) = started.machine.running.failures
    assert failure == Failure(2, component, "out-of-fuel", "as the test wants it")
    again = scene.start(FaultyStorage(started.storage.disk))
    assert scene.check(again, 1, 2, new_may_run=False) == 1


@pytest.mark.clause("C27")
def test_a_trial_that_the_device_finds_unwell_is_reverted(scene: ChangeScene, staged: Files) -> None:
    started = on(scene, staged)
    started.machine.loader.revert("no-line")
    assert started.machine.boot.record.ended == Ended(2, Outcome.REVERTED, "no-line")
    started.machine.power_on()
    assert scene.check(started, 1, 2, new_may_run=False) == 1


@pytest.mark.clause("C27")
def test_a_trial_that_is_never_confirmed_ends(scene: ChangeScene, staged: Files) -> None:
    started = on(scene, staged)
    for number in range(1, BOOT_TRIES + 1):
        assert (started.machine.running.trial, started.machine.boot.record.tries) == (True, number)
        started = scene.start(started.storage)
    assert scene.check(started, 1, 2, new_may_run=False) == 1
    assert started.machine.running.failures == (Failure(2, None, "out-of-tries", "begun 3 times"),)


@pytest.mark.clause("C27")
def test_after_a_revert_the_same_set_may_come_again(scene: ChangeScene, staged: Files) -> None:
    started = on(scene, staged, slogan=RunFault.TRAP)
    started.runtime.fails.clear()
    scene.go_on(started.machine, 2)
    assert scene.check(scene.start(started.storage), 2, 2) == 2


@pytest.mark.clause("C27")
@pytest.mark.parametrize("octets", [None, b"", bytes(100)], ids=["gone", "empty", "zeros"])
@pytest.mark.parametrize("what", ["set", "content"])
def test_a_trial_that_does_not_measure_right_costs_no_try_and_is_not_run(
    scene: ChangeScene, staged: Files, what: str, octets: bytes | None
) -> None:
    name = "set-b" if what == "set" else content_file(scene.sets[2][-1].digest)
    files = {other: held for other, held in staged.items() if other != name}
    started = on(scene, files if octets is None else files | {name: octets})
    assert scene.check(started, 1, 2, new_may_run=False) == 1
    assert started.machine.boot.record.ended == Ended(2, Outcome.REVERTED, "wrong-digest")


@pytest.mark.clause("C16", "V17")
@pytest.mark.parametrize("octets", [None, b"rot"], ids=["gone", "rotten"])
def test_a_damaged_component_of_the_confirmed_set_fails_alone_and_is_measured_as_it_stands(
    scene: ChangeScene, octets: bytes | None
) -> None:
    rates = scene.sets[1][1]
    files = {name: held for name, held in scene.old.items() if name != content_file(rates.digest)}
    started = on(scene, files if octets is None else files | {content_file(rates.digest): octets})
    running = started.machine.running
    assert [one.release.id for one in running.components] == ["table"]
    assert [(one.component, one.fault) for one in running.failures] == [("rates", "wrong-digest")]
    assert {one.release.id: one.octets for one in running.found} == {
        "table": scene.contents[1]["table"], "rates": octets or b"",
    }  # fmt: skip
    assert running.damaged == {"rates"}


@pytest.mark.clause("C16")
def test_a_confirmed_set_of_which_nothing_runs_can_be_made_whole(scene: ChangeScene) -> None:
    """Nobody has another set then: the device keeps its counters, and takes the next set."""
    started = on(scene, scene.old | {content_file(scene.sets[1][0].digest): b"rot"})
    running = started.machine.running
    assert (len(running.components), len(running.catalogue), list(running.damaged)) == (0, 0, ["table"])
    assert [(one.component, one.fault) for one in running.failures] == [
        ("table", "wrong-digest"), ("rates", "no-dependency"),
    ]  # fmt: skip
    assert started.machine.boot.record.security_counter == scene.counters[1]
    scene.go_on(started.machine, 2)
    assert scene.check(scene.start(started.storage), 2, 2) == 2


@pytest.mark.clause("C16")
def test_a_set_whose_file_is_damaged_is_not_run(scene: ChangeScene) -> None:
    started = on(scene, scene.old | {"set-a": b"rot"})
    running = started.machine.running
    assert (running.held, running.components, running.found) == (None, (), ())
    assert [(one.set_number, one.component, one.fault) for one in running.failures] == [(1, None, "wrong-digest")]


@pytest.mark.clause("C27")
def test_of_a_damaged_content_only_the_chunks_that_are_wrong_are_fetched(scene: ChangeScene) -> None:
    started = on(scene, scene.old)
    scene.go_on(started.machine, 2)
    rates = scene.sets[2][-1]
    spoiled = bytearray(rates.sealed)
    spoiled[-1] ^= 1
    files = started.storage.disk.files | {content_file(rates.digest): bytes(spoiled)}
    started = on(scene, files)
    assert started.machine.running.damaged == {"rates"}
    draft = scene.signers.draft(scene.device, scene.sets[2], set_number=3, security_counter=5)
    started.machine.installer.take(scene.signers.offer(scene.device, draft), CHALLENGE, scene.trust)
    assert len(rates.chunks) == 2
    assert [(wanted.release, wanted.index) for wanted in started.machine.installer.wanted()] == [(rates.digest, 1)]
    scene.shelf.fetch(started.machine.installer)
    started.machine.installer.stage(scene.trust)
    assert started.machine.power_on().trial
    assert started.runs == scene.contents[2]


@pytest.mark.clause("C16")
def test_a_set_in_the_other_one_s_place_is_not_run(scene: ChangeScene, staged: Files) -> None:
    """Mix-and-match on the disk."""
    started = on(scene, staged | {"set-a": staged["set-b"], "set-b": staged["set-a"]})
    assert started.runs == {}
    assert [failure.fault for failure in started.machine.running.failures] == ["wrong-digest", "wrong-digest"]


@pytest.mark.clause("C23")
def test_a_disk_of_another_device_is_not_run(scene: ChangeScene) -> None:
    """Also where the key that its contents are sealed to is the same."""
    other = replace(scene.device, signing_key=scene.signers.signing_key())
    machine = Machine(FaultyStorage(Disk.holding(scene.old)), other, NotingRuntime())
    running = machine.power_on()
    assert running.components == ()
    assert [failure.fault for failure in running.failures] == ["other-device"]


def test_a_component_of_a_confirmed_set_that_fails_takes_only_those_with_it_that_need_it(scene: ChangeScene) -> None:
    started = on(scene, scene.old, rates=RunFault.TRAP)
    assert started.runtime.names == ["table"]
    assert started.machine.running.failures == (Failure(1, "rates", "trap", "as the test wants it"),)
    started = on(scene, scene.old, table=RunFault.BAD_MODULE)
    assert started.runtime.names == []
    assert [(one.component, one.fault) for one in started.machine.running.failures] == [
        ("table", "bad-module"),
        ("rates", "no-dependency"),
    ]
    assert started.machine.boot.record.phase is Phase.IDLE


def test_steps_out_of_turn(scene: ChangeScene) -> None:
    started = on(scene, scene.old)
    with pytest.raises(PhaseError, match="no trial runs"):
        started.machine.loader.confirm()
    with pytest.raises(PhaseError, match="no trial runs"):
        started.machine.loader.revert("self-test")
