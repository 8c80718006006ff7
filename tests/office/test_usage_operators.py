"""Rules and findings on the command line and over HTTP, and what an office does by itself."""

import asyncio
import json
import shlex
import threading
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from fob_office.cli.context import Cli
from fob_office.cli.main import run
from fob_office.http.rounds import going_round
from fob_office.office import Office
from fob_office.surroundings import Surroundings
from support.office import OfficeScene
from support.office_http import problem, served
from support.office_usage import DAY, HOUR, MIDNIGHT, first_copy, set_rule, use, use_daily

pytestmark = pytest.mark.clause("V20")

Shell = Callable[..., str]
BASE = "/v1/operator/usage"


@pytest.fixture
def scene(sqlite_scene: OfficeScene) -> OfficeScene:
    (sqlite_scene.office.settings.state / "office.toml").write_text("")
    sqlite_scene.clock.time = MIDNIGHT + 9 * HOUR
    return sqlite_scene


@pytest.fixture
def shell(scene: OfficeScene, capsys: pytest.CaptureFixture[str]) -> Shell:
    """Runs `fob-office usage` in this process."""

    def ask(line: str, status: int = 0) -> str:
        surroundings = Surroundings(lambda: scene.clock.time, Random(line).randbytes)
        capsys.readouterr()
        arguments = ["usage", *shlex.split(line), "--state", str(scene.office.settings.state)]
        ended = run(arguments, Cli({}, surroundings))
        out, err = capsys.readouterr()
        assert ended == status, err
        return err if status else out

    return ask


def test_rules_are_read_as_they_are_set(shell: Shell, scene: OfficeScene) -> None:
    first_copy(scene)
    rules = shell("rules").splitlines()
    assert [line.split()[0] for line in rules[1:]] == [
        "too-often", "odd-hours", "new-hours", "silent", "many-failures", "leap", "fleet-outlier",
    ]  # fmt: skip
    assert rules[1].split() == ["too-often", "all", "on", "warning", "--validations", "100", "--seconds", "3600"]
    assert rules[2].split() == [
        "odd-hours", "all", "off", "notice", "--begin", "6", "--end", "22", "--zone", "UTC",
    ]  # fmt: skip
    shell("set odd-hours --on --begin 7 --zone Europe/Vienna --severity alarm")
    shell("set too-often --program rates --off")
    told = json.loads(shell("rules --json"))
    assert [(one["rule"], one["program"], one["on"]) for one in told][:3] == [
        ("too-often", None, True), ("too-often", "rates", False), ("odd-hours", None, True),
    ]  # fmt: skip
    assert told[2]["parameters"] == {"rule": "odd-hours", "begin": 7, "end": 22, "zone": "Europe/Vienna"}
    assert told[2]["severity"] == "alarm"
    shell("reset too-often --program rates")
    shell("reset odd-hours")
    assert shell("rules").splitlines() == rules


@pytest.mark.parametrize(
    ("line", "status", "told"),
    [
        ("set too-often --validations 0", 2, "--validations: Input should be greater than or equal to 1"),
        ("set too-often --validations 1001", 2, "--validations: Input should be less than or equal to 1000"),
        ("set odd-hours --zone Mars/Base", 1, "knows no time zone Mars/Base"),
        ("set odd-hours --zone ../../etc/passwd", 2, "--zone: String should match pattern"),
        ("set too-often --program nothing", 1, "there is no program nothing"),
        ("set nothing", 2, "No such command 'nothing'"),
        ("reset leap", 1, "nobody has changed it"),
        ("acknowledge 7", 1, "there is no finding 7"),
        (f"show {'0' * 32}", 1, "there is no such copy"),
    ],
)
def test_what_cannot_be_set_is_three_lines(shell: Shell, line: str, status: int, told: str) -> None:
    said = shell(line, status).splitlines()
    assert [text[:7] for text in said] == ["error: ", "why:   ", "try:   "]
    assert told in f"{said[0]}{said[1]}"


def test_findings_are_seen_and_acknowledged(shell: Shell, scene: OfficeScene) -> None:
    copy = first_copy(scene)
    use_daily(scene, copy, 7)
    scene.clock.pass_by(4 * DAY)
    [one] = json.loads(shell("findings --open --json"))
    assert (one["rule"], one["number"], one["acknowledged"]) == ("silent", copy.hex(), None)
    shell("acknowledge 1")
    assert shell("findings --open") == ""
    assert "operator has done so" in shell("acknowledge 1", 1)
    [one] = json.loads(shell(f"findings --copy {copy.hex()} --json"))
    assert (one["acknowledged"], one["acknowledged_by"]) == (scene.clock.time, "operator")


