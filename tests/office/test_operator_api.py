"""The operator's API: nothing without a token, nothing that the issuer signs, and a description of all of it."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from fob_office.operators.service import make_token, revoke_token
from support.office import NOW, OfficeScene
from support.office_http import HttpOffice, problem, served

PATHS = ["/v1/operator/servers", "/v1/operator/servers/registration", "/v1/operator/events", "/v1/metrics"]


@pytest.fixture
def office(scene: OfficeScene) -> Iterator[HttpOffice]:
    with served(scene) as running:
        yield running


@pytest.fixture
def sqlite_office(sqlite_scene: OfficeScene) -> Iterator[HttpOffice]:
    """For what is said before any database is asked."""
    with served(sqlite_scene) as running:
        yield running


def test_nothing_is_said_without_a_token(office: HttpOffice) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic YTpi"}):
        for path in PATHS:
            response = office.get(path, headers)
            assert (problem(response), response.headers["www-authenticate"]) == ((401, "not-authenticated"), "Bearer")


def test_a_token_opens_until_it_is_revoked(office: HttpOffice) -> None:
    headers = office.token()
    assert [office.get(path, headers).status_code for path in PATHS] == [200] * len(PATHS)
    revoke_token(office.scene.office, "test")
    assert problem(office.get(PATHS[0], headers)) == (401, "not-authenticated")


def test_servers_are_told_without_secrets(office: HttpOffice) -> None:
    headers = office.token(may_change=False)
    servers = {server["name"]: server for server in office.get("/v1/operator/servers", headers).json()}
    assert servers.keys() == {"configuration", "integrity", "registration", "release"}
    assert servers["registration"] == office.get("/v1/operator/servers/registration", headers).json()
    assert servers["registration"] == {
        "name": "registration", "title": "Registration", "usages": ["registration", "entitlement"],
        "epoch": 1, "least_epoch": 0, "not_before": NOW - 3600, "not_after": NOW + 1200 * 86_400, "state": "here",
        "signing_key": office.scene.certificate("registration").signing_key.hex(),
    }  # fmt: skip


def test_a_server_that_there_is_not(office: HttpOffice) -> None:
    response = office.get("/v1/operator/servers/nobody", office.token())
    assert problem(response) == (404, "not-found")
    assert response.json()["help"] == "fob-office server list"


def test_a_wrong_parameter_is_named_and_not_said_again(sqlite_office: HttpOffice) -> None:
    headers = sqlite_office.token()
    for query in ("after=-1", "count=0", "count=101", "after=x", "after=99999999999999999999"):
        response = sqlite_office.get(f"/v1/operator/events?{query}", headers)
        assert problem(response) == (422, "invalid")
        assert response.json()["detail"].startswith(f"query.{query.partition('=')[0]}: ")


def test_events_are_paged(office: HttpOffice) -> None:
    headers = office.token()
    events = office.get("/v1/operator/events", headers).json()
    assert [event["what"] for event in events] == [*["server added"] * 4, "revocation list 1", "token made"]
    assert office.get("/v1/operator/events?after=3&count=1", headers).json() == events[3:4]
    assert office.get("/v1/operator/events?order=newest", headers).json() == events[::-1]
    assert office.get("/v1/operator/events?order=newest&before=6&count=2", headers).json() == events[4:2:-1]


def test_a_bound_of_the_other_order_is_refused_and_not_passed_over(sqlite_office: HttpOffice) -> None:
    headers = sqlite_office.token()
    for query in ("order=newest&after=3", "before=3", "order=oldest&before=3"):
        response = sqlite_office.get(f"/v1/operator/events?{query}", headers)
        assert problem(response) == (422, "invalid")
        assert "`after` is for `order=oldest`, `before` for `order=newest`" in response.json()["detail"]


def test_a_token_that_may_only_read_changes_nothing(sqlite_scene: OfficeScene) -> None:
    """No route of the foundation changes anything; a role brings one."""
    from fastapi import APIRouter

    from fob_office.role import Role

    def routes(_: object) -> Sequence[APIRouter]:
        router = APIRouter()
        router.add_api_route("/thing", lambda: {"done": True}, methods=["POST"])
        return (router,)

    with served(sqlite_scene, [Role("test", {}, lambda _: {}, routes)]) as office:
        path = "/v1/operator/thing"
        assert problem(office.client.post(path, headers=office.token(may_change=False))) == (403, "not-allowed")
        assert office.client.post(path, headers=office.token()).json() == {"done": True}


def test_tokens_are_kept_as_digests(scene: OfficeScene) -> None:
    token = make_token(scene.office, "one", may_change=True)
    other = make_token(scene.office, "two", may_change=True)
    assert token != other
    assert len(token) == len("fob_office_") + 43


def test_metrics_count_what_became_of_questions(sqlite_office: HttpOffice) -> None:
    sqlite_office.post("/v1/directory", b"")
    text = sqlite_office.get("/v1/metrics", sqlite_office.token()).text
    assert 'fob_office_questions_total{outcome="malformed",service="directory"} 1.0' in text


def operations(description: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in description["paths"].items():
        for operation in methods.values():
            yield path, operation


def test_every_operation_is_described_with_its_problems(sqlite_office: HttpOffice) -> None:
    description = sqlite_office.get("/v1/openapi.json").json()
    assert description["openapi"].startswith("3.1")
    described = list(operations(description))
    assert {path for path, _ in described} >= {
        "/v1/directory",
        "/v1/operator/servers",
        "/v1/operator/events",
        "/healthz",
    }
    for path, operation in described:
        assert operation["operationId"]
        assert operation["summary"]
        responses = operation["responses"]
        expected = {"400", "413", "429", "503"} if "sealed" in operation["tags"] else {"503"}
        if path.startswith("/v1/operator") or path == "/v1/metrics":
            expected |= {"400", "401", "403", "413", "422"}
            assert operation["security"] == [{"HTTPBearer": []}]
        assert responses.keys() >= expected
        for status, response in responses.items():
            problem_type = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
            assert status.startswith("2") or response["content"] == problem_type
    assert "Problem" in description["components"]["schemas"]
    assert "HTTPValidationError" not in description["components"]["schemas"]
