"""Who may register: by default devices that the office knows, and each of them holds few names."""

import shlex
from dataclasses import replace

import pytest
from sqlalchemy import select

from fob_office.cli.context import Cli
from fob_office.cli.main import run
from fob_office.devices.service import set_state
from fob_office.devices.tables import DeviceState
from fob_office.errors import NotFoundError
from fob_office.registration.operating import Registrar, Which
from fob_office.registration.tables import Registration, Standing
from fob_office.registration.templates import presets
from fob_office.surroundings import Surroundings
from fob_protocol.cose.headers import key_id
from fob_protocol.office.certificate import Usage
from fob_protocol.office.errors import RefusedError
from fob_protocol.office.refusals import Refusal
from support.office import NOW, OfficeScene
from support.office_client import ReferenceDevice, device_of, stranger_of, with_key


def open_to_anybody(scene: OfficeScene) -> None:
    Registrar(scene.office).set_template("registration", presets()["general"].model_copy(
        update={"registrants": "anybody"}
    ))  # fmt: skip


def refused(device: ReferenceDevice, name: str) -> str:
    with pytest.raises(RefusedError) as raised:
        device.register(name)
    return raised.value.refusal.value


def held(scene: OfficeScene) -> list[str]:
    with scene.office.database.read() as session:
        names = select(Registration.name).where(Registration.name_key.is_not(None)).order_by(Registration.name)
        return list(session.scalars(names))


def test_a_device_that_the_office_has_never_seen_takes_no_name(scene: OfficeScene) -> None:
    for seed in range(10, 20):
        assert refused(stranger_of(scene, seed), f"person {seed}") == "denied"
    assert held(scene) == []


def test_it_learns_neither_names_nor_fields_nor_which_devices_there_are(scene: OfficeScene) -> None:
    device_of(scene).register("Alice")
    stranger = stranger_of(scene, 2)
    assert {refused(stranger, name) for name in ("Alice", "Nobody", "", "\x00")} == {"denied"}
    device_of(scene, 3)
    set_state(scene.office, "P-0003", DeviceState.DISABLED, "test")
    assert refused(stranger_of(scene, 3), "Alice") == "denied"


@pytest.mark.clause("R23")
def test_a_device_that_is_disabled_uses_nothing_from_that_moment_on(scene: OfficeScene) -> None:
    """A phone that was lost: neither in the session that it has open, nor in a new one, until it is enabled again."""
    device = device_of(scene)
    device.register("Alice")
    running, asking = device.session(), device.session()
    set_state(scene.office, "P-0001", DeviceState.DISABLED, "test")
    for act in (
        lambda: running.use("profile", "show"), asking.get_entitlements, device.session, lambda: device.register("Bob"),
    ):  # fmt: skip
        with pytest.raises(RefusedError) as raised:
            act()
        assert raised.value.refusal is Refusal.DENIED
    set_state(scene.office, "P-0001", DeviceState.ACTIVE, "test")
    with pytest.raises(RefusedError):
        running.use("profile", "show")
    assert device.session().use("profile", "show").status == 200


@pytest.mark.clause("R23")
def test_who_does_not_hold_its_key_does_not_learn_that_a_device_is_disabled(scene: OfficeScene) -> None:
    device = device_of(scene)
    device.register("Alice")
    set_state(scene.office, "P-0001", DeviceState.DISABLED, "test")
    device.shared["registration"] = with_key(device.shared["registration"], bytes(32))
    with pytest.raises(RefusedError) as raised:
        device.session()
    assert raised.value.refusal is Refusal.NOT_PROVED


def test_a_server_may_let_anybody_in(scene: OfficeScene) -> None:
    open_to_anybody(scene)
    stranger_of(scene).register("Alice")
    assert held(scene) == ["Alice"]


def test_a_device_in_a_loop_holds_the_last_name_only(scene: OfficeScene) -> None:
    device = device_of(scene)
    for number in range(6):
        device.register(f"person {number}")
    assert held(scene) == ["person 5"]
    device.register("person 0")
    assert refused(device, "person 0") == "name-taken"


