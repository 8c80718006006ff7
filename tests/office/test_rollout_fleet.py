"""A fleet, one release that is bad for some: exactly who gets it, when it pauses, and who never does.

With FOB_CROWDS=all (`make soak`) it has ten thousand devices.
"""

from collections.abc import Iterable
from random import Random

import pytest
from sqlalchemy import insert, select

from fob_office.components.tables import ReleaseState
from fob_office.devices.tables import Device, DeviceState
from fob_office.orders.tables import ORDERED, Option, Order
from fob_office.rollout.groups import group_of
from fob_office.rollout.membership import enter_members, enter_outcome, offers_for
from fob_office.rollout.service import (
    Course,
    create_rollout,
    resume_rollout,
    rollout_of,
    start_rollout,
    stop_rollout,
)
from fob_office.rollout.states import MemberState
from fob_office.rollout.tables import RolloutMember
from fob_office.rollout.views import RolloutView, rollout_view
from fob_protocol.office.limits import ROLLOUT_SAMPLE
from support.crowds import crowd
from support.office import OfficeScene
from support.office_shop import OPERATOR, release

FLEET = crowd(1500, 10_000)
SHARES = (10, 25, 60, 100)
THRESHOLD = 10


class Fleet:
    """Devices as the office sees them: who asks is offered what a rollout lets it have, and says what became of it."""

    def __init__(self, scene: OfficeScene) -> None:
        self.scene = scene
        random = Random(7)
        rows = [
            {
                "serial": f"F-{number:05}", "hardware": "meter-1", "title": "A meter",
                "signing_key": random.randbytes(32), "sealing_key": bytes(32), "authorisation_key": b"",
                "regions": b"", "state": DeviceState.ACTIVE, "counter": 0, "added": 0,
            }
            for number in range(FLEET)
        ]  # fmt: skip
        with scene.office.database.write() as session:
            session.execute(insert(Device), rows)
            self.devices = session.scalars(select(Device).order_by(Device.serial)).all()
            ids = [device.id for device in self.devices]
            session.execute(
                insert(Order), [{"device": one, "equipment": "", "created": 0, "changed": 0} for one in ids]
            )
            session.execute(insert(Option), [{"device": one, "source": ORDERED, "component": "rates"} for one in ids])

    def ask(self, devices: Iterable[Device]) -> list[Device]:
        """All of these ask; those that are offered the release and were not before."""
        new = []
        with self.scene.office.database.write() as session:
            for device in devices:
                offers = offers_for(session, device)
                if any(offer.is_new for offer in offers.values()):
                    enter_members(session, device, offers.values())
                    new.append(device)
        return new

    def report(self, devices: Iterable[Device], outcome: MemberState, row: int) -> int:
        """Each in its own transaction, until the rollout pauses; how many did."""
        count = 0
        for device in devices:
            with self.scene.office.database.write() as session:
                enter_outcome(session, device.id, [row], outcome, 0)
            count += 1
            if self.seen().state == "paused":
                break
        return count

    def report_all(self, devices: Iterable[Device], outcome: MemberState, row: int) -> None:
        with self.scene.office.database.write() as session:
            for device in devices:
                enter_outcome(session, device.id, [row], outcome, 0)

    def seen(self) -> RolloutView:
        with self.scene.office.database.read() as session:
            return rollout_view(session, "r")

    def groups(self) -> dict[int, list[Device]]:
        """Who is in which, as the specification has it."""
        with self.scene.office.database.read() as session:
            salt = rollout_of(session, "r").salt
        found: dict[int, list[Device]] = {number: [] for number in range(1, len(SHARES) + 1)}
        for device in self.devices:
            found[group_of(salt, device.serial, SHARES)].append(device)
        return found


def test_a_whole_fleet(sqlite_scene: OfficeScene) -> None:
    scene = sqlite_scene
    release(scene, "rates")
    fleet = Fleet(scene)
    row = release(scene, "rates", (2, 0, 0), state=ReleaseState.STAGED).id
    create_rollout(scene.office, "r", "rates", (2, 0, 0), Course(SHARES, THRESHOLD), OPERATOR)
    groups = fleet.groups()

    # Nobody before it starts, and then the first group, whoever asks.
    assert fleet.ask(fleet.devices[:500]) == []
    start_rollout(scene.office, "r", OPERATOR)
    assert fleet.ask(fleet.devices) == groups[1]
    fleet.report_all(groups[1], MemberState.CONFIRMED, row)

    # The second group fails from the first report on: it pauses when a sample has reported.
    start_rollout(scene.office, "r", OPERATOR)
    half = groups[2][: len(groups[2]) // 2]
    assert fleet.ask(half) == half
    assert fleet.report(half, MemberState.FAILED, row) == ROLLOUT_SAMPLE
    paused = fleet.seen()
    assert (paused.state, paused.groups[1].offered, paused.groups[1].failed) == ("paused", len(half), ROLLOUT_SAMPLE)

    # Paused: of all who ask nobody new gets it.
    assert fleet.ask(fleet.devices) == []

    # Resumed: the rest of the group, and nobody of a later one.
    resume_rollout(scene.office, "r", OPERATOR)
    assert fleet.ask(groups[2] + groups[3]) == groups[2][len(half) :]
    fleet.report_all(groups[2][ROLLOUT_SAMPLE:], MemberState.CONFIRMED, row)
    start_rollout(scene.office, "r", OPERATOR)
    some = groups[3][: len(groups[3]) // 4]
    assert fleet.ask(some) == some

    # Stopped: nobody gets it any more.
    assert stop_rollout(scene.office, "r", OPERATOR) == (2, 0, 1)
    assert fleet.ask(groups[1] + groups[3] + groups[4][:500]) == []
    with scene.office.database.read() as session:
        members = session.scalars(select(RolloutMember.device)).all()
    assert len(members) == len(set(members)) == len(groups[1]) + len(groups[2]) + len(some)
    told = [(group.devices, group.offered, group.confirmed, group.failed) for group in fleet.seen().groups]
    assert told == [
        (len(groups[1]), len(groups[1]), len(groups[1]), 0),
        (len(groups[2]), len(groups[2]), len(groups[2]) - ROLLOUT_SAMPLE, ROLLOUT_SAMPLE),
        (len(groups[3]), len(some), 0, 0),
        (0, 0, 0, 0),
    ]


@pytest.mark.parametrize("failed", [0, 1])
def test_a_share_at_the_threshold_goes_on_and_above_it_pauses(sqlite_scene: OfficeScene, failed: int) -> None:
    scene = sqlite_scene
    release(scene, "rates")
    fleet = Fleet(scene)
    row = release(scene, "rates", (2, 0, 0), state=ReleaseState.STAGED).id
    create_rollout(scene.office, "r", "rates", (2, 0, 0), Course(SHARES, THRESHOLD), OPERATOR)
    start_rollout(scene.office, "r", OPERATOR)
    first = fleet.groups()[1]
    fleet.ask(first)
    fleet.report_all(first[:90], MemberState.CONFIRMED, row)
    fleet.report_all(first[90 : 90 + 10], MemberState.FAILED, row)
    assert fleet.seen().state == "running"
    fleet.report_all(first[100 : 100 + failed], MemberState.FAILED, row)
    assert fleet.seen().state == ("paused" if failed else "running")
