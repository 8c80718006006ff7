"""The gateway: application, level and computer of every request are looked at where it arrives, and done once."""

from concurrent.futures import ThreadPoolExecutor
from itertools import product

import pytest
from structlog.testing import capture_logs

from fob_office.entitlements.changing import Change, Entitling
from fob_office.registration.operating import Registrar
from fob_office.registration.templates import presets
from fob_protocol.cose.cbor import Value, decode, encode
from fob_protocol.office.certificate import Usage
from fob_protocol.office.entitlements import State, Use
from fob_protocol.office.errors import RefusedError
from fob_protocol.office.refusals import Refusal
from fob_protocol.office.session import Said
from support.office import OfficeScene
from support.office_client import DeviceSession, ReferenceDevice, device_of

HERE, THERE = bytes(31) + b"\x01", bytes(31) + b"\x02"
# What the gateway says, and whether a level is enough for it.
ROUTES = {("reports", "list"): 1, ("reports", "read/00"): 2, ("reports", "file"): 3, ("profile", "show"): 1}


def registered(scene: OfficeScene, seed: int = 1) -> tuple[ReferenceDevice, Entitling, bytes]:
    device = device_of(scene, seed)
    return device, Entitling(scene.office), device.register(f"person {seed}").user_code


def may(session: DeviceSession, application: str, path: str, computer: bytes | None = None) -> bool:
    """Whether a request is let through, whatever the application then says to it."""
    try:
        session.use(application, path, b"title\ntext", computer)
    except RefusedError as error:
        session.refused()
        return error.refusal is not Refusal.NOT_ENTITLED
    return True


@pytest.mark.clause("R23")
def test_application_level_state_and_computer_are_all_looked_at(scene: OfficeScene) -> None:
    device, entitling, code = registered(scene)
    session = device.session()
    places: dict[str, list[bytes]] = {"anywhere": [], "here": [HERE], "elsewhere": [THERE], "both": [HERE, THERE]}
    for level, (place, computers), state, computer in product(range(5), places.items(), State, (HERE, None)):
        entitling.change(code, Change({"reports": level, "profile": level}))
        entitling.move(code, computers)
        (entitling.revoke if state is State.REVOKED else entitling.restore)(code)
        is_there = state is State.ACTIVE and (place == "anywhere" or (computer is HERE and HERE in computers))
        expected = {route: is_there and level >= least for route, least in ROUTES.items()}
        assert {route: may(session, *route, computer) for route in ROUTES} == expected, (level, place, state, computer)


@pytest.mark.clause("R23")
def test_the_log_names_the_computer_that_was_refused(scene: OfficeScene) -> None:
    device, entitling, code = registered(scene)
    entitling.move(code, [HERE])
    with capture_logs() as said:
        assert not may(device.session(), "reports", "list", THERE)
        assert not may(device.session(), "reports", "list", None)
    refused = [line["why"] for line in said if line["event"] == "refused"]
    assert refused == [f"nothing at reports from computer {THERE.hex()}", "nothing at reports from the device itself"]


@pytest.mark.clause("R23")
def test_there_is_nothing_to_learn_about_an_application_that_one_may_not_use(scene: OfficeScene) -> None:
    device, entitling, code = registered(scene)
    for application in ("reports", "no-such-application"):
        for path in ("list", "nowhere", ""):
            assert not may(device.session(), application, path)
    entitling.change(code, Change({"no-such-application": 9, "reports": 1}))
    session = device.session()
    assert session.use("no-such-application", "list").status == 404
    assert session.use("reports", "nowhere").status == 404


@pytest.mark.clause("R23")
def test_reports_are_filed_listed_and_read(scene: OfficeScene) -> None:
    device, entitling, code = registered(scene)
    entitling.change(code, Change({"reports": 3}))
    session = device.session()
    filed = session.use("reports", "file", "Août\nall is well".encode())
    assert filed.status == 201
    assert session.use("reports", "list").body.decode() == f"{filed.body.decode()} Août"
    assert session.use("reports", f"read/{filed.body.decode()}").body == b"all is well"
    wrong = [("read/00", b"", 404), ("read/x", b"", 400), ("file", b"\xff\n", 400), ("file", b"\ntext", 400)]
    assert [session.use("reports", path, body).status for path, body, _ in wrong] == [status for *_, status in wrong]


@pytest.mark.clause("R23")
def test_reports_of_one_server_are_not_those_of_another(scene: OfficeScene) -> None:
    scene.issuing().add_server("bank", "Bank", (Usage.REGISTRATION, Usage.ENTITLEMENT))
    device, entitling, code = registered(scene)
    entitling.change(code, Change({"reports": 3}))
    entitling.change(device.register("Alice", "bank").user_code, Change({"reports": 3}))
    filed = device.session().use("reports", "file", b"title\ntext").body.decode()
    session = device.session("bank")
    assert session.use("reports", "list").body == b""
    assert session.use("reports", f"read/{filed}").status == 404


@pytest.mark.clause("R23", "R20")
def test_what_is_asked_once_is_done_once_however_often_it_is_sent(scene: OfficeScene) -> None:
    device, entitling, code = registered(scene)
    entitling.change(code, Change({"reports": 3}))
    session = device.session()
    body = session.seal(Use(None, "reports", "file", b"title\ntext"))
    with ThreadPoolExecutor(8) as threads:
        answers = set(threads.map(lambda _: session.ask(body, Said).sealed, range(8)))
    assert len(answers) == 1
    session.refused()
    assert len(session.use("reports", "list").body.splitlines()) == 1


@pytest.mark.clause("R23")
def test_a_profile_is_shown_and_changed_as_the_template_allows(scene: OfficeScene) -> None:
    Registrar(scene.office).set_template("registration", presets()["health"])
    device = device_of(scene)
    device.register("Alice", insurance="123")
    session = device.session()
    assert decode(session.use("profile", "show").body) == {"name": "Alice", "insurance": "123"}
    wrong: list[Value] = [
        [],
        {"name": "Bob", "insurance": "1"},
        {"name": "Alice"},
        {"name": "Alice", "insurance": 1},
        {"name": "Alice", "insurance": "1", "x": "y"},
    ]
    for body in (b"", b"\xff", *map(encode, wrong)):
        assert session.use("profile", "change", body).status == 400
    changed = {"name": "Alice", "insurance": "456", "doctor": "Dr. Bob"}
    assert session.use("profile", "change", encode(dict(changed.items()))).status == 200
    assert decode(device.session().use("profile", "show").body) == changed
