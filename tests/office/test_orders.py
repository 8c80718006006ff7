"""Orders: what is ordered can be had, and fits, or the operator is told why not (C2)."""

import pytest
from sqlalchemy import select

from fob_office.components.candidates import load_candidates
from fob_office.components.fitting import answer_size
from fob_office.devices.service import device_of
from fob_office.errors import NotFoundError, OperatorError
from fob_office.events.service import events_before
from fob_office.orders.service import change_options, change_order, create_order, options_of
from fob_office.orders.tables import Order
from fob_protocol.office.configuration import Granted
from fob_protocol.office.errors import RefusedError
from fob_protocol.office.factory import Region, RegionUse
from fob_protocol.office.limits import ANSWER_LIMIT, COMPONENTS_LIMIT, CONTENT_LIMIT, SET_LIMIT
from fob_protocol.office.refusals import Refusal
from support.office import OfficeScene
from support.office_shop import OPERATOR, content, generic_device, known_device, module, ordered_device, release

SMALL = (Region("code", 0x100, 0x100, RegionUse.MODULES), Region("data", 0x1000, 0x1000, RegionUse.DATA))


def orders(scene: OfficeScene) -> int:
    with scene.office.database.read() as session:
        return len(session.scalars(select(Order.device)).all())


@pytest.mark.clause("C2")
def test_an_order_makes_the_record_before_the_device_is_delivered(scene: OfficeScene) -> None:
    release(scene, "rates")
    device = generic_device(scene)
    create_order(scene.office, device.serial, ["rates"], OPERATOR, factory_record=device.sealed_record())
    device.configure()
    assert list(device.contents) == ["rates"]


@pytest.mark.clause("C2")
def test_an_order_is_for_one_known_device_and_made_once(scene: OfficeScene) -> None:
    release(scene, "rates")
    with pytest.raises(NotFoundError, match="there is no device M-0001"):
        create_order(scene.office, "M-0001", ["rates"], OPERATOR)
    record = generic_device(scene, "M-0002").sealed_record()
    with pytest.raises(OperatorError, match="the factory record is that of M-0002"):
        create_order(scene.office, "M-0001", ["rates"], OPERATOR, factory_record=record)
    known_device(scene)
    with pytest.raises(NotFoundError, match="has no order"):
        change_order(scene.office, "M-0001", ["rates"], OPERATOR)
    create_order(scene.office, "M-0001", ["rates"], OPERATOR)
    with pytest.raises(OperatorError, match="has an order already"):
        create_order(scene.office, "M-0001", ["rates"], OPERATOR)
    assert orders(scene) == 1


@pytest.mark.clause("C2")
def test_nothing_is_ordered_that_the_device_cannot_have(scene: OfficeScene) -> None:
    release(scene, "rates", hardware=("other-meter",))
    known_device(scene)
    for option in ("rates", "nothing"):
        with pytest.raises(NotFoundError, match=f"there is no (component|release of) {option}"):
            create_order(scene.office, "M-0001", [option], OPERATOR)
    assert orders(scene) == 0


@pytest.mark.clause("C16")
def test_a_set_fits_into_the_regions_of_its_kinds(scene: OfficeScene) -> None:
    release(scene, "rates", octets=module(size=0x81), commands=("XRATE",))
    release(scene, "zones", octets=module(size=0x80), commands=("XZONE",))
    device = generic_device(scene, regions=SMALL)
    create_order(scene.office, device.serial, ["rates"], OPERATOR, factory_record=device.sealed_record())
    with pytest.raises(OperatorError, match="no room for zones"):
        change_order(scene.office, device.serial, ["rates", "zones"], OPERATOR)
    release(scene, "slogan", octets=content(0x1000))
    change_order(scene.office, device.serial, ["rates", "slogan"], OPERATOR)
    device.configure()
    assert list(device.contents) == ["rates", "slogan"]