def test_usage_is_drawn(shell: Shell, scene: OfficeScene) -> None:
    copy = first_copy(scene)
    for times in (1, 4, 8):
        use(scene, copy, times)
        scene.clock.pass_by(DAY)
    lines = dict(line.split(maxsplit=1) for line in shell(f"show {copy.hex()}").splitlines())
    assert lines["days"] == "·" * 24 + "▁▄█·  2026-08-28 to 2026-09-24"
    assert lines["hours"] == "·" * 9 + "█" + "·" * 14 + "  00:00 to 23:59"
    assert lines["validations"] == "13"
    told = json.loads(shell(f"show {copy.hex()} --json"))
    assert [(day["date"], day["lines"], day["hours"][9]) for day in told["days"]] == [
        ("2026-09-21", 1, 1), ("2026-09-22", 4, 4), ("2026-09-23", 8, 8),
    ]  # fmt: skip


def test_http_offers_the_same(scene: OfficeScene) -> None:
    copy = first_copy(scene)
    set_rule(scene, "leap", seconds=1)
    use(scene, copy, ahead=5)
    with served(scene) as office:
        headers, reader = office.token(), office.token(may_change=False)

        def put(**changed: object) -> Any:
            return office.client.put(f"{BASE}/rules", headers=headers, json=changed)

        changed = put(program="rates", severity="alarm", parameters={"rule": "leap", "seconds": 7}).json()
        assert (changed["program"], changed["severity"], changed["on"]) == ("rates", "alarm", True)
        assert changed["parameters"] == {"rule": "leap", "seconds": 7}
        assert len(office.get(f"{BASE}/rules", reader).json()) == 8
        assert problem(put(parameters={"rule": "leap", "minutes": 7})) == (422, "invalid")
        assert problem(put(parameters={"seconds": 7})) == (422, "invalid")
        assert problem(put(parameters={"rule": "odd-hours", "zone": "Mars"})) == (409, "conflict")
        reset = office.client.delete(f"{BASE}/rules/leap?program=rates", headers=headers)
        assert reset.json()["parameters"]["seconds"] == 1
        assert problem(office.client.delete(f"{BASE}/rules/silent", headers=headers)) == (404, "not-found")
        [one] = office.get(f"{BASE}/findings?open=true&copy={copy.hex()}", reader).json()
        assert one["why"] == "its holder's clock is 5 seconds ahead; up to 1 are usual"
        path = f"{BASE}/findings/{one['id']}/acknowledge"
        assert problem(office.client.post(path, headers=reader)) == (403, "not-allowed")
        assert office.client.post(path, headers=headers).json()["acknowledged_by"] == "test"
        assert problem(office.client.post(path, headers=headers)) == (409, "conflict")
        assert office.get(f"{BASE}/findings?open=true", reader).json() == []
        used = office.get(f"{BASE}/copies/{copy.hex()}", reader).json()
        assert [(day["date"], day["lines"]) for day in used["days"]] == [("2026-09-21", 1)]


async def test_an_office_looks_by_itself_and_goes_on_after_a_fault(
    scene: OfficeScene, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    done, rounds = threading.Event(), []

    def fails(_: Office) -> None:
        raise ZeroDivisionError

    def cannot_now(_: Office) -> None:
        raise OperationalError("", {}, Exception("busy"))

    def looks(office: Office) -> None:
        rounds.append(office)
        if len(rounds) == 2:
            done.set()

    async with going_round(scene.office, [fails, cannot_now, looks], pause=0):
        assert await asyncio.to_thread(done.wait, 30)
    ended = len(rounds)
    await asyncio.sleep(0)
    assert len(rounds) == ended
    said = capsys.readouterr().out
    assert "database cannot answer" in said
    assert "ZeroDivisionError" in said


def test_a_copy_that_nobody_has_used_is_not_silent(shell: Shell, scene: OfficeScene) -> None:
    copy = first_copy(scene)
    scene.clock.pass_by(40 * DAY)
    assert shell("findings") == ""
    assert "·" * 28 in shell(f"show {copy.hex()}")
