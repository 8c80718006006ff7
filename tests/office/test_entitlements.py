"""Entitlements: changed while they are used, signed for one user and device, looked at where a request arrives."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from fob_office.entitlements.changing import Change, Entitling
from fob_office.entitlements.service import ENTITLEMENTS_TIME, options_of
from fob_office.entitlements.views import entitlement_view
from fob_office.errors import NotFoundError, OperatorError
from fob_office.orders.service import create_order
from fob_office.registration.operating import Registrar
from fob_office.registration.templates import presets
from fob_office.registration.views import registration_views
from fob_protocol.cose.headers import key_id
from fob_protocol.office.certificate import Usage
from fob_protocol.office.configuration import Purpose
from fob_protocol.office.entitlements import EntitlementsAnswer, GetEntitlements, State, read_entitlements
from fob_protocol.office.errors import Fault, OfficeError, RefusedError
from fob_protocol.office.refusals import Refusal
from support.office import OfficeScene
from support.office_client import ReferenceDevice, device_of
from support.office_shop import generic_device, known_device, ordered_device, release, versions

HERE, THERE = bytes(31) + b"\x01", bytes(31) + b"\x02"


def registered(scene: OfficeScene, seed: int = 1) -> tuple[ReferenceDevice, Entitling, bytes]:
    device = device_of(scene, seed)
    return device, Entitling(scene.office), device.register(f"person {seed}").user_code


def may(device: ReferenceDevice, application: str, path: str, computer: bytes | None = None) -> bool:
    """Whether a request is let through, whatever the application then says to it."""
    try:
        device.session().use(application, path, b"title\ntext", computer)
    except RefusedError as error:
        return error.refusal is not Refusal.NOT_ENTITLED
    return True


@pytest.mark.clause("R22")
def test_entitlements_are_set_by_the_registration(scene: OfficeScene) -> None:
    Registrar(scene.office).set_template("registration", presets()["franking"])
    device = device_of(scene)
    device.register("Alice", origin="8010")
    told = device.session().get_entitlements()
    assert (told.version, told.applications) == (1, {"profile": 2, "reports": 1})
    assert (told.state, told.computers, told.components) == (State.ACTIVE, (), ("customer-profile",))


@pytest.mark.clause("R21", "R23")
def test_levels_go_up_and_down_while_a_session_lasts(scene: OfficeScene) -> None:
    device, entitling, code = registered(scene)
    session = device.session()
    for level, version in ((3, 2), (1, 3), (2, 4), (0, 5)):
        assert entitling.change(code, Change({"reports": level})) == version
        told = session.get_entitlements()
        assert (told.version, told.applications.get("reports", 0)) == (version, level)
    with pytest.raises(RefusedError, match="not-entitled"):
        session.use("reports", "list")
    session.refused()
    assert session.use("profile", "show").status == 200


@pytest.mark.clause("R21")
def test_a_revoked_person_is_told_so_and_let_in_again_when_restored(scene: OfficeScene) -> None:
    device, entitling, code = registered(scene)
    entitling.revoke(code)
    assert device.session().get_entitlements().state is State.REVOKED
    assert not may(device, "profile", "show")
    entitling.restore(code)
    assert device.session().get_entitlements().state is State.ACTIVE
    assert may(device, "profile", "show")


@pytest.mark.clause("R21", "R22")
def test_a_person_moves_to_another_computer(scene: OfficeScene) -> None:
    device, entitling, code = registered(scene)
    entitling.move(code, [HERE])
    assert (may(device, "profile", "show", HERE), may(device, "profile", "show", THERE)) == (True, False)
    entitling.move(code, [THERE])
    assert (may(device, "profile", "show", HERE), may(device, "profile", "show", THERE)) == (False, True)
    assert device.session().get_entitlements(THERE).computers == (THERE,)
    entitling.move(code, [])
    assert may(device, "profile", "show", None)


@pytest.mark.clause("R21")
def test_what_changes_nothing_makes_no_version(scene: OfficeScene) -> None:
    _, entitling, code = registered(scene)
    entitling.change(code, Change({"reports": 2}, add=["rates"]))
    for _ in range(2):
        assert entitling.change(code, Change({"reports": 2}, add=["rates"], remove=["slogan"])) == 2
        assert entitling.restore(code) == 2
        assert entitling.move(code, []) == 2
    assert entitling.revoke(code) == 3


@pytest.mark.clause("R21")
def test_many_changes_at_once_are_all_made_each_with_a_version(scene: OfficeScene) -> None:
    device, entitling, code = registered(scene)
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda number: entitling.change(code, Change({f"app-{number}": 1})), range(16)))
    assert sorted(made) == list(range(2, 18))
    assert len(device.session().get_entitlements().applications) == 17


@pytest.mark.clause("R21")
def test_a_change_that_no_device_could_read_is_not_made(scene: OfficeScene) -> None:
    device, entitling, code = registered(scene)
    for wrong in (
        Change({"Reports": 1}),
        Change({"reports": 256}),
        Change({f"app-{number}": 1 for number in range(65)}),
        Change(add=["not a name"]),
        Change(add=["one"], remove=["one"]),
    ):
        with pytest.raises(OperatorError):
            entitling.change(code, wrong)
    with pytest.raises(OperatorError):
        entitling.move(code, [number.to_bytes(32) for number in range(17)])
    with pytest.raises(NotFoundError):
        entitling.revoke(bytes(16))
    assert device.session().get_entitlements().version == 1


@pytest.mark.clause("R21")
def test_a_device_takes_only_its_own_entitlements_and_none_that_are_old(scene: OfficeScene) -> None:
    device, entitling, code = registered(scene)
    session = device.session()
    first = session.say(GetEntitlements(None, 0), EntitlementsAnswer).entitlements
    entitling.change(code, Change({"reports": 3}))
    second = session.say(GetEntitlements(None, 1), EntitlementsAnswer).entitlements
    server = scene.certificate("registration")
    now = scene.clock.time
    own = key_id(device.signing_key)

    def fault(signed: bytes, user_code: bytes, key: bytes, time: int) -> Fault | None:
        try:
            read_entitlements(server, signed, user_code=user_code, device=key, held=2, time=time)
        except OfficeError as error:
            return error.fault
        return None

    assert fault(second, code, own, now + ENTITLEMENTS_TIME) is None
    assert fault(first, code, own, now) is Fault.STALE
    assert fault(second, bytes(16), own, now) is Fault.OTHER_USER
    assert fault(second, code, bytes(16), now) is Fault.OTHER_DEVICE
    assert fault(second, code, own, now + ENTITLEMENTS_TIME + 1) is Fault.EXPIRED


@pytest.mark.clause("R21")
def test_what_nobody_can_use_any_more_is_shown_so_and_not_changed(scene: OfficeScene) -> None:
    code = device_of(scene).register("Alice").user_code
    entitling = Entitling(scene.office)
    Registrar(scene.office).revoke(code)
    acts: list[Callable[[], int]] = [
        lambda: entitling.change(code, Change({"reports": 3})),
        lambda: entitling.move(code, []),
        lambda: entitling.revoke(code),
        lambda: entitling.restore(code),
    ]
    for act in acts:
        with pytest.raises(OperatorError) as refused:
            act()
        assert refused.value.why == "the registration of Alice was revoked: nobody can use what is set for it"
    with scene.office.database.read() as session:
        shown = entitlement_view(session, code)
    assert (shown.registration, shown.state, shown.version) == ("revoked", "active", 1)


@pytest.mark.clause("R21")
def test_at_a_server_that_could_never_say_what_people_may_do_nobody_registers(scene: OfficeScene) -> None:
    """No name is taken there."""
    scene.issuing().add_server("bank", "Bank", (Usage.REGISTRATION,))
    device = device_of(scene)
    with pytest.raises(RefusedError) as refused:
        device.register("Alice", "bank")
    assert refused.value.refusal is Refusal.UNAVAILABLE
    with scene.office.database.read() as session:
        assert registration_views(session, server=None, standing=None, after=b"", count=1) == []


def same_device(scene: OfficeScene, serial: str) -> ReferenceDevice:
    """The device of a record, as it registers."""
    device = device_of(scene)
    device.system_key = generic_device(scene, serial).system_key
    return device


@pytest.mark.clause("X7", "R21")
def test_options_come_and_go_with_entitlements_and_the_next_configuration_follows(scene: OfficeScene) -> None:
    release(scene, "rates", commands=("XRATE",))
    release(scene, "slogan")
    meter = ordered_device(scene, "slogan")
    device, entitling = same_device(scene, meter.serial), Entitling(scene.office)
    code = device.register("Alice").user_code
    meter.configure()
    assert set(versions(meter.catalogue)) == {"slogan"}
    for change, expected in (
        (lambda: entitling.change(code, Change(add=["rates"])), {"slogan", "rates"}),
        (lambda: entitling.revoke(code), {"slogan"}),
        (lambda: entitling.restore(code), {"slogan", "rates"}),
        (lambda: entitling.change(code, Change(remove=["rates"])), {"slogan"}),
        (lambda: entitling.change(code, Change(add=["rates"])), {"slogan", "rates"}),
        (lambda: Registrar(scene.office).revoke(code), {"slogan"}),
    ):
        change()
        meter.configure(Purpose.AGAIN)
        assert set(versions(meter.catalogue)) == expected


@pytest.mark.clause("X7", "R22")
def test_options_of_the_template_are_there_when_the_registration_is_confirmed(scene: OfficeScene) -> None:
    release(scene, "rates", commands=("XRATE",))
    template = presets()["general"].model_copy(update={"components": ["rates"]})
    Registrar(scene.office).set_template("registration", template)
    meter = ordered_device(scene)
    device = same_device(scene, meter.serial)
    device.learn_servers()
    device.submit(device.draft(device.get_form("registration"), {"name": "Alice"}))
    meter.configure()
    assert versions(meter.catalogue) == {}
    device.session()
    meter.configure(Purpose.AGAIN)
    assert set(versions(meter.catalogue)) == {"rates"}


@pytest.mark.clause("X7")
def test_an_order_that_comes_later_finds_the_options(scene: OfficeScene) -> None:
    release(scene, "rates", commands=("XRATE",))
    meter = known_device(scene)
    device, entitling = same_device(scene, meter.serial), Entitling(scene.office)
    entitling.change(device.register("Alice").user_code, Change(add=["rates"]))
    create_order(scene.office, meter.serial, [], "operator")
    meter.configure()
    assert set(versions(meter.catalogue)) == {"rates"}


@pytest.mark.clause("X7")
def test_an_option_that_there_is_not_is_refused_to_the_operator_and_never_to_the_device(scene: OfficeScene) -> None:
    template = presets()["general"].model_copy(update={"components": ["no-such-option"]})
    meter = ordered_device(scene)
    device, entitling = same_device(scene, meter.serial), Entitling(scene.office)
    Registrar(scene.office).set_template("registration", template)
    code = device.register("Alice").user_code
    with pytest.raises(OperatorError, match="no-such-option"):
        entitling.change(code, Change(add=["other-option"]))
    assert entitling.change(code, Change(remove=["no-such-option"])) == 2
    meter.configure()
    with scene.office.database.read() as session:
        assert options_of(session, device.signing_key) == frozenset()
