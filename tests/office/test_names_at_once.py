"""Many who ask for one name at the same time: one has it, and is the only one who is told so (R25).

With FOB_CROWDS=all (`make soak`) they are a thousand.
"""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import func, select

from fob_office.answering import Answering
from fob_office.entitlements.tables import Entitlement
from fob_office.office import open_office
from fob_office.registration.tables import Registration
from fob_office.roles import ROLES
from fob_protocol.office.errors import RefusedError
from fob_protocol.office.refusals import Refusal
from support.crowds import crowd
from support.office import OfficeScene, surroundings
from support.office_client import Draft, ReferenceDevice, device_of, devices_of

ASKING = crowd(150, 1000)
THREADS = 24


def drafts(scene: OfficeScene, count: int, name: str) -> list[tuple[ReferenceDevice, Draft]]:
    first = device_of(scene)
    first.learn_servers()
    form = first.get_form("registration")
    devices = devices_of(scene, range(count))
    for device in devices:
        device.certificates, device.trust = first.certificates, first.trust
    return [(device, device.draft(form, {"name": name})) for device in devices]


def outcome(asked: tuple[ReferenceDevice, Draft]) -> bytes | Refusal:
    device, draft = asked
    try:
        return device.submit(draft).user_code
    except RefusedError as error:
        return error.refusal


@pytest.mark.clause("R25", "C9")
def test_of_many_who_ask_for_one_name_one_gets_it(scene: OfficeScene) -> None:
    """Through two offices over one database, as two workers or two machines are."""
    second = open_office(scene.office.settings, {}, surroundings(scene.clock, seed=7))
    try:
        asking = drafts(scene, ASKING, "Alice")
        answering = Answering(second, ROLES)
        for device, _ in asking[::2]:
            device.send = answering.answer
        with ThreadPoolExecutor(THREADS) as threads:
            outcomes = list(threads.map(outcome, asking))
        assert outcomes.count(Refusal.NAME_TAKEN) == ASKING - 1
        [winner] = [number for number, told in enumerate(outcomes) if isinstance(told, bytes)]
        with scene.office.database.read() as session:
            assert session.scalars(select(Registration.device)).all() == [asking[winner][0].signing_key]
            assert session.scalar(select(func.count()).select_from(Entitlement)) == 1
        asking[winner][0].session()
    finally:
        second.close()


@pytest.mark.clause("R25", "R26")
def test_one_request_that_is_sent_many_times_at_once_has_one_answer(scene: OfficeScene) -> None:
    [(device, draft)] = drafts(scene, 1, "Alice")
    begin = Barrier(8)

    def send(_: int) -> bytes | Refusal:
        begin.wait(30)
        return outcome((device, draft))

    with ThreadPoolExecutor(8) as threads:
        outcomes = set(threads.map(send, range(8)))
    assert outcomes == {device.shared["registration"].user_code}


@pytest.mark.clause("R26")
def test_of_many_requests_of_one_device_at_once_one_is_left(scene: OfficeScene) -> None:
    [(device, _)] = drafts(scene, 1, "-")
    form = device.get_form("registration")
    asking = [(device, device.draft(form, {"name": f"name {number}"})) for number in range(8)]
    with ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(outcome, asking))
    with scene.office.database.read() as session:
        [left] = session.scalars(select(Registration.user_code)).all()
    assert left in outcomes
    assert set(outcomes) <= {Refusal.UNAVAILABLE} | {told for told in outcomes if isinstance(told, bytes)}
