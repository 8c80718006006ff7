"""Who may register: by default devices that the office knows, and each of them holds few names."""

import shlex

import pytest
from sqlalchemy import select

from fob_office.cli.context import Cli
from fob_office.cli.main import run
from fob_office.devices.service import set_state
from fob_office.devices.tables import DeviceState
from fob_office.registration.operating import Registrar, Which
from fob_office.registration.tables import Registration, Standing
from fob_office.registration.templates import presets
from fob_office.surroundings import Surroundings
from fob_protocol.cose.headers import key_id
from fob_protocol.office.errors import RefusedError
from support.office import NOW, OfficeScene
from support.office_client import ReferenceDevice, device_of, stranger_of


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


def test_a_registration_goes_on_when_its_device_is_disabled_later(scene: OfficeScene) -> None:
    device = device_of(scene)
    device.register("Alice")
    set_state(scene.office, "P-0001", DeviceState.DISABLED, "test")
    device.session()
    assert refused(device, "Bob") == "denied"


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
    assert office(f"registration revoke {of_one} --free-name") == (0, "revoked 1 registrations\n")
    assert held(sqlite_scene) == ["Bob"]
    assert office("registration revoke --since 2026-09-01 --free-name") == (0, "revoked 1 registrations\n")
    assert office("registration revoke")[0] == office(f"registration revoke alice {of_one}")[0] == 2
    with sqlite_scene.office.database.read() as session:
        assert set(session.scalars(select(Registration.standing))) == {Standing.REVOKED}
