"""The office dies at every message of a registration and a session: asked again, it ends in one state (R26)."""

from collections.abc import Callable, Iterator
from itertools import cycle
from random import Random
from typing import TypeVar

import pytest
from sqlalchemy import select

from fob_office.gateway.tables import FiledReport
from fob_office.registration.operating import Registrar
from fob_office.registration.tables import Registration, Standing
from fob_office.registration.templates import presets
from fob_protocol.office.envelope import Service
from support.crashing import CrashError, Moment, OfficeProcess, crashing, office_process
from support.office import OfficeScene
from support.office_client import ReferenceDevice, stranger_of

Answered = TypeVar("Answered")

# Of one conversation: registering, opening, proving, and three messages.
WRITES = 6


def until_answered(ask: Callable[[], Answered]) -> Answered:
    """As a device does: the same again, until there is an answer."""
    for _ in range(50):
        try:
            return ask()
        except CrashError:
            continue
    raise AssertionError("never answered")


def converse(device: ReferenceDevice, name: str) -> None:
    """All messages that there are, each until it is answered."""
    until_answered(device.learn_servers)
    draft = device.draft(until_answered(lambda: device.get_form("registration")), {"name": name})
    until_answered(lambda: device.submit(draft))
    session = device.begin()
    until_answered(session.open)
    until_answered(session.prove)
    assert until_answered(session.get_entitlements).version == 1
    assert until_answered(lambda: session.use("reports", "file", f"{name}\ntext".encode())).status == 201
    assert until_answered(lambda: session.use("reports", "list")).body.decode().splitlines()[0].endswith(name)


def check_one_state(scene: OfficeScene, device: ReferenceDevice, name: str) -> None:
    """One confirmed registration, and what was filed was filed once."""
    with scene.office.database.read() as session:
        [row] = session.scalars(select(Registration).where(Registration.name == name)).all()
        assert (row.standing, row.device, row.ssk2) == (Standing.CONFIRMED, device.signing_key, None)
        assert row.user_code == device.shared["registration"].user_code
        assert len(session.scalars(select(FiledReport).where(FiledReport.title == name)).all()) == 1


@pytest.fixture
def generous(scene: OfficeScene) -> OfficeScene:
    """An office where anybody registers, and may file reports at once; time passes, so that the newest is known."""
    template = presets()["general"].model_copy(update={"applications": {"reports": 3}, "registrants": "anybody"})
    Registrar(scene.office).set_template("registration", template)
    return scene


@pytest.mark.clause("R26")
def test_it_dies_before_or_after_every_commit(generous: OfficeScene) -> None:
    scene, database = crashing(generous)
    device = stranger_of(scene)
    converse(device, "nobody dies")
    assert (database.writes, database.died) == (WRITES, 0)
    for number in range(1, WRITES + 1):
        for moment in Moment:
            scene.clock.pass_by(1)
            database.arm({number: moment}.get)
            name = f"dies {moment} {number}"
            device = stranger_of(scene, seed=10 * number + len(moment))
            converse(device, name)
            check_one_state(scene, device, name)
    assert database.died == 2 * WRITES


@pytest.mark.clause("R26")
def test_it_dies_again_and_again(generous: OfficeScene) -> None:
    scene, database = crashing(generous)
    for seed in range(10):
        random = Random(seed)
        scene.clock.pass_by(1)
        database.arm({write: random.choice(list(Moment)) for write in range(1, 40) if random.random() < 0.5}.get)
        device = stranger_of(scene, seed)
        converse(device, f"run {seed}")
        check_one_state(scene, device, f"run {seed}")
    assert database.died > 20


@pytest.fixture
def process(generous: OfficeScene) -> Iterator[OfficeProcess]:
    with office_process(generous.office.settings) as running:
        yield running


@pytest.mark.clause("R26")
@pytest.mark.parametrize(
    ("database_url", "first"), [("sqlite", Moment.BEFORE), ("postgresql", Moment.AFTER)], indirect=["database_url"]
)
def test_its_process_is_killed_at_every_message_that_changes_something(
    generous: OfficeScene, process: OfficeProcess, first: Moment
) -> None:
    """By SIGKILL, before and after the commit in turn. A question that was not answered is asked again in peace."""
    [second] = [moment for moment in Moment if moment is not first]
    moments = cycle([first, second])
    device = stranger_of(generous)
    again = False

    def send(service: Service, sealed: bytes) -> bytes:
        nonlocal again
        process.dies, again = (None, False) if again else (next(moments), True)
        answered = process.send(service, sealed)
        again = False
        return answered

    device.send = send
    converse(device, "Alice")
    check_one_state(generous, device, "Alice")
    assert process.died == WRITES