@pytest.mark.clause("C16")
def test_a_set_fits_into_one_answer(sqlite_scene: OfficeScene) -> None:
    """The signed releases of large components are what fills an answer; the estimate is never below what it is."""
    scene = sqlite_scene
    names = [f"c{number:02}" for number in range(COMPONENTS_LIMIT + 1)]
    for name in names:
        release(scene, name, octets=content(SET_LIMIT // COMPONENTS_LIMIT), hardware=("meter-1", "m" * 32, "n" * 32))
    known_device(scene)
    with pytest.raises(OperatorError, match="33 components"):
        create_order(scene.office, "M-0001", names, OPERATOR)
    device = ordered_device(scene, *names[:-1], serial="M-0002")
    granted, challenge = device.ask()
    assert isinstance(granted, Granted)
    assert len(device.check(granted, challenge).items) == COMPONENTS_LIMIT
    with scene.office.database.read() as session:
        candidates = load_candidates(session, names[:-1])
        assert len(granted.octets()) <= answer_size({name: candidates[name][0] for name in names[:-1]}) <= ANSWER_LIMIT


@pytest.mark.clause("C16")
def test_a_set_of_too_many_octets_is_refused(sqlite_scene: OfficeScene) -> None:
    names = [f"c{number}" for number in range(SET_LIMIT // CONTENT_LIMIT + 1)]
    for name in names:
        release(sqlite_scene, name, octets=bytes(CONTENT_LIMIT))
    known_device(sqlite_scene)
    with pytest.raises(OperatorError, match="octets of components, and a set has 8388608"):
        create_order(sqlite_scene.office, "M-0001", names, OPERATOR)


def test_an_answer_that_grew_too_large_since_it_was_ordered_is_refused_for_now(sqlite_scene: OfficeScene) -> None:
    scene = sqlite_scene
    release(scene, "rates", octets=module(size=0x100), commands=("XRATE",))
    device = generic_device(scene, regions=SMALL)
    create_order(scene.office, device.serial, ["rates"], OPERATOR, factory_record=device.sealed_record())
    release(scene, "rates", (2, 0, 0), octets=module(size=0x101), commands=("XRATE",))
    with pytest.raises(RefusedError) as refused:
        device.configure()
    assert (refused.value.refusal, refused.value.retry_after) == (Refusal.UNAVAILABLE, 3600)


@pytest.mark.clause("X7")
def test_options_of_several_sources_are_had_once_and_taken_apart(scene: OfficeScene) -> None:
    for name in ("rates", "slogan"):
        release(scene, name)
    device = ordered_device(scene, "rates")

    def give(*options: str) -> set[str]:
        with scene.office.database.write() as session:
            row = device_of(session, device.serial)
            change_options(session, scene.office, row, "entitlement", options)
            return options_of(session, row.id)

    assert give("rates", "slogan") == {"rates", "slogan"}
    device.configure()
    assert list(device.contents) == ["rates", "slogan"]
    assert give() == {"rates"}
    device.configure()
    assert list(device.contents) == ["rates"]


def test_an_option_that_there_is_not_is_told_from_one_that_does_not_suit(scene: OfficeScene) -> None:
    release(scene, "rates", hardware=("meter-2",))
    known_device(scene)
    for option, why, command in (
        ("nothing", "there is no component nothing", "fob-office component list"),
        (
            "rates",
            "there is no release of rates, with all that it needs, for meter-1",
            "fob-office component show rates",
        ),
    ):
        with pytest.raises(NotFoundError) as refused:
            create_order(scene.office, "M-0001", [option], OPERATOR)
        assert (refused.value.why, refused.value.command) == (why, command)


def test_an_option_that_is_named_twice_is_one(scene: OfficeScene) -> None:
    release(scene, "rates")
    known_device(scene)
    create_order(scene.office, "M-0001", ["rates", "rates"], OPERATOR)
    change_order(scene.office, "M-0001", ["rates", "rates"], OPERATOR)
    with scene.office.database.read() as session:
        assert [one.what for one in events_before(session, count=2)] == ["order changed: rates", "ordered: rates"]
