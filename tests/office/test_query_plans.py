"""What an exchange costs does not grow with the number of devices: so many statements, each by an index."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from fob_office.components.shipping import add_shipped
from fob_office.components.tables import ReleaseState
from fob_office.configuration.tables import KeptAnswer
from fob_office.devices.service import devices_after
from fob_office.entitlements.changing import Change, Entitling
from fob_office.entitlements.views import entitlement_views
from fob_office.events.service import events_after, events_before
from fob_office.paging import PAGE
from fob_office.registration.tables import Registration, Standing
from fob_office.registration.views import registration_views
from fob_office.rollout.service import Course, create_rollout, start_rollout
from fob_office.rollout.views import rollout_view
from fob_office.sessions.tables import OpenSession, ProofCount
from fob_protocol.office.configuration import Current, Purpose
from fob_protocol.office.envelope import Service
from fob_protocol.office.errors import RefusedError
from fob_protocol.office.refusals import Refusal
from support.office import OfficeScene, office_scene
from support.office_client import ReferenceDevice, stranger_of, with_key
from support.office_device import HARDWARE, OfficeDevice
from support.office_fleet import SERVER, Fleet
from support.office_shop import OPERATOR, generic_device, ordered_device, release
from support.office_statements import Access, Watch, watched
from support.postgresql import Cluster

# Enough for PostgreSQL to take an index wherever there is one.
FLEET = 2000
# The component that all of them hold, and that a rollout brings anew.
OPTION = "fleet"
# Tables that operators fill, not devices; and reports, of which a server keeps a bounded number.
SMALL = {
    "master_keys", "issuers", "revocation_lists", "servers", "server_keys", "operator_tokens", "releases", "chunks",
    "component_commands", "rollouts", "rollout_groups", "registration_templates", "filed_reports",
}  # fmt: skip
# Columns that have the same value in most rows.
COARSE = {"server", "rollout", "source", "component", "standing", "state"}
# PostgreSQL plans a statement for its values at first, and may go over to one plan for all values.
# A code between the codes of many.
MIDDLE = b"\x40"
PLANS = ("force_custom_plan", "force_generic_plan")

Exchange = tuple[str, int]


@dataclass
class Scene:
    """An office with a fleet; each question through `carry` is watched."""

    office: OfficeScene
    watch: Watch
    exchanges: list[Exchange] = field(default_factory=list)

    def carry(self, service: Service, sealed: bytes) -> bytes:
        """A question, whose statements are counted, and all of which go by an index."""
        self.watch.take()
        answer = self.office.answering.answer(service, sealed)
        said, accesses = self.watch.take()
        self.exchanges.append((service.value, len(said)))
        assert reading_whole_tables(accesses) == [], said
        return answer

    def device(self, serial: str, *options: str) -> tuple[OfficeDevice, ReferenceDevice]:
        """One device, as it is configured and as it registers."""
        configured = ordered_device(self.office, *options, serial=serial)
        configured.carry = self.carry
        registered = stranger_of(self.office, seed=len(serial))
        registered.system_key, registered.send = configured.system_key, self.carry
        return configured, registered

    def taken(self) -> list[Exchange]:
        """What was exchanged since."""
        taken, self.exchanges = self.exchanges, []
        return taken


def reading_whole_tables(accesses: list[Access]) -> list[Access]:
    """Those that take longer the more devices there are."""
    assert accesses
    return [one for one in accesses if one.table not in SMALL and not one.columns - COARSE]


@pytest.fixture(params=["sqlite", *PLANS])
def scene(request: pytest.FixtureRequest, state: Path) -> Iterator[Scene]:
    """With a rollout under way, whose release everybody was offered."""
    url = None
    if request.param in PLANS:
        cluster: Cluster = request.getfixturevalue("cluster")
        url = cluster.shared_database()
    with office_scene(state, url) as made:
        release(made, OPTION)
        add_shipped(made.office, [HARDWARE], OPERATOR)
        release(made, OPTION, (2, 0, 0), state=ReleaseState.STAGED)
        create_rollout(made.office, "r", OPTION, (2, 0, 0), Course((100,)), OPERATOR)
        fleet = Fleet(made.office, OPTION)
        # The group is counted when it starts: two reports more do not end it.
        fleet.grow(FLEET // 100)
        start_rollout(made.office, "r", OPERATOR)
        fleet.grow(FLEET)
        with watched(made.office.database.engine, request.param) as watch:
            yield Scene(made, watch)


def test_a_device_from_generic_to_its_first_message(scene: Scene) -> None:
    device, person = scene.device("M-0001", OPTION, "postage-rates")
    person.learn_servers()
    device.configure()
    person.submit(person.draft(person.get_form(SERVER), {"name": "Alice"}))
    person.session().get_entitlements()
    assert scene.taken() == [
        ("directory", 3),
        # Challenge and request.
        ("configuration", 1),
        ("configuration", 18),
        # A chunk of each of three components.
        ("content", 3),
        ("content", 3),
        ("content", 3),
        ("report", 12),
        # Template and request.
        ("registration", 2),
        ("registration", 10),
        # Challenge, proof, which confirms the registration, and a message.
        ("session", 5),
        ("session", 16),
        ("session", 6),
    ]


def test_a_device_that_is_as_it_should_be(scene: Scene) -> None:
    device, person = scene.device("M-0001", OPTION)
    device.configure()
    person.register("Alice")
    scene.taken()
    assert isinstance(device.ask(Purpose.LOOK)[0], Current)
    session = person.session()
    Entitling(scene.office.office).change(person.shared[SERVER].user_code, Change({"reports": 3}))
    session.use("reports", "file", b"title\ntext")
    session.use("reports", "list")
    assert scene.taken() == [
        ("configuration", 1),
        ("configuration", 11),
        # Challenge, proof, a report that is filed, the list of reports.
        ("session", 5),
        ("session", 8),
        ("session", 8),
        ("session", 7),
    ]


def test_what_is_repeated_or_refused(scene: Scene) -> None:
    device, person = scene.device("M-0001", OPTION)
    request = device.request(device.challenge())
    assert device.answer_to(request) == device.answer_to(request)
    refused(generic_device(scene.office, "M-0009", carry=scene.carry).ask, Refusal.DENIED)
    assert scene.taken() == [
        ("configuration", 1),
        ("configuration", 17),
        ("configuration", 3),
        ("configuration", 1),
        ("configuration", 3),
    ]
    person.register("Alice")
    scene.taken()
    draft = person.draft(person.get_form(SERVER), {"name": "Person of F-000007"})
    refused(lambda: person.submit(draft), Refusal.NAME_TAKEN)
    person.shared[SERVER] = with_key(person.shared[SERVER], bytes(32))
    refused(person.session, Refusal.NOT_PROVED)
    assert scene.taken() == [("registration", 2), ("registration", 7), ("session", 5), ("session", 7)]


def test_what_is_over_is_erased_a_few_at_a_time_by_whoever_comes(scene: Scene) -> None:
    database = scene.office.office.database
    device, person = scene.device("M-0001", OPTION)
    with database.write() as session:
        session.execute(update(KeptAnswer).where(KeptAnswer.device <= 100).values(time=0))
        some = select(Registration.user_code).order_by(Registration.user_code).limit(100)
        codes = session.scalars(some).all()
        pending = update(Registration).where(Registration.user_code.in_(codes))
        session.execute(pending.values(standing=Standing.PENDING, confirm_by=0))
        session.execute(update(OpenSession).where(OpenSession.user_code.in_(codes)).values(until=0))
        session.execute(update(ProofCount).where(ProofCount.user_code.in_(codes)).values(changed=0))
    before = counts(scene.office)
    device.configure()
    person.register("Alice")
    after = counts(scene.office)
    # One came, but of a count, which went again with a right proof.
    assert {table: before[table] - after[table] for table in before} == {
        "kept_answers": 16 - 1, "registrations": 16 - 1, "sessions": 16 - 1, "proof_counts": 16,
    }  # fmt: skip


def test_an_operator_s_page_is_one_statement(scene: Scene) -> None:
    pages: list[Callable[[Session], Sequence[object]]] = [
        lambda session: devices_after(session, "F-000500"),
        lambda session: events_after(session, 500),
        lambda session: events_before(session, 500),
        lambda session: registration_views(session, server=None, standing=None, after=MIDDLE, count=PAGE),
        lambda session: registration_views(session, server=SERVER, standing=None, after=MIDDLE, count=PAGE),
        lambda session: registration_views(session, server=SERVER, standing="confirmed", after=MIDDLE, count=PAGE),
        lambda session: entitlement_views(session, server=None, after=MIDDLE, count=PAGE),
        lambda session: entitlement_views(session, server=SERVER, after=MIDDLE, count=PAGE),
    ]
    for read in pages:
        with scene.office.office.database.read() as session:
            scene.watch.take()
            assert len(read(session)) == PAGE
        said, accesses = scene.watch.take()
        assert len(said) == 1
        assert reading_whole_tables(accesses) == [], said


def test_how_a_rollout_fares_is_told_without_asking_its_devices(scene: Scene) -> None:
    with scene.office.office.database.read() as session:
        scene.watch.take()
        assert [group.devices for group in rollout_view(session, "r").groups] == [FLEET // 100]
    said, accesses = scene.watch.take()
    assert len(said) == 3
    assert {one.table for one in accesses} <= SMALL


def refused(ask: Callable[[], object], refusal: Refusal) -> None:
    """It is, for this."""
    with pytest.raises(RefusedError) as error:
        ask()
    assert error.value.refusal is refusal


def counts(scene: OfficeScene) -> dict[str, int]:
    """Rows of what is erased when it is over."""
    with scene.office.database.read() as session:
        return {
            kind.__tablename__: session.scalar(select(func.count()).select_from(kind)) or 0
            for kind in (KeptAnswer, Registration, OpenSession, ProofCount)
        }