def test_a_name_that_an_operator_revoked_is_not_its_devices_to_take(scene: OfficeScene) -> None:
    device = device_of(scene)
    code = device.register("Alice").user_code
    Registrar(scene.office).revoke(code)
    assert refused(device, "Alice") == "name-taken"


def test_many_are_revoked_at_once(scene: OfficeScene) -> None:
    open_to_anybody(scene)
    registrar = Registrar(scene.office)
    stranger_of(scene, 1).register("Alice")
    scene.clock.pass_by(3600)
    squatters = [stranger_of(scene, seed) for seed in range(2, 6)]
    for number, squatter in enumerate(squatters):
        squatter.register(f"person {number}")
    assert registrar.revoke_many(Which("registration", key_id(squatters[0].signing_key)), frees_name=True) == 1
    assert held(scene) == ["Alice", "person 1", "person 2", "person 3"]
    assert registrar.revoke_many(Which("registration", since=NOW + 3600)) == 3
    assert registrar.revoke_many(Which("registration", since=NOW + 3600), frees_name=True) == 3
    assert registrar.revoke_many(Which("registration", since=NOW + 3600), frees_name=True) == 0
    assert held(scene) == ["Alice"]


def test_a_lost_phone_is_revoked_wherever_it_is_registered(scene: OfficeScene) -> None:
    scene.issuing().add_server("bank", "Bank", (Usage.REGISTRATION, Usage.ENTITLEMENT))
    device, registrar = device_of(scene), Registrar(scene.office)
    for server in ("registration", "bank"):
        device.register("Alice", server)
    of_it = Which(device=key_id(device.signing_key))
    with pytest.raises(NotFoundError, match="there is no server bnak"):
        registrar.revoke_many(replace(of_it, server="bnak"))
    assert registrar.revoke_many(replace(of_it, server="bank")) == 1
    assert registrar.revoke_many(of_it) == 1
    with scene.office.database.read() as session:
        assert set(session.scalars(select(Registration.standing))) == {Standing.REVOKED}


def test_the_same_at_the_command_line(sqlite_scene: OfficeScene, capsys: pytest.CaptureFixture[str]) -> None:
    def office(line: str) -> tuple[int, str]:
        state = sqlite_scene.office.settings.state
        (state / "office.toml").touch()
        told = [*shlex.split(line), "--state", str(state)]
        status = run(told, Cli({}, Surroundings(lambda: NOW, lambda size: bytes(size))))
        return status, capsys.readouterr().err

    assert office("template set registration --preset general --registrants anybody")[0] == 0
    one, two = stranger_of(sqlite_scene, 1), stranger_of(sqlite_scene, 2)
    one.register("Alice")
    two.register("Bob")
    of_one = f"--device {key_id(one.signing_key).hex()}"
    assert office(f"registration revoke --device {one.signing_key.hex()} --free-name") == (
        0, "revoked 1 registrations\n"
    )  # fmt: skip
    none = "revoked 0 registrations, as none that is not revoked fits:  fob-office registration list\n"
    assert office(f"registration revoke {of_one} --free-name") == (0, none)
    assert held(sqlite_scene) == ["Bob"]
    assert office("registration revoke --since 2026-09-01 --free-name") == (0, "revoked 1 registrations\n")
    for line in ("revoke --since 2026-09-01 --server bnak", "list --server bnak", "show alice --server bnak"):
        assert office(f"registration {line}")[1].startswith("error: there is no server bnak"), line
    assert office("registration revoke")[0] == office(f"registration revoke alice {of_one}")[0] == 2
    with sqlite_scene.office.database.read() as session:
        assert set(session.scalars(select(Registration.standing))) == {Standing.REVOKED}
    device_of(sqlite_scene, 3).register("Carol")
    assert office("registration revoke --device P-0003") == (0, "revoked 1 registrations\n")
    assert office("registration revoke --device P-0004")[1].startswith("error: there is no device P-0004")
