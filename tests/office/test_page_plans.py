"""Among many copies each page of the operator's costs the same: so many statements, by an index."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from fob_office.distribution.tables import Copy
from fob_office.page.copies import copy_page
from fob_office.page.findings import findings_page
from fob_office.page.overview import overview
from fob_office.page.programs import PAGE, program_page
from fob_office.paging import PAGE as FINDINGS
from fob_office.validation.tables import Validation
from fob_office.watching.counting import HOURS
from fob_office.watching.findings import Which, findings_after
from fob_office.watching.rounds import look
from fob_office.watching.tables import Finding, LastUse, UsageDay
from support.office import OfficeScene, office_scene
from support.office_statements import Access, Watch, watched
from support.office_usage import DAY, MIDNIGHT, first_copy, found, more_copies, use
from support.postgresql import Cluster

# Enough for PostgreSQL to take an index wherever there is one.
COPIES = 3000
# There is one device, which no index finds faster.
GROWING = {"copies", "holders", "validations", "usage_days", "last_uses", "findings"}
# What tells few copies apart.
COARSE = {"program", "state", "day"}

Scene = tuple[OfficeScene, Watch, list[bytes]]


@pytest.fixture(params=["sqlite", "force_custom_plan"])
def scene(request: pytest.FixtureRequest, state: Path) -> Iterator[Scene]:
    """With copies of one program, each used on the three days before, and found once."""
    url = None
    if request.param != "sqlite":
        cluster: Cluster = request.getfixturevalue("cluster")
        url = cluster.shared_database()
    with office_scene(state, url) as made:
        numbers = [first_copy(made)]
        numbers += more_copies(made, numbers[0], COPIES)
        fill(made)
        use(made, numbers[0])
        with watched(made.office.database.engine, request.param) as watch:
            yield made, watch, numbers


def fill(scene: OfficeScene) -> None:
    today = MIDNIGHT // DAY
    hours = HOURS.pack(*(1,) * 24)
    with scene.office.database.write() as session:
        copies = session.scalars(select(Copy.id).order_by(Copy.id)).all()[1:]
        rows = [
            {"copy": copy, "day": today - day, "program": "rates", "lines": 24, "hours": hours}
            for copy in copies
            for day in (1, 2, 3)
        ]
        session.execute(insert(UsageDay), rows)
        line = {"program_number": 1, "evidence": b"", "time": MIDNIGHT, "result": "valid", "integrity_value": b""}
        lines = [line | {"copy": copy, "request": b"", "is_used": True} for copy in copies]
        session.execute(insert(Validation), lines)
        session.execute(insert(LastUse), [{"copy": copy, "day": today - 1, "due": today + 1} for copy in copies])
        session.add_all(
            Finding(
                copy=copy, rule="leap", severity="notice", first=MIDNIGHT, last=MIDNIGHT, times=1,
                numbers='{"counted": 130, "direction": "ahead", "seconds": 120}', acknowledged=copy % 2 or None,
            )
            for copy in copies
        )  # fmt: skip
    if scene.office.database.engine.dialect.name == "postgresql":
        with scene.office.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))


def whole_tables(accesses: list[Access], but: set[str]) -> list[Access]:
    return [one for one in accesses if one.table in GROWING - but and not one.columns - COARSE]


def test_what_operators_look_at(scene: Scene) -> None:
    """In one go: to make so many takes longer than to look."""
    pages_go_by_an_index(*scene)
    a_page_of_copies_is_a_page(*scene)
    who_looks_at_what_is_due_goes_by_an_index(*scene)


def pages_go_by_an_index(office: OfficeScene, watch: Watch, numbers: list[bytes]) -> None:
    now = office.clock.time
    pages: list[tuple[Callable[[Session], object], int, set[str]]] = [
        # Devices and copies are counted in an index, which takes longer with more of them; findings only up to a limit.
        (lambda session: overview(session, office.office), 11, {"copies", "findings"}),
        (lambda session: program_page(session, "rates", None, 500, now), 8, {"copies"}),
        (lambda session: program_page(session, "rates", "valid", 500, now), 8, {"copies"}),
        (lambda session: copy_page(session, office.office, numbers[0]), 8, set()),
        (lambda session: findings_page(session, 500, is_open=True), 1, set()),
        (lambda session: findings_page(session, 500, is_open=False), 1, set()),
        (lambda session: findings_after(session, 0, Which(copy=numbers[5]), FINDINGS), 1, set()),
    ]
    told = []
    for page, _, but in pages:
        with office.office.database.read() as session:
            watch.take()
            page(session)
        said, accesses = watch.take()
        told.append(len(said))
        assert whole_tables(accesses, but) == [], said
    assert told == [most for _, most, _ in pages]


def a_page_of_copies_is_a_page(office: OfficeScene, _: Watch, numbers: list[bytes]) -> None:
    with office.office.database.read() as session:
        view = program_page(session, "rates", None, 0, office.clock.time)
    assert [copy.number for copy, _ in view.copies] == [number.hex() for number in numbers[:PAGE]]
    assert view.line.copies == COPIES + 1
    assert view.copies[1][1].words.startswith("72 validations on 3 days of the last 28")


def who_looks_at_what_is_due_goes_by_an_index(office: OfficeScene, watch: Watch, numbers: list[bytes]) -> None:
    with office.office.database.write() as session:
        yesterday = session.get_one(UsageDay, (7, MIDNIGHT // DAY - 1))
        yesterday.lines = 999
        session.get_one(LastUse, 8).due = MIDNIGHT // DAY
    watch.take()
    look(office.office)
    _, accesses = watch.take()
    # The median of a day is counted in an index that has nothing else of a program.
    assert [one for one in whole_tables(accesses, set()) if not one.columns >= {"program", "day"}] == []
    [outlier] = [one for one in found(office, copy=numbers[6]) if one.rule == "fleet-outlier"]
    assert outlier.numbers["copies"] == COPIES
    watch.take()
    look(office.office)
    said, _ = watch.take()
    # Nothing is due: two looks at that.
    assert [one.split()[0] for one in said] == ["SELECT"] * 3
