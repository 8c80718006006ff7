"""Rollouts: a release comes to devices group by group, and pauses before it has harmed many."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from fob_office.components.tables import ReleaseState
from fob_office.devices.service import device_of
from fob_office.devices.views import device_details
from fob_office.errors import NotFoundError, OperatorError
from fob_office.rollout.groups import check_shares, group_of
from fob_office.rollout.service import (
    Course,
    create_rollout,
    pause_rollout,
    resume_rollout,
    start_rollout,
    stop_rollout,
)
from fob_office.rollout.states import TRANSITIONS, RolloutState, Step
from fob_office.rollout.views import RolloutDetails, RolloutView, rollout_details, rollout_view
from fob_protocol.office.configuration import Current, Granted, Outcome, Purpose
from fob_protocol.office.limits import ROLLOUT_SAMPLE
from support.office import OfficeScene
from support.office_device import OfficeDevice
from support.office_shop import OPERATOR, granted_versions, ordered_device, release, versions

SHARES = (30, 100)
OLD, NEW = {"rates": (1, 0, 0)}, {"rates": (2, 0, 0)}


def planned(scene: OfficeScene, course: Course | None = None) -> None:
    release(scene, "rates")
    release(scene, "rates", (2, 0, 0), state=ReleaseState.STAGED)
    create_rollout(scene.office, "r", "rates", (2, 0, 0), course or Course(SHARES), OPERATOR)


def devices(scene: OfficeScene, count: int) -> list[OfficeDevice]:
    """Each runs the first version."""
    made = [ordered_device(scene, "rates", serial=f"M-{number:04}") for number in range(count)]
    for device in made:
        device.configure()
    return made


def seen(scene: OfficeScene, name: str = "r") -> RolloutView:
    with scene.office.database.read() as session:
        return rollout_view(session, name)


def fail(device: OfficeDevice) -> None:
    """It is offered the new version, and reverts."""
    answer, challenge = device.ask(Purpose.AGAIN)
    assert isinstance(answer, Granted)
    device.report(Outcome.REVERTED, device.check(answer, challenge).manifest.set_number, "trap")


def test_an_operator_hears_where_it_failed_why_and_who_paused_it(scene: OfficeScene) -> None:
    planned(scene, Course((100,)))
    fleet = devices(scene, 3)
    start_rollout(scene.office, "r", OPERATOR)
    assert (details(scene).failures, details(scene).paused_by) == ([], None)
    for device in fleet[:2]:
        scene.clock.pass_by(60)
        fail(device)
    now = scene.office.now()
    assert [(one.serial, one.reason, one.time) for one in details(scene).failures] == [
        ("M-0001", "trap", now), ("M-0000", "trap", now - 60),
    ]  # fmt: skip
    fleet[2].configure(Purpose.AGAIN)
    assert (details(scene).state, details(scene).paused_by) == ("paused", "reports: 2 of 3 failed in group 1")
    with scene.office.database.read() as session:
        told = [device_details(session, device_of(session, one.serial), now).last_report for one in fleet]
    assert told == ["reverted: trap", "reverted: trap", "confirmed"]


def test_an_operator_who_pauses_is_named(scene: OfficeScene) -> None:
    planned(scene)
    start_rollout(scene.office, "r", OPERATOR)
    pause_rollout(scene.office, "r", "ann")
    assert details(scene).paused_by == "ann"
    resume_rollout(scene.office, "r", OPERATOR)
    assert details(scene).paused_by is None


def details(scene: OfficeScene) -> RolloutDetails:
    with scene.office.database.read() as session:
        return rollout_details(session, "r")


def test_a_staged_release_is_nobodys_until_its_group_starts(scene: OfficeScene) -> None:
    planned(scene)
    fleet = devices(scene, 8)
    assert all(isinstance(device.ask()[0], Current) for device in fleet)
    start_rollout(scene.office, "r", OPERATOR)
    for device in fleet:
        device.configure(Purpose.AGAIN)
    first = seen(scene).groups[0]
    got = [device for device in fleet if versions(device.catalogue) == NEW]
    assert (first.devices, first.offered, first.confirmed) == (len(got),) * 3
    assert 0 < len(got) < len(fleet)
    for device in fleet:
        device.configure(Purpose.AGAIN)
    assert seen(scene).groups[0] == first
    start_rollout(scene.office, "r", OPERATOR)
    for device in fleet:
        device.configure(Purpose.AGAIN)
    assert [versions(device.catalogue) for device in fleet] == [NEW] * len(fleet)
    assert seen(scene).state == "done"
    late = ordered_device(scene, "rates", serial="M-9999")
    late.configure()
    assert versions(late.catalogue) == NEW


@pytest.mark.clause("C11")
def test_nobody_is_told_of_a_version_that_is_not_for_them_yet(scene: OfficeScene) -> None:
    planned(scene, Course((100,)))
    (device,) = devices(scene, 1)
    assert device.ask(Purpose.LOOK)[0].notices == ()
    start_rollout(scene.office, "r", OPERATOR)
    assert [notice.newest for notice in device.ask(Purpose.LOOK)[0].notices] == [(2, 0, 0)]
    assert seen(scene).groups[0].offered == 0


def test_a_paused_rollout_goes_on_where_it_has_begun_and_nowhere_else(scene: OfficeScene) -> None:
    planned(scene, Course((100,)))
    begun, waiting = devices(scene, 2)
    start_rollout(scene.office, "r", OPERATOR)
    begun.ask(Purpose.AGAIN)
    pause_rollout(scene.office, "r", OPERATOR)
    waiting.configure(Purpose.AGAIN)
    assert versions(waiting.catalogue) == OLD
    begun.configure(Purpose.AGAIN)
    assert versions(begun.catalogue) == NEW
    resume_rollout(scene.office, "r", OPERATOR)
    waiting.configure(Purpose.AGAIN)
    assert versions(waiting.catalogue) == NEW
    group = seen(scene).groups[0]
    assert (group.devices, group.offered, group.confirmed, group.failed) == (2, 2, 2, 0)


def test_it_pauses_when_too_many_of_a_sample_failed(sqlite_scene: OfficeScene) -> None:
    scene = sqlite_scene
    planned(scene, Course((100,), threshold=20))
    fleet = devices(scene, ROLLOUT_SAMPLE + 5)
    start_rollout(scene.office, "r", OPERATOR)
    for device in fleet[:2]:
        fail(device)
    for device in fleet[2 : ROLLOUT_SAMPLE - 1]:
        device.configure(Purpose.AGAIN)
    assert seen(scene).state == "running"
    fail(fleet[ROLLOUT_SAMPLE - 1])
    paused = seen(scene)
    assert (paused.state, paused.groups[0].failed) == ("paused", 3)
    for device in fleet[ROLLOUT_SAMPLE:]:
        assert isinstance(device.ask(Purpose.AGAIN)[0], Current)
    assert isinstance(fleet[0].ask(Purpose.AGAIN)[0], Current)
    resume_rollout(scene.office, "r", OPERATOR)
    fail(fleet[ROLLOUT_SAMPLE])
    assert seen(scene).state == "running"


def test_a_small_group_is_judged_when_all_have_reported(scene: OfficeScene) -> None:
    planned(scene, Course((100,), threshold=20))
    one, other = devices(scene, 2)
    start_rollout(scene.office, "r", OPERATOR)
    fail(one)
    assert seen(scene).state == "running"
    other.configure(Purpose.AGAIN)
    assert seen(scene).state == "paused"


def test_a_report_that_is_repeated_counts_once(scene: OfficeScene) -> None:
    planned(scene, Course((100,)))
    one, _ = devices(scene, 2)
    start_rollout(scene.office, "r", OPERATOR)
    one.configure(Purpose.AGAIN)
    again = one.report(Outcome.CONFIRMED)
    one.send_report(again)
    assert seen(scene).groups[0].confirmed == 1


@pytest.mark.clause("C26")
def test_an_emergency_stop_gives_the_version_before_under_a_higher_number(scene: OfficeScene) -> None:
    planned(scene, Course((100,)))
    confirmed, begun, waiting = devices(scene, 3)
    start_rollout(scene.office, "r", OPERATOR)
    confirmed.configure(Purpose.AGAIN)
    begun.ask(Purpose.AGAIN)
    assert stop_rollout(scene.office, "r", OPERATOR) == (2, 0, 1)
    for device in (confirmed, begun, waiting):
        device.configure(Purpose.AGAIN)
        assert versions(device.catalogue) == {"rates": (2, 0, 1)}
        assert device.contents == {"rates": b"rates (1, 0, 0)"}
    assert seen(scene).state == "stopped"
    new = ordered_device(scene, "rates", serial="M-9999")
    assert granted_versions(new.ask()[0]) == {"rates": (2, 0, 1)}


def test_a_first_version_that_is_stopped_leaves_nothing(scene: OfficeScene) -> None:
    release(scene, "rates", state=ReleaseState.STAGED)
    create_rollout(scene.office, "r", "rates", (1, 0, 0), Course((100,)), OPERATOR)
    device = ordered_device(scene, "rates")
    start_rollout(scene.office, "r", OPERATOR)
    assert stop_rollout(scene.office, "r", OPERATOR) is None
    assert isinstance(device.configure(), Current)


def test_a_stop_holds_when_the_release_server_cannot_sign(scene: OfficeScene) -> None:
    planned(scene, Course((100,)))
    (device,) = devices(scene, 1)
    start_rollout(scene.office, "r", OPERATOR)
    scene.issuing().change_keys("release", keys_file=scene.office.settings.state / "release.pem")
    assert stop_rollout(scene.office, "r", OPERATOR) is None
    assert isinstance(device.ask(Purpose.AGAIN)[0], Current)


def test_groups_start_by_themselves_when_the_plan_says_so(scene: OfficeScene) -> None:
    planned(scene, Course((30, 60, 100), automatic=True))
    fleet = devices(scene, 9)
    start_rollout(scene.office, "r", OPERATOR)
    for _ in range(3):
        for device in fleet:
            device.configure(Purpose.AGAIN)
    assert seen(scene).state == "done"
    assert sum(group.confirmed for group in seen(scene).groups) == len(fleet)


def test_a_group_waits_for_the_one_before(sqlite_scene: OfficeScene) -> None:
    scene = sqlite_scene
    planned(scene)
    devices(scene, 8)
    start_rollout(scene.office, "r", OPERATOR)
    with pytest.raises(OperatorError, match="fewer than 90 percent of group 1 have reported"):
        start_rollout(scene.office, "r", OPERATOR)
    start_rollout(scene.office, "r", OPERATOR, anyway=True)
    with pytest.raises(OperatorError, match="all have begun"):
        start_rollout(scene.office, "r", OPERATOR, anyway=True)


def test_what_others_need_is_rolled_out_to_those_who_ordered_them(scene: OfficeScene) -> None:
    release(scene, "table")
    release(scene, "rates", needs={"table": (1, 0, 0)})
    release(scene, "table", (1, 1, 0), state=ReleaseState.STAGED)
    create_rollout(scene.office, "r", "table", (1, 1, 0), Course((100,)), OPERATOR)
    fleet = devices(scene, 2)
    ordered_device(scene, serial="M-9999")
    start_rollout(scene.office, "r", OPERATOR)
    assert seen(scene).groups[0].devices == 2
    fleet[0].configure(Purpose.AGAIN)
    assert versions(fleet[0].catalogue) == {"rates": (1, 0, 0), "table": (1, 1, 0)}


def test_a_rollout_is_of_one_staged_release(sqlite_scene: OfficeScene) -> None:
    scene = sqlite_scene
    planned(scene)
    for name, version in (("r", (2, 0, 0)), ("s", (2, 0, 0))):
        with pytest.raises(OperatorError, match=r"there is one of this name, or of rates 2\.0\.0"):
            create_rollout(scene.office, name, "rates", version, Course(), OPERATOR)
    with pytest.raises(OperatorError, match=r"rates 1\.0\.0 is available, not staged"):
        create_rollout(scene.office, "s", "rates", (1, 0, 0), Course(), OPERATOR)
    with pytest.raises(NotFoundError):
        start_rollout(scene.office, "s", OPERATOR)
    with pytest.raises(OperatorError, match="the last group has to reach 100 percent"):
        create_rollout(scene.office, "s", "rates", (2, 0, 0), Course((10,)), OPERATOR)


WAYS = {
    RolloutState.DRAFT: (),
    RolloutState.RUNNING: (start_rollout,),
    RolloutState.PAUSED: (start_rollout, pause_rollout),
    RolloutState.STOPPED: (stop_rollout,),
}


@pytest.mark.parametrize("before", list(WAYS))
def test_every_step_goes_where_the_table_says(sqlite_scene: OfficeScene, before: RolloutState) -> None:
    steps = {Step.START: start_rollout, Step.PAUSE: pause_rollout, Step.RESUME: resume_rollout, Step.STOP: stop_rollout}
    scene = sqlite_scene
    release(scene, "rates")
    ordered_device(scene, "rates")
    for number, (step, take) in enumerate(steps.items(), 1):
        version, name = (1 + number, 0, 0), f"r{number}"
        release(scene, "rates", version, state=ReleaseState.STAGED)
        create_rollout(scene.office, name, "rates", version, Course(SHARES), OPERATOR)
        for way in WAYS[before]:
            way(scene.office, name, OPERATOR)
        after = TRANSITIONS.get((before, step), before)
        if (before, step) in TRANSITIONS:
            take(scene.office, name, OPERATOR, **({"anyway": True} if step is Step.START else {}))
        else:
            with pytest.raises(OperatorError, match=f"rollout {name} cannot {step}: it is {before.name.lower()}"):
                take(scene.office, name, OPERATOR)
        assert seen(scene, name).state == after.name.lower()


def test_a_device_is_in_one_group_whenever_it_asks() -> None:
    shares, salt = (1, 10, 50, 100), bytes(16)
    serials = [f"M-{number}" for number in range(10_000)]
    found = Counter(group_of(salt, serial, shares) for serial in serials)
    assert found == Counter(group_of(salt, serial, shares) for serial in reversed(serials))
    assert [abs(found[number] - expected) < 150 for number, expected in enumerate((100, 900, 4000, 5000), 1)] == [
        True
    ] * 4
    # A larger share only adds devices.
    assert all(group_of(salt, serial, (50, 100)) == 1 for serial in serials if group_of(salt, serial, (10, 100)) == 1)


@pytest.mark.parametrize("shares", [(), (50,), (0, 100), (50, 50, 100), (60, 50, 100), (100, 100)])
def test_groups_that_make_no_sense(shares: tuple[int, ...]) -> None:
    assert check_shares(shares) is not None


def test_reports_at_the_same_time_are_all_counted(scene: OfficeScene) -> None:
    planned(scene, Course((100,), threshold=100))
    fleet = devices(scene, 12)
    start_rollout(scene.office, "r", OPERATOR)

    def go(device: OfficeDevice) -> None:
        fail(device) if device.serial < "M-0004" else device.configure(Purpose.AGAIN)

    with ThreadPoolExecutor(len(fleet)) as pool:
        list(pool.map(go, fleet))
    group = seen(scene).groups[0]
    assert (group.offered, group.confirmed, group.failed) == (12, 8, 4)
    assert seen(scene).state == "done"
