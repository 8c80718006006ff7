"""What an operator does with registrations, templates and entitlements, over HTTP and at the command line."""

import json
import shlex
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from fob_office.cli.context import Cli
from fob_office.cli.main import run
from fob_office.registration.templates import presets
from fob_office.surroundings import Surroundings
from fob_protocol.cose.headers import key_id
from fob_protocol.office.errors import RefusedError
from support.office import NOW, OfficeScene
from support.office_client import device_of
from support.office_http import HttpOffice, problem, served

COMPUTER = "0f" * 32


class Operator:
    """Asks over HTTPS with a token."""

    def __init__(self, office: HttpOffice) -> None:
        self._office = office
        self._headers = office.token()

    def ask(self, method: str, path: str, body: object = None) -> httpx.Response:
        return self._office.client.request(method, f"/v1/operator/{path}", headers=self._headers, json=body)

    def get(self, path: str) -> Any:
        return self._said(self.ask("GET", path))

    def change(self, method: str, path: str, body: object = None) -> Any:
        return self._said(self.ask(method, path, body))

    def refusal(self, method: str, path: str, body: object = None) -> tuple[int, str]:
        return problem(self.ask(method, path, body))

    def _said(self, response: httpx.Response) -> Any:
        assert response.status_code == 200, response.text
        return response.json()


@pytest.fixture
def operator(scene: OfficeScene) -> Iterator[Operator]:
    with served(scene) as office:
        yield Operator(office)


@pytest.mark.clause("R21", "R11")
def test_all_of_it_over_http(scene: OfficeScene, operator: Operator) -> None:
    assert operator.get("template-presets").keys() == presets().keys()
    health = operator.get("template-presets")["health"]
    assert operator.change("PUT", "templates/registration", health) == health
    assert operator.get("templates") == {"registration": health}
    assert operator.get("templates/registration") == health
    device = device_of(scene)
    code = device.register("Alice", insurance="123").user_code.hex()

    registered = {
        "code": code, "server": "registration", "name": "Alice", "standing": "confirmed",
        "device": key_id(device.signing_key).hex(), "created": NOW, "serial": "P-0001",
        "name_is_held": True,
    }  # fmt: skip
    assert operator.get("registrations") == [registered]
    assert operator.get("registrations?server=bank") == operator.get("registrations?standing=revoked") == []
    assert operator.get(f"registrations?after={code}&count=1") == []
    fields = {"fields": {"name": "Alice", "insurance": "123"}}
    assert operator.get(f"registrations/{code}") == registered | fields

    path = f"entitlements/{code}"
    assert operator.get("entitlements") == [operator.get(path)]
    assert operator.get(path)["applications"] == {"profile": 2, "reports": 1}
    changed = operator.change("PATCH", path, {"applications": {"reports": 3, "profile": 0}, "add": ["rates"]})
    assert (changed["version"], changed["applications"], changed["components"]) == (2, {"reports": 3}, ["rates"])
    assert operator.change("PUT", f"{path}/computers", {"computers": [COMPUTER]})["computers"] == [COMPUTER]
    assert operator.change("POST", f"{path}/revoke")["state"] == "revoked"
    assert operator.change("POST", f"{path}/restore")["version"] == 5
    assert device.session().get_entitlements().version == 5

    revoked = operator.change("POST", f"registrations/{code}/revoke", {"free_name": True})
    assert (revoked["standing"], revoked["name_is_held"]) == ("revoked", False)
    with pytest.raises(RefusedError, match="not-proved"):
        device.session()
    device_of(scene, 2).register("Alice", insurance="9")
    assert operator.refusal("POST", f"registrations/{code}/revoke", {"free_name": True}) == (409, "conflict")
    told = [(event["who"], event["what"]) for event in operator.get("events") if event["about"] == code]
    assert told[1:] == [
        ("test", what)
        for what in (
            "entitlements changed", "entitlements moved", "entitlements revoked", "entitlements restored",
            "registration revoked", "name freed",
        )
    ]  # fmt: skip


BAD_NAME = {"application": "x", "title": "X", "fields": {"A": {"label": "a", "limit": 1}}}
NO_ROOM = {"application": "x", "title": "X", "fields": {"a": {"label": "a", "limit": 0}}}
WRONG: list[tuple[str, str, object, int]] = [
    ("GET", "registrations/00", None, 422),
    ("GET", f"registrations/{'0' * 32}", None, 404),
    ("GET", "registrations?server=%00", None, 422),
    ("GET", "registrations?standing=dead", None, 422),
    ("POST", f"registrations/{'0' * 32}/revoke", {}, 404),
    ("POST", f"registrations/{'0' * 32}/revoke", {"free_name": "yes"}, 422),
    ("GET", f"entitlements/{'0' * 32}", None, 404),
    ("PATCH", f"entitlements/{'0' * 32}", {}, 404),
    ("PATCH", f"entitlements/{'0' * 32}", {"applications": {"reports": 256}}, 422),
    ("PATCH", f"entitlements/{'0' * 32}", {"applications": {"Reports": 1}}, 422),
    ("PATCH", f"entitlements/{'0' * 32}", {"levels": {}}, 422),
    ("PATCH", f"entitlements/{'0' * 32}", {"add": ["x"], "remove": ["x"]}, 409),
    ("PUT", f"entitlements/{'0' * 32}/computers", {"computers": [COMPUTER] * 17}, 422),
    ("PUT", f"entitlements/{'0' * 32}/computers", {"computers": ["00"]}, 422),
    ("GET", "templates/nobody", None, 404),
    ("GET", "templates/release", None, 404),
    ("PUT", "templates/release", {"application": "x", "title": "X"}, 404),
    ("PUT", "templates/registration", {"application": "x", "title": "X\x00"}, 422),
    ("PUT", "templates/registration", {"application": "x", "title": "X", "form": "none"}, 422),
    ("PUT", "templates/registration", BAD_NAME, 422),
    ("PUT", "templates/registration", NO_ROOM, 422),
]  # fmt: skip


