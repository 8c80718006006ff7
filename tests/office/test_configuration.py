"""Service `configuration`: a generic device becomes what was ordered for it, and nobody else does."""

import pytest

from fob_office.components.service import withdraw
from fob_office.orders.service import change_order
from fob_protocol.office.configuration import Current, Granted, Notice, Outcome, Purpose, Variant
from fob_protocol.office.errors import RefusedError
from fob_protocol.office.limits import CHALLENGE_TIME, COUNTER_STEP
from fob_protocol.office.refusals import Refusal
from support.office import OfficeScene
from support.office_shop import (
    OPERATOR,
    content,
    granted_versions,
    inventory,
    module,
    ordered_device,
    release,
    versions,
)


@pytest.mark.clause("C2", "C4", "C5", "C6", "C7", "C8")
@pytest.mark.parametrize("variant", list(Variant))
def test_a_generic_device_becomes_what_was_ordered(scene: OfficeScene, variant: Variant) -> None:
    release(scene, "postage-table", octets=content(20_000))
    release(scene, "postage-rates", needs={"postage-table": (1, 0, 0)}, commands=("XRATE",))
    release(scene, "slogan")
    device = ordered_device(scene, "postage-rates")
    device.configure(variant=variant)
    assert versions(device.catalogue) == {"postage-rates": (1, 0, 0), "postage-table": (1, 0, 0)}
    assert device.contents == {"postage-rates": module(b"postage-rates (1, 0, 0)"), "postage-table": content(20_000)}


@pytest.mark.clause("C10")
def test_the_record_is_what_the_device_holds_after_every_install(scene: OfficeScene) -> None:
    release(scene, "rates", commands=("XRATE",))
    release(scene, "slogan")
    device = ordered_device(scene, "rates")
    assert inventory(scene, device.serial) == ()
    for options in (["rates"], ["rates", "slogan"], ["slogan"], []):
        change_order(scene.office, device.serial, options, OPERATOR)
        device.configure()
        assert inventory(scene, device.serial) == device.catalogue
        assert [component.id for component in device.catalogue] == options


@pytest.mark.clause("C19")
def test_a_reconfiguration_adds_to_the_first_configuration(scene: OfficeScene) -> None:
    release(scene, "rates", commands=("XRATE",))
    release(scene, "slogan")
    device = ordered_device(scene, "rates")
    device.configure()
    assert isinstance(device.configure(Purpose.AGAIN), Current)
    change_order(scene.office, device.serial, ["rates", "slogan"], OPERATOR)
    assert isinstance(device.configure(Purpose.AGAIN, Variant.SIGNED_REQUEST), Granted)
    assert list(device.contents) == ["rates", "slogan"]
    assert device.set_number == 2


@pytest.mark.clause("C11")
def test_notices_name_exactly_what_is_outdated(scene: OfficeScene) -> None:
    for name in ("rates", "slogan", "zones"):
        release(scene, name)
    device = ordered_device(scene, "rates", "slogan")
    assert device.configure().notices == ()
    assert device.ask(Purpose.LOOK)[0] == Current(())
    release(scene, "rates", (1, 2, 0))
    release(scene, "rates", (1, 1, 9))
    release(scene, "zones", (2, 0, 0))
    release(scene, "slogan", (2, 0, 0), hardware=("other-meter",))
    looked = device.ask(Purpose.LOOK)[0]
    assert looked == Current((Notice("rates", (1, 0, 0), (1, 2, 0)),))
    assert device.configure(Purpose.AGAIN).notices == looked.notices
    assert device.ask(Purpose.LOOK)[0] == Current(())


