"""Requests without I/O: what each route takes, what is refused, and that nothing else ever comes out."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fob_daemon.control import requests
from fob_daemon.control.errors import ControlError
from fob_daemon.control.key_type import KeyType
from fob_daemon.control.limits import MAX_BODY, MAX_LOG, MAX_PIN
from fob_daemon.control.requests import ROUTES, parse_request
from fob_protocol.limits import LABEL_LIMIT

KEY = {"device": "pixel", "type": "ec:p256", "label": "mail"}


def parse(method: str, target: str, body: object = None) -> requests.ControlRequest:
    return parse_request(method, f"/v1/{target}", b"" if body is None else json.dumps(body).encode())


def refusal(method: str, target: str, body: bytes = b"") -> ControlError:
    with pytest.raises(ControlError) as caught:
        parse_request(method, target, body)
    return caught.value


def outcome_of(method: str, target: str, body: bytes) -> requests.ControlRequest | int:
    try:
        return parse_request(method, target, body)
    except ControlError as error:
        return error.status


@pytest.mark.parametrize(
    ("method", "target", "body", "expected"),
    [
        ("GET", "status", None, requests.GetStatus()),
        ("GET", "devices", None, requests.GetDevices()),
        ("GET", "scan", None, requests.Scan(4)),
        ("GET", "scan?seconds=10", None, requests.Scan(10)),
        ("POST", "devices/pixel/connect", None, requests.Connect("pixel")),
        ("DELETE", "devices/Ada%27s%20phone", None, requests.Unpair("Ada's phone")),
        ("POST", "pairings", {"url": "tcp:127.0.0.1:4000"}, requests.Pair("tcp:127.0.0.1:4000", None)),
        ("POST", "pairings", {"url": "tcp:h:1", "name": "pixel"}, requests.Pair("tcp:h:1", "pixel")),
        ("POST", "pairings/0a", {"equal": False}, requests.CompareAnswer("0a", equal=False)),
        ("GET", "keys", None, requests.ListKeys(None)),
        ("GET", "keys?device=pixel", None, requests.ListKeys("pixel")),
        ("POST", "keys", KEY, requests.NewKey("pixel", KeyType.EC_P256, "mail", None, None)),
        ("POST", "keys", KEY | {"id": "0Aff"}, requests.NewKey("pixel", KeyType.EC_P256, "mail", b"\x0a\xff", None)),
        ("GET", "keys/pixel/0aff", None, requests.ShowKey("pixel", b"\x0a\xff")),
        ("DELETE", "keys/pixel/01", {"pin": "é1"}, requests.DeleteKey("pixel", b"\x01", b"\xc3\xa91")),
        ("POST", "unlock", {"device": "pixel"}, requests.Unlock("pixel", None)),
        ("POST", "lock", {}, requests.Lock(None)),
        ("POST", "lock", None, requests.Lock(None)),
        ("GET", "log", None, requests.GetLog(50, 0)),
        ("GET", "log?limit=1000&since=7", None, requests.GetLog(1000, 7)),
        ("GET", "events", None, requests.Follow()),
    ],
)
def test_a_request_is_understood(method: str, target: str, body: object, expected: requests.ControlRequest) -> None:
    assert parse(method, target, body) == expected


@pytest.mark.parametrize(
    ("method", "target", "body", "status", "why"),
    [
        ("GET", "/v1/nothing", b"", 404, "nothing at this path"),
        ("GET", "/v2/status", b"", 404, "nothing at this path"),
        ("PUT", "/v1/keys", b"", 405, "this path takes GET and POST"),
        ("GET", "/v1/status", b"{}", 400, "a GET request has no body"),
        ("POST", "/v1/lock?device=pixel", b"", 400, "only a GET request has a query"),
        ("POST", "/v1/lock", b"{", 400, "no JSON"),
        ("POST", "/v1/lock", b"\xff", 400, "no JSON"),
        ("POST", "/v1/lock", b"[]", 400, "no JSON object"),
        ("POST", "/v1/lock", b"[" * MAX_BODY, 400, "no JSON"),
        ("POST", "/v1/lock", b" " * (MAX_BODY + 1), 413, f"a body over {MAX_BODY} octets"),
        ("POST", "/v1/lock", b'{"device": 7}', 400, "'device' has to be a text of 1 to 64 characters"),
        ("POST", "/v1/lock", b'{"device": ""}', 400, "'device' has to be a text of 1 to 64 characters"),
        ("POST", "/v1/lock", b'{"device": "a\\u001b[2J"}', 400, "'device' has characters that cannot be shown"),
        ("POST", "/v1/lock", b'{"devise": "pixel"}', 400, "1 field(s) too many"),
        ("POST", "/v1/lock", b'{"device": "a", "device": "b"}', 400, "a field stands twice"),
        ("POST", "/v1/unlock", b"{}", 400, "'device' is missing"),
        ("POST", "/v1/unlock", b'{"device": {}}', 400, "'device' has to be a text"),
        ("POST", "/v1/unlock", b'{"device": "pixel", "pin": ""}', 400, f"'pin' has to be a text of 1 to {MAX_PIN}"),
        ("POST", "/v1/pairings/00", b'{"equal": 1}', 400, "'equal' has to be true or false"),
        ("POST", "/v1/pairings/00", b"", 400, "'equal' has to be true or false"),
        ("GET", "/v1/keys/pixel/1", b"", 400, "'id' has to be hexadecimal"),
        ("GET", "/v1/keys/pixel/", b"", 400, "'id' has to be hexadecimal"),
        ("GET", "/v1/keys/pixel/0%C2%B2", b"", 400, "'id' has to be hexadecimal"),
        ("GET", f"/v1/keys/pixel/{'00' * 256}", b"", 400, "'id' has to be of 1 to 255 octets"),
        ("GET", "/v1/log?limit=0x10", b"", 400, f"'limit' has to be a number from 0 to {MAX_LOG}"),
        ("GET", "/v1/log?limit=1001", b"", 400, f"'limit' has to be a number from 0 to {MAX_LOG}"),
        ("GET", "/v1/log?limit", b"", 400, "the query is not made of name=value"),
        ("GET", "/v1/log?pin=1", b"", 400, "1 field(s) too many"),
    ],
)
def test_a_refusal_names_the_rule(method: str, target: str, body: bytes, status: int, why: str) -> None:
    error = refusal(method, target, body)

    assert error.status == status
    assert why in error.why


@pytest.mark.parametrize("label", ["", "x" * (LABEL_LIMIT + 1), "é" * (LABEL_LIMIT // 2 + 1)])
def test_a_label_has_the_protocol_s_bound_in_octets(label: str) -> None:
    why = refusal("POST", "/v1/keys", json.dumps(KEY | {"label": label}).encode()).why

    assert why == f"'label' has to be a text of 1 to {LABEL_LIMIT} octets in UTF-8"


@pytest.mark.parametrize("label", ["x" * LABEL_LIMIT, "é" * (LABEL_LIMIT // 2), "x"])
def test_a_label_within_its_bound(label: str) -> None:
    assert parse("POST", "keys", KEY | {"label": label}) == requests.NewKey("pixel", KeyType.EC_P256, label, None, None)


@pytest.mark.parametrize("label", ["a\nb", "\ud800", "\x9b2J", "\u202egnp", "\u200b"])
def test_a_label_can_be_shown(label: str) -> None:
    why = refusal("POST", "/v1/keys", json.dumps(KEY | {"label": label}).encode()).why

    assert why == "'label' has characters that cannot be shown"


@pytest.mark.parametrize("label", [" ", "   "])
def test_a_label_is_more_than_spaces(label: str) -> None:
    why = refusal("POST", "/v1/keys", json.dumps(KEY | {"label": label}).encode()).why

    assert why == "'label' has only spaces, which cannot be seen"


def test_a_key_type_is_one_of_the_list() -> None:
    why = refusal("POST", "/v1/keys", json.dumps(KEY | {"type": "rsa:1024"}).encode()).why

    assert why == "'type' has to be one of rsa:2048, rsa:3072, rsa:4096, ec:p256, ec:p384, ec:p521, ed25519"


def test_no_pin_in_a_repr_or_an_error() -> None:
    secret = "771177"

    assert secret not in repr(parse("POST", "unlock", {"device": "pixel", "pin": secret}))
    assert secret not in repr(parse("POST", "keys", KEY | {"pin": secret}))
    assert secret not in repr(parse("DELETE", "keys/pixel/01", {"pin": secret}))
    assert secret not in str(refusal("POST", "/v1/unlock", f'{{"device": "pixel", "pin": [{secret}]}}'.encode()))
    assert secret not in str(refusal("POST", "/v1/unlock", f'{{"device": "pixel", "{secret}": "{secret}"}}'.encode()))
    assert secret not in str(refusal("POST", "/v1/unlock", f'{{"pin": "{secret}"'.encode()))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(max_size=5), values, max_size=3),
    max_leaves=5,
)
names = st.sampled_from(["device", "url", "name", "equal", "type", "label", "id", "pin", "other"])
bodies = st.binary(max_size=200) | st.dictionaries(names, json_values).map(lambda body: json.dumps(body).encode())
paths = st.sampled_from([route.path for route in ROUTES]).flatmap(
    lambda path: st.text(max_size=10).map(lambda text: path.replace("{device}", text).replace("{id}", text))
)
targets = st.text(max_size=60) | st.tuples(paths, st.text(max_size=30)).map("".join).map("/v1/".__add__)


@given(st.sampled_from(["GET", "POST", "DELETE", "PUT", ""]), targets, bodies)
def test_whatever_comes_is_a_request_or_a_refusal(method: str, target: str, body: bytes) -> None:
    outcome = outcome_of(method, target, body)

    assert isinstance(outcome, requests.ControlRequest) or outcome in (400, 404, 405, 413)