@pytest.mark.clause("R21")
def test_what_makes_no_sense_is_refused_as_a_problem(operator: Operator) -> None:
    for method, path, body, status in WRONG:
        assert operator.refusal(method, path, body)[0] == status, (method, path, body)


class Shell:
    """Runs `fob-office` in this process."""

    def __init__(self, scene: OfficeScene, capsys: pytest.CaptureFixture[str]) -> None:
        self._state = scene.office.settings.state
        (self._state / "office.toml").touch()
        self._capsys = capsys

    def __call__(self, line: str, status: int = 0) -> str:
        words = shlex.split(line)
        told = [*words, *(() if words[1] == "presets" else ("--state", str(self._state)))]
        ended = run(told, Cli({}, Surroundings(lambda: NOW, lambda size: bytes(size))))
        out, err = self._capsys.readouterr()
        assert ended == status, err
        return err if status else out

    def json(self, line: str) -> Any:
        return json.loads(self(f"{line} --json"))


@pytest.fixture
def shell(sqlite_scene: OfficeScene, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(sqlite_scene, capsys)


@pytest.mark.clause("R21", "R11")
def test_all_of_it_at_the_command_line(sqlite_scene: OfficeScene, shell: Shell) -> None:
    device = device_of(sqlite_scene)
    shell("template set registration --preset banking")
    assert [row["preset"] for row in shell.json("template presets")] == list(presets())
    assert shell.json("template list")[0]["fields"] == ["name", "contract", "branch"]
    own = sqlite_scene.office.settings.state / "own.json"
    own.write_text(shell("template show registration").replace("banking", "savings"))
    shell(f"template set registration --file {own}")
    code = device.register("Alice", contract="1").user_code.hex()
    assert [row["name"] for row in shell.json("registration list --server registration")] == ["Alice"]
    assert shell.json("registration list --standing pending") == []
    assert shell.json("registration show ALICE")["fields"] == {"name": "Alice", "contract": "1"}
    assert "contract: 1" in shell("registration show alice")
    assert shell.json(f"entitlement show {code}")["applications"] == {"profile": 1, "reports": 1}

    shell("entitlement set alice reports=3 profile=0 --add rates")
    assert "reports=3" in shell("entitlement list")
    shell("entitlement set alice --remove rates")
    shell(f"entitlement move alice --computer {COMPUTER}")
    shell("entitlement revoke alice")
    told = device.session().get_entitlements()
    assert (told.version, told.applications, told.computers) == (5, {"reports": 3}, (bytes.fromhex(COMPUTER),))
    shell("entitlement restore alice")
    shell("entitlement move alice --any")
    shell("registration revoke alice")
    assert shell.json("registration show alice")["standing"] == "revoked"
    shell("registration revoke alice --free-name")
    shell("registration show alice", status=1)
    assert shell.json(f"registration show {code}")["name_is_held"] is False


@pytest.mark.parametrize(
    ("line", "status", "said"),
    [
        ("registration show nobody", 1, "nobody has this name there"),
        ("registration show " + "0" * 32, 1, "nobody has the code"),
        ("registration list --after x", 2, "32 hexadecimal digits"),
        ("entitlement list --after x", 2, "32 hexadecimal digits"),
        ("entitlement set alice", 2, "say what is to change"),
        ("entitlement set alice reports=256", 2, "no APPLICATION=LEVEL"),
        ("entitlement set alice reports", 2, "no APPLICATION=LEVEL"),
        ("entitlement set alice reports=1", 1, "nobody has this name there"),
        ("entitlement set alice reports=4", 1, "the levels of reports are 1 to 3"),
        ("entitlement set alice nosuch=1", 1, "there is no application nosuch"),
        ("init --host 'a b'", 2, "neither a host's name, as office.example, nor an address"),
        ("init --host '*.example'", 2, "neither a host's name"),
        ("entitlement move alice", 2, "say --computer or --any"),
        ("entitlement move alice --computer 00", 2, "is no computer"),
        ("template set registration", 2, "say --preset or --file"),
        ("template set nobody --preset banking", 1, "there is no server nobody"),
        ("template set release --preset banking", 1, "nobody registers at release"),
        ("template set registration --file /dev/null", 2, "that is no template"),
    ],
)  # fmt: skip
def test_errors_say_what_and_why(shell: Shell, line: str, status: int, said: str) -> None:
    assert said in shell(line, status)
