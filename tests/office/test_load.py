"""Many devices at the same time, by HTTPS, at an office of two processes: nothing fails, and all is done once.

With FOB_CROWDS=all (`make soak`) they are fifty.
"""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fob_office.components.shipping import add_shipped
from fob_office.configuration.tables import OfferedSet
from fob_office.devices.tables import Inventory
from fob_office.entitlements.tables import Entitlement
from fob_office.events.tables import Event
from fob_office.office import Office, open_office
from fob_office.registration.tables import Registration, Standing
from fob_office.sessions.tables import OpenSession, Phase
from fob_office.settings import load_settings
from fob_office.surroundings import SYSTEM
from fob_office.tls import CA_FILE
from fob_protocol.office.envelope import Service
from support.crowds import crowd
from support.office_device import HARDWARE
from support.office_life import Factory, Life, Line
from support.office_process import RunningOffice, fob_office, running_office

DEVICES = crowd(16, 50)
AT_ONCE = 8


@pytest.fixture
def office(state: Path, database_url: str | None) -> Iterator[Office]:
    """One that has components."""
    fob_office(state, "init", *([] if database_url is None else ["--database", database_url]))
    opened = open_office(load_settings(state, {}), {}, SYSTEM)
    add_shipped(opened, [HARDWARE], "operator")
    yield opened
    opened.close()


@pytest.mark.clause("X3")
def test_many_devices_come_at_once(office: Office) -> None:
    factory = Factory(office, "slogan-picture")
    lives = [factory.make(f"M-{number:04}") for number in range(DEVICES)]
    with running_office(office.settings.state, "--workers", "2") as running:
        parts = [lives[at::AT_ONCE] for at in range(AT_ONCE)]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            exchanges = sum(pool.map(lambda part: lived(running, part), parts), Counter[tuple[str, int]]())
    assert set(exchanges.values()) == {DEVICES}
    assert {step for step, _ in exchanges} == {
        "directory", "challenge", "configuration", "content", "report", "template", "registration", "session", "proof",
        "message",
    }  # fmt: skip
    assert {status for _, status in exchanges} == {200}
    with office.database.read() as session:
        check_rows(session)


def check_rows(session: Session) -> None:
    """Each device was configured once, registered once, and has one session."""
    configured = select(Inventory.set_number, Inventory.counter, Inventory.reported)
    assert Counter(map(tuple, session.execute(configured))) == {(1, 2, 2): DEVICES}
    assert session.scalar(select(func.count()).select_from(OfferedSet)) == DEVICES
    registered = session.execute(select(Registration.standing, Registration.ssk2)).all()
    assert Counter(map(tuple, registered)) == {(Standing.CONFIRMED, None): DEVICES}
    assert len(set(session.scalars(select(Registration.device)))) == DEVICES
    assert session.scalar(select(func.count()).select_from(Entitlement)) == DEVICES
    assert Counter(map(tuple, session.execute(select(OpenSession.phase, OpenSession.number)))) == {
        (Phase.PROVED, 1): DEVICES
    }
    events = Counter(session.scalars(select(Event.what)))
    names = ("device added", "ordered: slogan-picture", "registered at registration")
    assert [events[name] for name in names] == [DEVICES] * len(names)


def lived(office: RunningOffice, lives: list[Life]) -> Counter[tuple[str, int]]:
    """One after the other, over one connection; how often each step had which status."""
    exchanges: Counter[tuple[str, int]] = Counter()
    line = Line(office.url, office.state / CA_FILE)

    def carry(step: str, service: Service, sealed: bytes) -> bytes:
        status, answer = line.post(service, sealed)
        exchanges[step, status] += 1
        return answer

    with closing(line):
        for life in lives:
            life.live(carry)
    return exchanges
