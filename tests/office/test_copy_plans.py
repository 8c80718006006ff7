"""What a copy costs does not grow with the number of copies: so many statements, each by an index."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from fob_office.distribution.operating import Which, copies_after
from fob_office.distribution.tables import Copy, Holder
from fob_office.paging import PAGE
from fob_office.validation.log import lines_after
from fob_office.validation.service import EVIDENCE_TIME
from fob_office.validation.tables import Result, Validation
from fob_protocol.integrity.distribution import AskCopies
from fob_protocol.integrity.ticket import Ticket
from fob_protocol.integrity.validation import GetChallenge, State, Verdict
from fob_protocol.office.envelope import Service
from fob_protocol.office.message import Message
from support.holder import Ask
from support.office import NOW, OfficeScene, office_scene
from support.office_holders import RATES, direct, holder_of, rates_holder
from support.office_shop import ordered_device
from support.office_statements import Access, Watch, watched
from support.postgresql import Cluster

# Enough for PostgreSQL to take an index wherever there is one.
COPIES = 1500
PLANS = ("force_custom_plan", "force_generic_plan")
# Tables that grow with the number of copies, and columns that tell few of their rows apart.
GROWING = {"holders", "copies", "validations"}
COARSE = {"program", "version", "state", "result", "is_used", "is_current"}


@pytest.fixture(params=["sqlite", *PLANS])
def scene(request: pytest.FixtureRequest, state: Path) -> Iterator[tuple[OfficeScene, Watch]]:
    """With many copies of one program, each validated once, by whom nobody asks."""
    url = None
    if request.param in PLANS:
        cluster: Cluster = request.getfixturevalue("cluster")
        url = cluster.shared_database()
    with office_scene(state, url) as made:
        rates_holder(made, serial="M-0000")
        fill(made)
        with watched(made.office.database.engine, request.param) as watch:
            yield made, watch


def fill(scene: OfficeScene) -> None:
    random = Random(3).randbytes
    with scene.office.database.write() as session:
        first = session.scalars(select(Copy)).one()
        holders = [Holder(key=random(32), counter=1, request=None, added=NOW) for _ in range(COPIES)]
        session.add_all(holders)
        session.flush()
        copies = [
            Copy(
                number=random(16), holder=holder.id, program="rates", version=first.version, release=first.release,
                installation=None, record=first.record, identifier=first.identifier, state=State.VALID, created=NOW,
            )
            for holder in holders
        ]  # fmt: skip
        session.add_all(copies)
        session.flush()
        session.add_all(
            Validation(
                copy=copy.id, program_number=1, request=random(32), evidence=b"", time=NOW, result=Result.VALID,
                integrity_value=b"", is_used=True,
            )
            for copy in copies
        )  # fmt: skip
    if scene.office.database.engine.dialect.name == "postgresql":
        with scene.office.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("ANALYZE"))


def whole_tables(accesses: list[Access]) -> list[Access]:
    assert accesses
    return [one for one in accesses if one.table in GROWING and not one.columns - COARSE]


def counted(scene: OfficeScene, watch: Watch, told: list[tuple[str, int]]) -> Ask:
    ask = direct(scene.office)

    def carry(service: Service, server: str, message: Message) -> bytes:
        watch.take()
        try:
            return ask(service, server, message)
        finally:
            said, accesses = watch.take()
            # Whose server it is is looked up for the first one.
            told.append((type(message).__name__, len([one for one in said if "server_keys" not in one])))
            assert whole_tables(accesses) == [], said

    return carry


def test_what_is_said_of_a_copy(scene: tuple[OfficeScene, Watch]) -> None:
    """In one go: to make so many takes longer than to ask."""
    pages_go_by_an_index(*scene)
    a_copy_s_life_costs_the_same(*scene)
    what_is_over_is_erased_a_few_at_a_time(*scene)


def a_copy_s_life_costs_the_same(office: OfficeScene, watch: Watch) -> None:
    told: list[tuple[str, int]] = []
    holder = holder_of(office, ordered_device(office, "rates").system_key, ask=counted(office, watch, told))
    holder.fetch({"rates": RATES})
    assert isinstance(holder.validate("rates"), Ticket)
    copy = holder.copies["rates"]
    clone = holder.clone(seed=9)
    assert isinstance(holder.validate("rates"), Ticket)
    assert isinstance(clone.validate("rates"), Verdict)
    holder.request(copy, bytes(32))
    assert isinstance(holder.validate("rates"), Verdict)
    assert told == [
        (AskCopies.__name__, 10),
        # Challenge and request; the second one is not measured, nor is a clone's.
        (GetChallenge.__name__, 1),
        # Three of a line are the usage watch's, and four more on a copy's first one of a day.
        ("Validate", 17),
        (GetChallenge.__name__, 1),
        ("Validate", 13),
        (GetChallenge.__name__, 1),
        # Flagging takes two more: the holder is barred from the program's other versions.
        ("Validate", 15),
        ("Validate", 11),
    ]


def what_is_over_is_erased_a_few_at_a_time(office: OfficeScene, watch: Watch) -> None:
    told: list[tuple[str, int]] = []
    device = ordered_device(office, "rates", serial="M-0002")
    holder = holder_of(office, device.system_key, ask=counted(office, watch, told))
    holder.fetch({"rates": RATES})
    office.clock.pass_by(EVIDENCE_TIME + 1)
    before = lines(office)
    assert isinstance(holder.validate("rates"), Ticket)
    assert lines(office) == before + 1 - 16


def lines(office: OfficeScene) -> int:
    with office.office.database.read() as session:
        return session.scalar(select(func.count()).select_from(Validation)) or 0


def pages_go_by_an_index(office: OfficeScene, watch: Watch) -> None:
    with office.office.database.read() as session:
        number = session.scalars(select(Copy.number).where(Copy.id == COPIES)).one()
    pages: list[Callable[[Session], Sequence[object]]] = [
        lambda session: copies_after(session, 500, Which()),
        lambda session: copies_after(session, 500, Which(program="rates")),
        lambda session: copies_after(session, 500, Which(state=State.VALID)),
        lambda session: copies_after(session, 500, Which(program="rates", state=State.VALID)),
        lambda session: lines_after(session, 500, None),
    ]
    for page in pages:
        with office.office.database.read() as session:
            watch.take()
            assert len(page(session)) == PAGE
        _, accesses = watch.take()
        assert whole_tables([one for one in accesses if one.table != "holders"]) == []
    with office.office.database.read() as session:
        watch.take()
        assert len(lines_after(session, 0, number)) == 1
    assert whole_tables(watch.take()[1]) == []
