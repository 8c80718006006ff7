"""What is ordered and held stays, also when the office has nothing that it could give in its place; and it says so."""

from collections.abc import Callable
from typing import TypeAlias

import pytest
from structlog.testing import capture_logs

from fob_office.components.ends import ending_in_short, ending_releases
from fob_office.components.service import resign_server, withdraw
from fob_office.components.tables import ReleaseState
from fob_office.devices.service import device_of
from fob_office.devices.views import device_details
from fob_office.events.service import events_after
from fob_office.orders.service import change_order
from fob_office.orders.tables import ORDERED, Option
from fob_office.orders.views import order_view
from fob_protocol.office.component import Component
from fob_protocol.office.configuration import Current, Granted, Purpose
from fob_protocol.office.errors import RefusedError
from fob_protocol.office.refusals import Refusal
from support.office import OfficeScene
from support.office_device import OfficeDevice
from support.office_shop import OPERATOR, granted_versions, ordered_device, release, versions

DAY = 86_400
EVENT = "kept as it is, for want of a release: rates"


def revoked(scene: OfficeScene, device: OfficeDevice) -> None:
    scene.issuing().change_keys("release")
    scene.issuing().revoke("release", everything=False, anyway=True)


def over(scene: OfficeScene, device: OfficeDevice) -> None:
    scene.clock.pass_by(10 * DAY)


def newer_than_the_office(scene: OfficeScene, device: OfficeDevice) -> None:
    """The office was restored from a backup of before."""
    device.catalogue = (Component("rates", (1, 2, 0), bytes(32)),)


Lose: TypeAlias = Callable[[OfficeScene, OfficeDevice], None]
LOSSES: dict[str, Lose] = {"revoked": revoked, "over": over, "newer than the office's": newer_than_the_office}


def lacking(scene: OfficeScene, device: OfficeDevice) -> tuple[list[str], list[str]]:
    with scene.office.database.read() as session:
        ordered = order_view(session, device.serial, scene.office.now()).lacking
        return ordered, device_details(session, device_of(session, device.serial), scene.office.now()).lacking


def events(scene: OfficeScene) -> list[tuple[str, str, str]]:
    with scene.office.database.read() as session:
        return [(one.who, one.what, one.about) for one in events_after(session, 0) if one.who == "office"]


def ends(scene: OfficeScene) -> tuple[list[str], list[str]]:
    with scene.office.database.read() as session:
        return ending_releases(session, scene.office.now()), ending_in_short(session, scene.office.now())


@pytest.mark.clause("C2", "C27")
@pytest.mark.parametrize("lose", LOSSES.values(), ids=LOSSES)
def test_what_is_ordered_and_held_is_not_taken_away(scene: OfficeScene, lose: Lose) -> None:
    release(scene, "rates", days=10)
    device = ordered_device(scene, "rates")
    device.configure()
    lose(scene, device)
    release(scene, "slogan")
    held = device.catalogue
    with capture_logs() as logs:
        # Nothing else was ordered; then something was, which cannot come without the rest.
        assert device.configure(Purpose.AGAIN) == Current(())
        add_option(scene, device, "slogan")
        with pytest.raises(RefusedError) as refused:
            device.configure(Purpose.AGAIN)
    assert refused.value.refusal is Refusal.LACKING
    assert device.catalogue == held
    assert [(line["serial"], line["options"]) for line in logs if line["event"].startswith("kept")] == [
        ("M-0001", "rates"),
        ("M-0001", "rates"),
    ]
    assert events(scene) == [("office", EVENT, "M-0001")]
    assert lacking(scene, device) == (["rates"], ["rates"])
    # There is something to give again.
    release(scene, "rates", (1, 2, 1))
    device.configure(Purpose.AGAIN)
    assert versions(device.catalogue) == {"rates": (1, 2, 1), "slogan": (1, 0, 0)}
    assert lacking(scene, device) == ([], [])


def add_option(scene: OfficeScene, device: OfficeDevice, option: str) -> None:
    """As if it had been ordered before: an order is refused while one of its options cannot be given."""
    with scene.office.database.write() as session:
        session.add(Option(device=device_of(session, device.serial).id, source=ORDERED, component=option))


def test_what_an_option_needs_is_kept_with_it(scene: OfficeScene) -> None:
    release(scene, "table", days=10)
    release(scene, "rates", needs={"table": (1, 0, 0)})
    device = ordered_device(scene, "rates")
    device.configure()
    scene.clock.pass_by(10 * DAY)
    assert device.configure(Purpose.AGAIN) == Current(())
    assert events(scene) == [("office", EVENT, "M-0001")]


