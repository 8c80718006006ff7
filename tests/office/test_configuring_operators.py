"""Operators of devices, orders, components and rollouts: the command line and the HTTP API, with one result."""

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from fob_office.cli.context import Cli
from fob_office.cli.main import cli, error_for
from fob_office.settings import FILE
from fob_protocol.office.configuration import Current
from support.office import Clock, OfficeScene, surroundings
from support.office_device import HARDWARE
from support.office_http import HttpOffice, problem, served
from support.office_shop import generic_device, known_device, ordered_device, release

RATES = {
    "component": "rates", "version": "1.0.0", "title": "Rates", "kind": "data",
    "content": b64encode(b"95 cents").decode(),
    "hardware": [HARDWARE],
}  # fmt: skip


class Operator:
    """Posts and gets as JSON."""

    def __init__(self, office: HttpOffice) -> None:
        self._office = office
        self._headers = office.token()

    def post(self, path: str, body: object = None, status: int = 200) -> Any:
        response = self._office.client.post(f"/v1/operator/{path}", json=body, headers=self._headers)
        assert response.status_code == status, response.text
        return response.json()

    def put(self, path: str, body: object) -> Any:
        response = self._office.client.put(f"/v1/operator/{path}", json=body, headers=self._headers)
        assert response.status_code == 200, response.text
        return response.json()

    def get(self, path: str) -> Any:
        response = self._office.get(f"/v1/operator/{path}", self._headers)
        assert response.status_code == 200, response.text
        return response.json()

    def refused(self, path: str, body: object = None) -> tuple[int, str]:
        return problem(self._office.client.post(f"/v1/operator/{path}", json=body, headers=self._headers))


@pytest.mark.clause("C2", "X3")
def test_an_order_over_http_and_a_device_that_becomes_it(scene: OfficeScene) -> None:
    device = generic_device(scene)
    with served(scene) as office:
        operator = Operator(office)
        assert operator.post("components", RATES, 201)["state"] == "available"
        order = operator.post(
            "orders",
            {
                "serial": device.serial, "options": ["rates"], "equipment": "scale",
                "factory_record": b64encode(device.sealed_record()).decode(),
            },
            201,
        )  # fmt: skip
        assert order["options"] == [{"component": "rates", "source": "order"}]
        device.carry = lambda service, sealed: office.post(f"/v1/{service}", sealed).content
        device.configure()
        shown = operator.get(f"devices/{device.serial}")
        assert shown["installed"] == [{"component": "rates", "version": "1.0.0"}]
        assert operator.put(f"orders/{device.serial}", {"options": []})["options"] == []
        assert operator.get("devices")[0]["serial"] == device.serial
        assert operator.post(f"devices/{device.serial}/disable")["state"] == "disabled"
        assert operator.refused(f"devices/{device.serial}/disable") == (409, "conflict")
        assert operator.post(f"devices/{device.serial}/enable")["state"] == "active"
        assert operator.post("components/rates/1.0.0/withdraw")["state"] == "withdrawn"
        assert [one["version"] for one in operator.get("components/rates")] == ["1.0.0"]


def test_what_makes_no_sense_over_http_is_a_problem(scene: OfficeScene) -> None:
    device = known_device(scene)
    with served(scene) as office:
        operator = Operator(office)
        order = {"serial": device.serial, "options": ["nothing"]}
        assert operator.refused("orders", order) == (404, "not-found")
        assert operator.refused("orders", {"serial": "m", "options": []}) == (422, "invalid")
        assert operator.refused("devices", {"factory_record": b64encode(b"no record").decode()}) == (409, "conflict")
        assert operator.refused("components", RATES | {"version": "1.256.0"}) == (422, "invalid")
        assert operator.refused("components", RATES | {"needs": [{"component": "other", "least": "1.0.0"}]}) == (
            409,
            "conflict",
        )
        assert operator.refused("components", RATES | {"signer": "registration"}) == (409, "conflict")
        assert operator.refused("rollouts/nothing/start", {}) == (404, "not-found")
        draft = {"name": "r", "component": "rates", "version": "1.0.0", "groups": [10, 5, 100]}
        operator.post("components", RATES | {"staged": True}, 201)
        assert operator.refused("rollouts", draft) == (409, "conflict")
        assert operator.post("shipped-components", {"hardware": [HARDWARE]})["components"] != []