@pytest.mark.clause("C26")
def test_what_a_device_holds_is_never_put_back(scene: OfficeScene) -> None:
    release(scene, "rates")
    release(scene, "rates", (2, 0, 0))
    release(scene, "slogan")
    device = ordered_device(scene, "rates")
    device.configure()
    withdraw(scene.office, "rates", (2, 0, 0), OPERATOR)
    assert isinstance(device.configure(Purpose.AGAIN), Current)
    change_order(scene.office, device.serial, ["rates", "slogan"], OPERATOR)
    device.configure(Purpose.AGAIN)
    assert versions(device.catalogue) == {"rates": (2, 0, 0), "slogan": (1, 0, 0)}
    new = ordered_device(scene, "rates", serial="M-0002")
    new.configure()
    assert versions(new.catalogue) == {"rates": (1, 0, 0)}


@pytest.mark.clause("C26")
def test_security_counters_never_step_back_and_never_too_far(scene: OfficeScene) -> None:
    release(scene, "rates", security_counter=5)
    release(scene, "slogan", security_counter=4)
    device = ordered_device(scene, "rates", "slogan")
    device.configure()
    assert device.security_counter == 4
    release(scene, "slogan", (1, 0, 1), security_counter=5)
    device.configure(Purpose.AGAIN)
    assert device.security_counter == 5
    release(scene, "rates", (3, 0, 0), security_counter=4)
    release(scene, "slogan", (3, 0, 0), security_counter=5 + COUNTER_STEP + 1)
    assert device.ask(Purpose.AGAIN)[0] == Current(())


def test_releases_that_are_over_are_given_to_nobody(scene: OfficeScene) -> None:
    release(scene, "rates")
    release(scene, "rates", (2, 0, 0), days=1)
    device = ordered_device(scene, "rates")
    scene.clock.pass_by(86_400)
    device.configure()
    assert versions(device.catalogue) == {"rates": (1, 0, 0)}


@pytest.mark.clause("C24")
def test_a_repeated_request_is_given_its_answer_again(scene: OfficeScene) -> None:
    release(scene, "rates")
    device = ordered_device(scene, "rates")
    message = device.request(device.challenge())
    first = device.answer_to(message)
    assert granted_versions(first) == {"rates": (1, 0, 0)}
    release(scene, "rates", (2, 0, 0))
    assert device.answer_to(message) == first
    scene.clock.pass_by(CHALLENGE_TIME)
    assert device.answer_to(message) == first
    scene.clock.pass_by(1)
    with pytest.raises(RefusedError) as refused:
        device.answer_to(message)
    assert refused.value.refusal is Refusal.DENIED


@pytest.mark.clause("C24")
def test_an_earlier_request_is_worth_nothing_after_a_later_one(scene: OfficeScene) -> None:
    release(scene, "rates")
    device = ordered_device(scene, "rates")
    earlier = device.request(device.challenge())
    device.answer_to(device.request(device.challenge()))
    with pytest.raises(RefusedError) as refused:
        device.answer_to(earlier)
    assert refused.value.refusal is Refusal.DENIED


def test_reports_are_kept_once_and_never_go_back(scene: OfficeScene) -> None:
    release(scene, "rates")
    release(scene, "slogan")
    device = ordered_device(scene, "rates")
    device.configure()
    first = device.report(Outcome.CONFIRMED)
    change_order(scene.office, device.serial, ["slogan"], OPERATOR)
    device.configure(Purpose.AGAIN)
    device.send_report(first)
    assert versions(inventory(scene, device.serial)) == {"slogan": (1, 0, 0)}


def test_a_reverted_set_leaves_the_record_as_the_device_is(scene: OfficeScene) -> None:
    release(scene, "rates")
    device = ordered_device(scene, "rates")
    device.configure()
    release(scene, "rates", (2, 0, 0))
    answer, challenge = device.ask(Purpose.AGAIN)
    assert isinstance(answer, Granted)
    plan = device.check(answer, challenge)
    device.report(Outcome.REVERTED, plan.manifest.set_number, "trap")
    assert versions(inventory(scene, device.serial)) == {"rates": (1, 0, 0)}
    assert granted_versions(device.ask(Purpose.AGAIN)[0]) == {"rates": (2, 0, 0)}