@pytest.mark.clause("C2")
@pytest.mark.parametrize("lose", LOSSES.values(), ids=LOSSES)
def test_who_waits_for_something_to_go_hears_that_it_cannot(scene: OfficeScene, lose: Lose) -> None:
    """Also when the office, which was restored, never heard of what is to go."""
    release(scene, "table", days=10)
    release(scene, "rates", days=10, needs={"table": (1, 0, 0)})
    device = ordered_device(scene, "rates")
    device.configure()
    table = next(one for one in device.catalogue if one.id == "table")
    lose(scene, device)
    # Nobody ordered the table, and it goes with what needs it.
    device.catalogue = (table, *(one for one in device.catalogue if one != table))
    assert device.configure(Purpose.AGAIN) == Current(())
    device.catalogue += (Component("extra", (1, 0, 0), bytes(32)),)
    held = device.catalogue
    with pytest.raises(RefusedError) as refused:
        device.configure(Purpose.AGAIN)
    assert (refused.value.refusal, device.catalogue) == (Refusal.LACKING, held)
    assert device.configure(Purpose.LOOK) == Current(())


def test_what_is_not_ordered_any_more_goes_though_it_could_not_be_given(scene: OfficeScene) -> None:
    release(scene, "rates", days=10)
    device = ordered_device(scene, "rates")
    device.configure()
    scene.clock.pass_by(10 * DAY)
    change_order(scene.office, device.serial, [], OPERATOR)
    device.configure(Purpose.AGAIN)
    assert (device.catalogue, events(scene)) == ((), [])


def test_what_is_not_held_yet_keeps_nothing_else_from_coming(scene: OfficeScene) -> None:
    release(scene, "rates", days=10)
    release(scene, "slogan")
    device = ordered_device(scene, "rates", "slogan")
    scene.clock.pass_by(10 * DAY)
    granted = device.configure()
    assert isinstance(granted, Granted)
    assert granted_versions(granted) == {"slogan": (1, 0, 0)}
    assert lacking(scene, device) == (["rates"], ["rates"])


def test_what_waits_for_its_rollout_or_was_withdrawn_under_a_device_is_not_lacking(scene: OfficeScene) -> None:
    release(scene, "rates")
    release(scene, "slogan", state=ReleaseState.STAGED)
    device = ordered_device(scene, "rates", "slogan")
    device.configure()
    withdraw(scene.office, "rates", (1, 0, 0), OPERATOR)
    assert device.configure(Purpose.AGAIN) == Current(())
    assert lacking(scene, device) == ([], [])


def test_the_operator_hears_of_it_before_and_after(scene: OfficeScene) -> None:
    release(scene, "rates", days=40)
    release(scene, "unordered", days=1)
    release(scene, "slogan")
    ordered_device(scene, "rates", "slogan")
    assert ends(scene) == ([], [])
    scene.clock.pass_by(11 * DAY)
    add = "fob-office component add --id rates    (a higher version)"
    short = "ordered components whose release ends, or was revoked"
    assert ends(scene) == ([f"rates 1.0.0 ends in 29 days: {add}"], [f"{short}: 1: fob-office component ends"])
    scene.clock.pass_by(29 * DAY)
    assert ends(scene)[0] == [f"rates 1.0.0 is over: {add}"]
    scene.issuing().change_keys("release")
    scene.issuing().revoke("release", everything=False, anyway=True)
    resign = "fob-office component resign --signer release"
    assert ends(scene) == (
        [f"the keys that signed {one} 1.0.0 are revoked: {resign}" for one in ("rates", "slogan")],
        [f"{short}: 2: fob-office component ends"],
    )
    resign_server(scene.office, "release", OPERATOR)
    assert ends(scene)[0] == [f"rates 1.0.0 is over: {add}"]


def test_a_device_that_holds_more_than_was_ever_granted_is_told_of_once(scene: OfficeScene) -> None:
    """The office was restored from a backup of before its last orders, and gives what is ordered by that."""
    release(scene, "rates")
    device = ordered_device(scene, "rates")
    device.configure()
    device.catalogue += (Component("slogan", (1, 0, 0), bytes(32)),)
    device.set_number = 4
    with capture_logs() as logs:
        device.configure(Purpose.AGAIN)
        device.configure(Purpose.AGAIN)
    assert versions(device.catalogue) == {"rates": (1, 0, 0)}
    assert [(line["held"], line["granted"]) for line in logs if line["event"].startswith("holds a set")] == [(4, 1)]
    what = "held set 4, and 1 was the last one granted here: is its order as before the restore?"
    assert events(scene) == [("office", what, "M-0001")]