def test_a_rollout_over_http(scene: OfficeScene) -> None:
    release(scene, "rates")
    device = ordered_device(scene, "rates")
    device.configure()
    with served(scene) as office:
        operator = Operator(office)
        operator.post("components", RATES | {"version": "2.0.0", "staged": True}, 201)
        made = operator.post("rollouts", {"name": "r", "component": "rates", "version": "2.0.0", "groups": [100]}, 201)
        assert (made["state"], made["groups"][0]["started"]) == ("draft", False)
        assert operator.post("rollouts/r/start", {})["groups"][0]["devices"] == 1
        assert operator.refused("rollouts/r/resume") == (409, "conflict")
        assert operator.post("rollouts/r/pause")["state"] == "paused"
        assert isinstance(device.ask()[0], Current)
        assert operator.post("rollouts/r/resume")["state"] == "running"
        device.configure()
        assert operator.get("rollouts/r")["state"] == "done"
        assert [one["name"] for one in operator.get("rollouts")] == ["r"]


def said(state: Path, *arguments: str) -> Any:
    """What a command prints as JSON, or nothing."""
    context = Cli(environment={}, surroundings=surroundings(Clock()))
    words = [*arguments[:2], "--state", str(state), *arguments[2:]]
    done = CliRunner().invoke(cli, words, obj=context, standalone_mode=False)
    if done.exception is not None:
        raise error_for(done.exception) if isinstance(done.exception, Exception) else done.exception
    return json.loads(done.stdout) if done.stdout else None


def test_the_whole_way_on_the_command_line(sqlite_scene: OfficeScene) -> None:
    state = sqlite_scene.office.settings.state
    (state / FILE).write_text("")
    device = generic_device(sqlite_scene)
    record = state / "record"
    record.write_bytes(device.sealed_record())
    said(state, "component", "add", "--shipped", "--hardware", HARDWARE)
    said(state, "component", "add", "--shipped", "--hardware", HARDWARE)
    said(state, "device", "add", str(record))
    said(state, "order", "create", device.serial, "postage-rates", "slogan-picture")
    device.configure()
    shown = said(state, "device", "show", device.serial, "--json")
    assert [one["component"] for one in shown["installed"]] == ["postage-rates", "postage-table", "slogan-picture"]
    said(state, "order", "change", device.serial, "postal-zones")
    assert said(state, "order", "show", device.serial, "--json")["options"][0]["component"] == "postal-zones"
    slogan = state / "slogan.svg"
    slogan.write_text("<svg/>")
    named = ("--id", "slogan-picture", "--version", "1.0.1", "--hardware", HARDWARE)
    said(state, "component", "add", *named, "--staged", str(slogan))
    said(state, "rollout", "create", "slogans", "slogan-picture", "1.0.1", "--groups", "50,100")
    said(state, "rollout", "start", "slogans")
    said(state, "rollout", "pause", "slogans")
    said(state, "rollout", "resume", "slogans")
    said(state, "rollout", "stop", "slogans")
    states = {one["version"]: one["state"] for one in said(state, "component", "show", "slogan-picture", "--json")}
    assert states == {"1.0.0": "available", "1.0.1": "withdrawn", "1.0.2": "available"}
    said(state, "component", "withdraw", "slogan-picture", "1.0.2")
    assert said(state, "rollout", "show", "slogans", "--json")["state"] == "stopped"
    said(state, "device", "disable", device.serial)
    assert said(state, "device", "list", "--json")[0]["state"] == "disabled"
