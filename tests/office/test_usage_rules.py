"""The usage watch, rule by rule: what it finds, and what just not (V20). The clock is the test's."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import select

from fob_office.distribution.operating import disable
from fob_office.errors import OperatorError
from fob_office.validation.tables import Result
from fob_office.watching import rounds
from fob_office.watching.counting import DAYS_KEPT
from fob_office.watching.findings import acknowledge
from fob_office.watching.parameters import COUNT_LIMIT, QUIET_LIMIT
from fob_office.watching.rounds import look
from fob_office.watching.settings import reset_rule
from fob_office.watching.tables import LastUse, UsageDay, WatchedProgram
from fob_protocol.integrity.ticket import Ticket
from fob_protocol.integrity.validation import State
from fob_protocol.office.refusals import Refusal
from support.office import OfficeScene, office_scene
from support.office_holders import direct, rates_holder, refused, state_of
from support.office_shop import OPERATOR
from support.office_usage import (
    DAY,
    HOUR,
    MIDNIGHT,
    first_copy,
    found,
    more_copies,
    rules_found,
    set_rule,
    use,
    use_daily,
)

pytestmark = pytest.mark.clause("V20")


@pytest.fixture
def scene(state: Path) -> Iterator[OfficeScene]:
    with office_scene(state) as made:
        made.clock.time = MIDNIGHT + 9 * HOUR
        yield made


@pytest.fixture
def copy(scene: OfficeScene) -> bytes:
    return first_copy(scene)


# too-often.


def test_too_often_is_one_more_than_is_usual(scene: OfficeScene, copy: bytes) -> None:
    use(scene, copy, 100)
    assert rules_found(scene) == []
    use(scene, copy)
    [one] = found(scene)
    assert (one.rule, one.severity, one.number, one.program) == ("too-often", "warning", copy.hex(), "rates")
    assert one.numbers == {"counted": 101, "validations": 100, "seconds": 3600}
    assert one.why == "101 validations in 3600 seconds; up to 100 are usual"


def test_what_is_longer_ago_is_not_counted(scene: OfficeScene, copy: bytes) -> None:
    use(scene, copy, 100)
    scene.clock.pass_by(3600)
    use(scene, copy)
    assert rules_found(scene) == []
    scene.clock.pass_by(-1)
    use(scene, copy)
    assert rules_found(scene) == [("too-often", 1)]


def test_lines_of_before_midnight_are_counted(scene: OfficeScene, copy: bytes) -> None:
    scene.clock.time = MIDNIGHT - 60
    use(scene, copy, 60)
    scene.clock.pass_by(120)
    use(scene, copy, 40)
    assert rules_found(scene) == []
    use(scene, copy)
    assert rules_found(scene) == [("too-often", 1)]


def test_another_copy_s_lines_are_not_counted(scene: OfficeScene, copy: bytes) -> None:
    [other] = more_copies(scene, copy, 1)
    use(scene, copy, 100)
    use(scene, other, 100)
    assert rules_found(scene) == []


def test_no_more_are_counted_than_the_limit(scene: OfficeScene, copy: bytes) -> None:
    set_rule(scene, "too-often", is_on=False)
    use(scene, copy, COUNT_LIMIT + 1)
    set_rule(scene, "too-often", is_on=True)
    use(scene, copy)
    assert found(scene)[0].numbers["counted"] == COUNT_LIMIT


# odd-hours.


@pytest.mark.parametrize(
    ("begin", "end", "zone", "hour", "is_odd"),
    [
        (6, 22, "UTC", 6, False),
        (6, 22, "UTC", 5, True),
        (6, 22, "UTC", 21, False),
        (6, 22, "UTC", 22, True),
        # Over midnight.
        (22, 6, "UTC", 23, False),
        (22, 6, "UTC", 5, False),
        (22, 6, "UTC", 6, True),
        (22, 6, "UTC", 21, True),
        # The whole day.
        (8, 8, "UTC", 3, False),
        # NOW is in September: two hours ahead of UTC there, ten in Sydney.
        (6, 22, "Europe/Vienna", 4, False),
        (6, 22, "Europe/Vienna", 3, True),
        (6, 22, "Australia/Sydney", 20, False),
        (6, 22, "Australia/Sydney", 12, True),
    ],
)
def test_odd_hours_are_those_of_the_zone(
    scene: OfficeScene, copy: bytes, begin: int, end: int, zone: str, hour: int, is_odd: bool
) -> None:
    set_rule(scene, "odd-hours", is_on=True, begin=begin, end=end, zone=zone)
    scene.clock.time = MIDNIGHT + hour * HOUR
    use(scene, copy)
    assert rules_found(scene) == ([("odd-hours", 1)] if is_odd else [])


def test_no_hour_is_odd_before_somebody_says_so(scene: OfficeScene, copy: bytes) -> None:
    scene.clock.time = MIDNIGHT + 3 * HOUR
    use(scene, copy)
    assert rules_found(scene) == []


# new-hours.


def at_night(scene: OfficeScene, copy: bytes, hour: int = 3) -> None:
    scene.clock.time += DAY - scene.clock.time % DAY + hour * HOUR
    use(scene, copy)


def test_an_hour_is_new_after_enough_days_without_it(scene: OfficeScene, copy: bytes) -> None:
    use_daily(scene, copy, 14)
    at_night(scene, copy)
    [one] = found(scene)
    assert one.why == "used at 3 o'clock (UTC), as on 0 of 14 days before"
    use(scene, copy)
    assert [one.times for one in found(scene)] == [1]


@pytest.mark.parametrize(("days", "hour"), [(13, 3), (14, 8), (14, 9), (14, 10)])
def test_no_hour_is_new_before_or_beside_what_is_usual(scene: OfficeScene, copy: bytes, days: int, hour: int) -> None:
    use_daily(scene, copy, days)
    at_night(scene, copy, hour)
    assert rules_found(scene) == []


def test_an_hour_is_usual_from_the_share_on_that_was_set(scene: OfficeScene, copy: bytes) -> None:
    set_rule(scene, "new-hours", percent=10)
    use_daily(scene, copy, 18)
    at_night(scene, copy)
    assert rules_found(scene) == [("new-hours", 1)]
    # 1 of 19 days are 5 percent, and 2 of 20 ten.
    at_night(scene, copy)
    assert rules_found(scene) == [("new-hours", 2)]
    at_night(scene, copy)
    assert rules_found(scene) == [("new-hours", 2)]


# silent.


def test_silent_is_who_was_daily_and_is_no_more(scene: OfficeScene, copy: bytes) -> None:
    use_daily(scene, copy, 7)
    scene.clock.pass_by(3 * DAY)
    look(scene.office)
    # The third day without use is not over.
    assert rules_found(scene) == []
    scene.clock.pass_by(DAY)
    look(scene.office)
    [one] = found(scene)
    assert one.why == "not used for 3 days, after 7 days in a row"
    scene.clock.pass_by(DAY)
    look(scene.office)
    assert rules_found(scene) == [("silent", 1)]


def test_nobody_is_silent_who_was_not_daily(scene: OfficeScene, copy: bytes) -> None:
    use_daily(scene, copy, 3)
    scene.clock.pass_by(2 * DAY)
    use_daily(scene, copy, 6)
    for _ in range(10):
        scene.clock.pass_by(DAY)
        look(scene.office)
    assert rules_found(scene) == []


def test_a_rule_that_is_set_later_finds_who_is_silent_already(scene: OfficeScene, copy: bytes) -> None:
    set_rule(scene, "silent", is_on=False)
    use_daily(scene, copy, 7)
    for _ in range(5):
        scene.clock.pass_by(DAY)
        look(scene.office)
    set_rule(scene, "silent", is_on=True, days=5)
    look(scene.office)
    scene.clock.pass_by(DAY)
    look(scene.office)
    assert [one.numbers["counted"] for one in found(scene)] == [5]


# The day after the last one is over; who was found is not looked at again.
@pytest.mark.parametrize(("was_on", "looks"), [(True, QUIET_LIMIT + 1), (False, QUIET_LIMIT + 2)])
def test_nobody_is_looked_at_for_ever(scene: OfficeScene, copy: bytes, was_on: bool, looks: int) -> None:
    set_rule(scene, "silent", is_on=was_on, days=QUIET_LIMIT)
    use_daily(scene, copy, 7)
    for _ in range(looks):
        assert due(scene) is not None
        scene.clock.pass_by(DAY)
        look(scene.office)
    assert due(scene) is None
    assert rules_found(scene) == ([("silent", 1)] if was_on else [])
    use(scene, copy)
    assert due(scene) is not None


def due(scene: OfficeScene) -> int | None:
    with scene.office.database.read() as session:
        return session.scalars(select(LastUse.due)).one()


def test_a_disabled_copy_is_expected_to_be_silent(scene: OfficeScene, copy: bytes) -> None:
    use_daily(scene, copy, 7)
    disable(scene.office, copy, OPERATOR)
    scene.clock.pass_by(5 * DAY)
    look(scene.office)
    assert rules_found(scene) == []


def test_many_silent_ones_are_found_a_batch_at_a_time(
    scene: OfficeScene, copy: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "BATCH", 2)
    monkeypatch.setattr(rounds, "BATCHES", 2)
    set_rule(scene, "silent", daily=1)
    for number in more_copies(scene, copy, 7):
        use(scene, number)
    scene.clock.pass_by(4 * DAY)
    counts = []
    for _ in range(3):
        look(scene.office)
        counts.append(len(found(scene)))
    assert counts == [4, 7, 7]


# many-failures.


REFUSED = (Result.LATE, Result.STALE_CHALLENGE, Result.IV_USED, Result.OUT_OF_SEQUENCE, Result.OTHER_VERIFIER)


def test_many_failures_are_refusals_of_any_kind(scene: OfficeScene, copy: bytes) -> None:
    for result in REFUSED:
        use(scene, copy, result=result)
    use(scene, copy, 50)
    assert rules_found(scene) == []
    use(scene, copy, result=Result.LATE)
    [one] = found(scene)
    assert one.why == "6 refusals in 3600 seconds; up to 5 are usual"


def test_verdicts_are_no_refusals(scene: OfficeScene, copy: bytes) -> None:
    for result in (Result.VALID, Result.INVALID, Result.CLONED, Result.DISABLED):
        use(scene, copy, 10, result=result)
    assert rules_found(scene) == []


def test_refusals_of_an_hour_ago_are_over(scene: OfficeScene, copy: bytes) -> None:
    use(scene, copy, 5, result=Result.LATE)
    scene.clock.pass_by(3600)
    use(scene, copy, result=Result.LATE)
    assert rules_found(scene) == []


# leap.


@pytest.mark.parametrize(
    ("ahead", "why"),
    [
        (120, None),
        (-120, None),
        (121, "its holder's clock is 121 seconds ahead; up to 120 are usual"),
        (-121, "its holder's clock is 121 seconds behind; up to 120 are usual"),
    ],
)
def test_a_leap_is_more_than_is_usual_either_way(
    scene: OfficeScene, copy: bytes, ahead: int, why: str | None
) -> None:  # fmt: skip
    use(scene, copy, ahead=ahead)
    assert [one.why for one in found(scene)] == ([] if why is None else [why])


# fleet-outlier.


def test_an_outlier_is_far_above_the_median(scene: OfficeScene, copy: bytes) -> None:
    numbers = more_copies(scene, copy, 9)
    for number in numbers:
        use(scene, number, 3)
    use(scene, copy, 30)
    scene.clock.pass_by(DAY)
    look(scene.office)
    assert rules_found(scene) == []
    for number in numbers:
        use(scene, number, 3)
    use(scene, copy, 31)
    look(scene.office)
    # The day is not over.
    assert rules_found(scene) == []
    scene.clock.pass_by(DAY)
    look(scene.office)
    [one] = found(scene)
    assert (one.number, one.rule) == (copy.hex(), "fleet-outlier")
    assert one.numbers == {"counted": 31, "median": 3, "copies": 10, "times": 10, "day": "2026-09-22"}
    look(scene.office)
    assert [one.times for one in found(scene)] == [1]


def test_there_is_no_median_of_a_few(scene: OfficeScene, copy: bytes) -> None:
    for number in more_copies(scene, copy, 8):
        use(scene, number)
    use(scene, copy, 90)
    scene.clock.pass_by(DAY)
    look(scene.office)
    assert rules_found(scene) == []
    with scene.office.database.read() as session:
        assert session.scalars(select(WatchedProgram.day)).all() == [MIDNIGHT // DAY]


# All of them.


@pytest.mark.clause("V23")
def test_a_finding_disables_nothing_and_says_of_clones_not_who_is_honest(scene: OfficeScene) -> None:
    set_rule(scene, "too-often", validations=1)
    holder = rates_holder(scene, ask=direct(scene.office))
    number = holder.copies["rates"].number
    for _ in range(4):
        assert isinstance(holder.validate("rates"), Ticket)
    assert state_of(scene, number) is State.VALID
    [one] = found(scene)
    assert (one.times, one.numbers["counted"]) == (3, 4)


def test_a_request_that_is_repeated_counts_once(scene: OfficeScene) -> None:
    set_rule(scene, "many-failures", refusals=0)
    holder = rates_holder(scene, ask=direct(scene.office))
    copy = holder.copies["rates"]
    set_rule(scene, "too-often", validations=1)
    holder.request(copy, holder.challenge(copy))
    answers = {holder.send(copy) for _ in range(5)}
    holder.take(copy, answers.pop())
    assert answers == set()
    assert rules_found(scene) == []
    holder.request(copy, holder.challenge(copy), program_number=9)
    for _ in range(5):
        assert refused(lambda: holder.send(copy)) is Refusal.OUT_OF_SEQUENCE
    assert rules_found(scene) == [("too-often", 1), ("many-failures", 1)]


def test_there_is_one_open_finding_of_a_copy_and_a_rule(scene: OfficeScene, copy: bytes) -> None:
    set_rule(scene, "leap", seconds=1)
    use(scene, copy, ahead=5)
    scene.clock.pass_by(60)
    use(scene, copy, ahead=9)
    [one] = found(scene)
    assert (one.last - one.first, one.times, one.numbers["counted"]) == (60, 2, 9)
    [other] = more_copies(scene, copy, 1)
    use(scene, other, ahead=5)
    assert len(found(scene)) == 2


def test_what_was_acknowledged_counts_no_more(scene: OfficeScene, copy: bytes) -> None:
    set_rule(scene, "too-often", validations=3)
    use(scene, copy, 5)
    [one] = found(scene)
    acknowledge(scene.office, one.id, "ada")
    with pytest.raises(OperatorError, match="ada has done so"):
        acknowledge(scene.office, one.id, "grace")
    scene.clock.pass_by(60)
    use(scene, copy, 3)
    assert found(scene, is_open=True) == []
    use(scene, copy)
    [again] = found(scene, is_open=True)
    assert again.numbers["counted"] == 4
    assert [(one.acknowledged_by, one.times) for one in found(scene, copy=copy)] == [("ada", 2), (None, 1)]


def test_a_rule_is_changed_for_all_or_for_a_program(scene: OfficeScene, copy: bytes) -> None:
    other = first_copy(scene, "slogan", "M-0002")
    set_rule(scene, "too-often", validations=5)
    set_rule(scene, "too-often", "slogan", validations=2)
    set_rule(scene, "too-often", seconds=60)
    for number in (copy, other):
        use(scene, number, 3)
    assert [(one.program, one.numbers) for one in found(scene)] == [
        ("slogan", {"counted": 3, "validations": 2, "seconds": 3600})
    ]
    use(scene, copy, 3)
    assert found(scene)[1].numbers == {"counted": 6, "validations": 5, "seconds": 60}
    reset_rule(scene.office, "too-often", "slogan", OPERATOR)
    assert set_rule(scene, "too-often", "slogan").parameters.model_dump()["validations"] == 5
    set_rule(scene, "too-often", "slogan", is_on=False)
    use(scene, other, 20)
    assert [one.times for one in found(scene) if one.program == "slogan"] == [1]


def test_usage_is_kept_as_long_as_the_log(scene: OfficeScene, copy: bytes) -> None:
    use_daily(scene, copy, 3)
    scene.clock.pass_by((DAYS_KEPT - 1) * DAY)
    use(scene, copy)
    with scene.office.database.read() as session:
        days = session.scalars(select(UsageDay.day).order_by(UsageDay.day)).all()
    assert [day - MIDNIGHT // DAY for day in days] == [1, 2, DAYS_KEPT + 1]


def rushing(scene: OfficeScene, numbers: list[bytes]) -> list[Callable[[], object]]:
    using: list[Callable[[], object]] = [partial(use, scene, number) for number in numbers]
    return [*using, *(partial(look, scene.office) for _ in numbers)]


def test_who_comes_at_the_same_time_finds_the_same_once(scene_of_any: OfficeScene) -> None:
    scene = scene_of_any
    set_rule(scene, "silent", daily=1, days=1)
    set_rule(scene, "fleet-outlier", times=2, copies=3)
    set_rule(scene, "leap", is_on=False)
    numbers = more_copies(scene, first_copy(scene), 4)
    for number in numbers[:3]:
        use(scene, number)
    use(scene, numbers[3], 9)
    scene.clock.pass_by(2 * DAY)
    works = rushing(scene, numbers[:2])
    barrier = Barrier(len(works))

    def work(position: int) -> None:
        barrier.wait(30)
        works[position]()

    with ThreadPoolExecutor(len(works)) as threads:
        list(threads.map(work, range(len(works))))
    look(scene.office)
    told = [(one.number, one.rule) for one in found(scene)]
    assert len(set(told)) == len(told)
    assert {(numbers[2].hex(), "silent"), (numbers[3].hex(), "silent")} <= set(told)


@pytest.fixture
def scene_of_any(state: Path, database_url: str | None) -> Iterator[OfficeScene]:
    with office_scene(state, database_url) as made:
        yield made
