"""Who may come in to the screen's page, by what a browser says of itself."""

from collections.abc import Mapping
from http import HTTPStatus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from fob_device.screen.web.door import HEADERS, Door
from fob_device.screen.web.serving import Place, PlaceError

TOKEN = "q" * 43
DOOR = Door("127.0.0.1:8437", TOKEN)
PAGE = f"/{TOKEN}/keys"

ANY = ".".join("0000")

TYPED = {"Host": "127.0.0.1:8437", "Sec-Fetch-Site": "none"}
FORM = {"Host": "127.0.0.1:8437", "Origin": "null", "Sec-Fetch-Site": "same-origin"}
SCRIPT = {"Host": "127.0.0.1:8437", "Origin": "http://127.0.0.1:8437", "Sec-Fetch-Site": "same-origin"}


def refusal(method: str, headers: Mapping[str, str], path: str = PAGE) -> HTTPStatus | None:
    return DOOR.refuse(method, path, CIMultiDict(headers))


@pytest.mark.parametrize("headers", [TYPED, {"Host": "127.0.0.1:8437"}, FORM | {"Origin": DOOR.origin}])
def test_who_has_the_address_looks(headers: Mapping[str, str]) -> None:
    assert refusal("GET", headers) is None


@pytest.mark.parametrize("headers", [FORM, SCRIPT, {"Host": "127.0.0.1:8437", "Origin": "http://127.0.0.1:8437"}])
def test_the_phone_s_own_page_taps(headers: Mapping[str, str]) -> None:
    assert refusal("POST", headers) is None


@pytest.mark.parametrize("host", ["", "localhost:8437", "127.0.0.1", "127.0.0.1:80", "evil.example:8437", "[::1]:8437"])
def test_a_name_that_only_leads_here_is_refused(host: str) -> None:
    assert refusal("GET", TYPED | {"Host": host}) is HTTPStatus.MISDIRECTED_REQUEST
    assert refusal("POST", SCRIPT | {"Host": host}) is HTTPStatus.MISDIRECTED_REQUEST


def test_without_a_host_nobody_is_let_in() -> None:
    assert refusal("GET", {}) is HTTPStatus.MISDIRECTED_REQUEST


@pytest.mark.parametrize(
    "path", ["/", "/keys", f"/{TOKEN}", f"/{TOKEN[:-1]}x/keys", f"//{TOKEN}/", "/\udcff/", f"/{TOKEN}x/"]
)
def test_a_guessed_token_finds_nothing(path: str) -> None:
    assert refusal("GET", TYPED, path) is HTTPStatus.NOT_FOUND
    assert refusal("POST", SCRIPT, path) is HTTPStatus.NOT_FOUND


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_other_pages_are_refused_though_they_know_the_address(method: str, site: str) -> None:
    assert refusal(method, SCRIPT | {"Sec-Fetch-Site": site}) is HTTPStatus.FORBIDDEN


@pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1:8438", "https://127.0.0.1:8437"])
def test_another_origin_is_refused(origin: str) -> None:
    for method in ("GET", "POST"):
        assert refusal(method, SCRIPT | {"Origin": origin}) is HTTPStatus.FORBIDDEN


@pytest.mark.parametrize("headers", [{}, {"Origin": "null"}, {"Origin": "null", "Sec-Fetch-Site": "none"}])
def test_a_tap_says_where_it_comes_from(headers: dict[str, str]) -> None:
    """An old browser's form, and one from a page without an origin of its own."""
    assert refusal("POST", {"Host": DOOR.host} | headers) is HTTPStatus.FORBIDDEN


@given(st.sampled_from(("GET", "POST")), st.text(max_size=60), st.text(max_size=60), st.none() | st.text(max_size=20))
def test_nobody_gets_in_by_chance(method: str, host: str, path: str, site: str | None) -> None:
    headers = {"Host": host} | ({"Sec-Fetch-Site": site} if site is not None else {})
    assert refusal(method, headers, f"/{path}") is not None
    assert refusal(method, headers | {"Host": DOOR.host}, f"/{path}") is not None


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "HEAD", "TRACE"])
def test_pages_ask_in_two_ways(method: str) -> None:
    assert refusal(method, SCRIPT) is HTTPStatus.METHOD_NOT_ALLOWED


def test_the_token_is_in_no_repr() -> None:
    assert TOKEN not in repr(DOOR)
    assert DOOR.address == f"http://127.0.0.1:8437/{TOKEN}/"


def test_no_code_but_the_page_s_own_file_runs() -> None:
    policy = dict(rule.strip().split(" ", 1) for rule in HEADERS["Content-Security-Policy"].split(";"))
    assert policy.pop("default-src") == policy.pop("frame-ancestors") == policy.pop("base-uri") == "'none'"
    assert set(policy) == {"script-src", "style-src", "img-src", "connect-src", "form-action"}
    assert set(policy.values()) == {"'self'"}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("127.0.0.1", Place("127.0.0.1")),
        ("127.0.0.1:8437", Place("127.0.0.1", 8437)),
        ("[::1]:8437", Place("::1", 8437)),
        ("[::1]", Place("::1")),
        ("::1", Place("::1")),
        ("127.9.9.9:0", Place("127.9.9.9")),
    ],
)
def test_the_screen_is_at_a_place_of_this_machine_alone(text: str, place: Place) -> None:
    assert Place.parse(text) == place


@pytest.mark.parametrize(
    "text",
    ["", ANY, f"{ANY}:80", "192.168.1.1:80", "[::]:80", "localhost", "localhost:80", "127.0.0.1:65536",
     "127.0.0.1:", "127.0.0.1:x", "[127.0.0.1]:80", "::ffff:8.8.8.8", "127.0.0.1:1:2", "8437"],
)  # fmt: skip
def test_every_other_place_is_refused(text: str) -> None:
    with pytest.raises(PlaceError):
        Place.parse(text)
