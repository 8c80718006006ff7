"""The operator's page over HTTPS: who may look, who may change, and that nothing on it is what it is called."""

import re
from http import HTTPStatus
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update
from starlette.requests import Request

from fob_office.components.drafts import Draft
from fob_office.components.service import add_release
from fob_office.devices.tables import Device
from fob_office.distribution.operating import disable, enable, reissue
from fob_office.distribution.tables import Copy
from fob_office.operators.service import make_token, revoke_token
from fob_office.page.door import BASE, HEADERS, refuse
from fob_office.page.guesses import GUESS_TIME, GUESSES
from fob_office.page.sessions import SESSION_TIME
from fob_protocol.integrity.cloning import read_clone_proof
from fob_protocol.integrity.validation import State
from fob_protocol.office.component import Kind
from support.office_device import HARDWARE
from support.office_holders import RATES, direct, rates_holder, state_of
from support.office_shop import OPERATOR
from support.office_usage import found, use
from support.page_scene import PageScene
from support.page_visitor import OWN, PageVisitor

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
PAGES = ("", "/findings", "/findings?seen=true", "/centre", "/programs/rates", "/programs/rates?state=valid&after=3")


def moved(response: httpx.Response) -> str:
    assert response.status_code == HTTPStatus.SEE_OTHER, response.text
    return response.headers["location"].removeprefix(BASE)


def allowed(response: httpx.Response) -> str:
    assert response.status_code == HTTPStatus.OK, response.text
    return response.text


# Logging in and out.


def test_nothing_is_shown_without_a_token(scene: PageScene, stranger: PageVisitor) -> None:
    number = scene.numbers[0].hex()
    for path in (*PAGES, f"/copies/{number}", f"/copies/{number}/proof", f"/copies?number={number}"):
        assert moved(stranger.get(path)) == "/login"
    assert moved(stranger.post("/findings/1/acknowledge", "")) == "/login"
    assert moved(stranger.post("/logout", "")) == "/login"
    assert "Operator's token" in allowed(stranger.get("/login"))
    stranger.client.cookies.set("__Host-fob-office", "guessed", domain="localhost")
    assert moved(stranger.get()) == "/login"


def test_a_token_gives_a_cookie_that_no_script_and_no_other_site_has(
    scene: PageScene, stranger: PageVisitor
) -> None:  # fmt: skip
    answer = stranger.log_in(f" {scene.changing}\n")
    assert moved(answer) == ""
    name, *marks = answer.headers["set-cookie"].split("; ")
    assert name.startswith("__Host-fob-office=")
    assert sorted(marks) == ["HttpOnly", "Path=/", "SameSite=strict", "Secure"]
    assert scene.changing not in answer.headers["set-cookie"]
    assert "Ada" in allowed(stranger.get())


def test_what_is_no_token_opens_nothing_and_is_not_shown_again(stranger: PageVisitor) -> None:
    for token in ("", "fob_office_wrong", HOSTILE):
        answer = stranger.log_in(token)
        assert answer.status_code == HTTPStatus.FORBIDDEN
        assert "no token of this office" in answer.text
        assert not token or token not in answer.text
        assert "set-cookie" not in answer.headers


def test_a_session_ends_at_logout(ada: PageVisitor) -> None:
    kept = dict(ada.client.cookies)
    assert ada.post("/logout", "0" * 64).status_code == HTTPStatus.FORBIDDEN
    assert moved(ada.post("/logout", ada.form())) == "/login"
    assert ada.client.cookies == {}
    ada.client.cookies.update(kept)
    assert moved(ada.get()) == "/login"


def test_who_guesses_waits(scene: PageScene, stranger: PageVisitor) -> None:
    clock = scene.office.scene.clock
    clock.ticks += GUESSES * GUESS_TIME
    # Who is right spends nothing.
    for _ in range(GUESSES + 1):
        assert moved(stranger.log_in(scene.changing)) == ""
    told = [stranger.log_in(f"fob_office_{number}").status_code for number in range(GUESSES)]
    assert told == [HTTPStatus.FORBIDDEN] * GUESSES
    # Then nothing is looked at, so that nobody learns whether it would have been right.
    for token in ("fob_office_wrong", scene.changing):
        answer = stranger.log_in(token)
        assert (answer.status_code, answer.headers["Retry-After"]) == (HTTPStatus.TOO_MANY_REQUESTS, str(GUESS_TIME))
        assert "Too many wrong tokens" in answer.text
    clock.ticks += GUESS_TIME
    assert moved(stranger.log_in(scene.changing)) == ""
    clock.ticks += GUESSES * GUESS_TIME


def test_a_session_ends_with_its_token_and_its_day(scene: PageScene, stranger: PageVisitor) -> None:
    office = scene.office.scene
    stranger.log_in(make_token(office.office, "Eve", may_change=True))
    allowed(stranger.get())
    revoke_token(office.office, "Eve")
    assert moved(stranger.get()) == "/login"
    stranger.log_in(scene.changing)
    office.clock.pass_by(SESSION_TIME - 1)
    allowed(stranger.get())
    office.clock.pass_by(1)
    assert moved(stranger.get()) == "/login"
    office.clock.pass_by(-SESSION_TIME)


def test_who_logs_in_is_an_event(scene: PageScene, ada: PageVisitor) -> None:
    events = scene.office.get("/v1/operator/events?after=10", {"Authorization": f"Bearer {scene.reading}"}).json()
    assert ("Ada", "logged in to the page") in {(event["who"], event["what"]) for event in events}


# Who may change something.


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "null", "Sec-Fetch-Site": "same-site"},
        {"Origin": "null", "Sec-Fetch-Site": "none"},
        {},
    ],
)
def test_a_form_of_another_page_is_refused(scene: PageScene, ada: PageVisitor, headers: dict[str, str]) -> None:
    path = f"/copies/{scene.numbers[20].hex()}/disable"
    for form in (ada.form(), None):
        assert ada.post(path, form, headers).status_code == HTTPStatus.FORBIDDEN
    assert ada.log_in(scene.changing, headers).status_code == HTTPStatus.FORBIDDEN
    assert state_of(scene.office.scene, scene.numbers[20]) is State.VALID


def test_a_form_has_to_be_of_this_session(scene: PageScene, ada: PageVisitor) -> None:
    before = ada.form()
    ada.log_in(scene.changing)
    path = f"/copies/{scene.numbers[20].hex()}/disable"
    for form in (before, None, "é", before.upper()):
        assert ada.post(path, form).status_code == HTTPStatus.FORBIDDEN
    assert before != ada.form()
    assert state_of(scene.office.scene, scene.numbers[20]) is State.VALID


def test_what_is_no_form_is_refused(scene: PageScene, ada: PageVisitor) -> None:
    path = f"/operator/copies/{scene.numbers[20].hex()}/disable"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    sent: list[dict[str, Any]] = [
        {"json": {"form": ada.form()}, "headers": OWN},
        {"content": b"form=\xff", "headers": OWN | form},
        {"content": b"form=1&form=2", "headers": OWN | form},
        {"content": b"&".join(b"a%d=" % at for at in range(9)), "headers": OWN | form},
        {"content": b"form=" + b"0" * 3000, "headers": OWN | form},
    ]
    for one in sent:
        assert ada.client.post(path, **one).status_code == HTTPStatus.BAD_REQUEST


def test_a_token_that_reads_only_sees_no_buttons_and_changes_nothing(
    scene: PageScene, stranger: PageVisitor
) -> None:  # fmt: skip
    stranger.log_in(scene.reading)
    number = scene.numbers[20]
    use(scene.office.scene, number, ahead=500)
    [one] = found(scene.office.scene, is_open=True, copy=number)
    assert "reads only" in allowed(stranger.get())
    for path in ("", "/findings", f"/copies/{number.hex()}"):
        assert re.findall(r"<button[^>]*>([^<]*)", stranger.get(path).text)[1:] in ([], ["Show"])
    for path in (f"/copies/{number.hex()}/disable", f"/findings/{one.id}/acknowledge"):
        answer = stranger.post(path, stranger.form())
        assert answer.status_code == HTTPStatus.FORBIDDEN
        assert "may read, and change nothing" in answer.text
    assert state_of(scene.office.scene, number) is State.VALID


def test_a_copy_is_disabled_and_enabled(scene: PageScene, ada: PageVisitor) -> None:
    number, form = scene.numbers[21], ada.form()
    path = f"/copies/{number.hex()}"
    assert "It asks before its next use." in allowed(ada.get(path))
    assert moved(ada.post(f"{path}/disable", form)) == f"{path}?done=disabled"
    assert state_of(scene.office.scene, number) is State.DISABLED
    assert "Disabled: its next request is refused." in allowed(ada.get(f"{path}?done=disabled"))
    again = ada.post(f"{path}/disable", form)
    assert (again.status_code, "it is disabled, or so already" in again.text) == (HTTPStatus.CONFLICT, True)
    assert moved(ada.post(f"{path}/enable", form)) == f"{path}?done=enabled"
    assert ada.post(f"{path}/reissue", form).status_code == HTTPStatus.NOT_FOUND
    assert "Disabled" not in ada.get(f"{path}?done={HOSTILE}").text


@pytest.mark.clause("V20")
def test_a_finding_is_acknowledged(scene: PageScene, ada: PageVisitor) -> None:
    [one] = [one for one in found(scene.office.scene, is_open=True) if one.rule == "silent"]
    assert one.why in allowed(ada.get())
    assert moved(ada.post(f"/findings/{one.id}/acknowledge", ada.form())) == "/findings?done=acknowledged"
    assert one.why not in ada.get("/findings").text
    assert "acknowledged by Ada" in ada.get("/findings?seen=true").text
    assert ada.post(f"/findings/{one.id}/acknowledge", ada.form()).status_code == HTTPStatus.CONFLICT
    assert ada.post("/findings/999/acknowledge", ada.form()).status_code == HTTPStatus.NOT_FOUND


# What is shown.


@pytest.mark.clause("V19", "V20")
def test_a_copy_s_page_shows_its_usage_and_each_integrity_value(scene: PageScene, ada: PageVisitor) -> None:
    number = scene.numbers[0].hex()
    shown = allowed(ada.get(f"/copies/{number}"))
    headers = {"Authorization": f"Bearer {scene.reading}"}
    lines = scene.office.get(f"/v1/operator/validations?copy={number}", headers).json()
    assert len(lines) == len({line["integrity_value"] for line in lines}) == 9
    for line in lines:
        assert f"{line['integrity_value'][:8]}…{line['integrity_value'][-4:]}" in shown
    days = scene.office.get(f"/v1/operator/usage/copies/{number}", headers).json()["days"]
    most = max(day["lines"] for day in days)
    total = f"{sum(day['lines'] for day in days):,}".replace(",", "\u202f")
    assert f'aria-label="{total} validations on {len(days)} days of the last 28, at most {most} on' in shown
    fields = re.findall(r'<rect class="l([1-4])"', shown)
    assert len(fields) == sum(1 for day in days for count in day["hours"] if count)
    assert set(fields) == {"1", "2", "3", "4"}


@pytest.mark.clause("V21")
def test_the_proof_of_a_clone_is_a_file(scene: PageScene, ada: PageVisitor) -> None:
    holder = rates_holder(scene.office.scene, ask=direct(scene.office.scene.office), serial="M-0002")
    copy = holder.copies["rates"]
    number, clone = copy.number.hex(), holder.clone(seed=9)
    assert ada.get(f"/copies/{number}/proof").status_code == HTTPStatus.NOT_FOUND
    holder.validate("rates")
    clone.validate("rates")
    assert f'href="{BASE}/copies/{number}/proof" download' in allowed(ada.get(f"/copies/{number}"))
    loaded = ada.get(f"/copies/{number}/proof")
    assert loaded.headers["content-disposition"] == f'attachment; filename="clone-{number}.cose"'
    assert read_clone_proof(copy.validation.signing_key, loaded.content).proof.copy == copy.number


def test_copies_are_shown_a_page_at_a_time(scene: PageScene, ada: PageVisitor) -> None:
    seen: list[str] = []
    path: str | None = "/programs/rates"
    while path is not None:
        shown = allowed(ada.get(path))
        seen += re.findall(r'aria-label="Copy ([0-9a-f]{32})"', shown)
        more = re.search(r'<a href="/operator(/programs/rates\?after=\d+)">Next', shown)
        path = more[1] if more else None
    assert seen[: len(scene.numbers)] == [number.hex() for number in scene.numbers]
    assert len(seen) == len(set(seen))
    disabled = allowed(ada.get("/programs/rates?state=disabled"))
    assert re.findall(r'aria-label="Copy ([0-9a-f]{32})"', disabled) == [scene.numbers[9].hex()]


def numbers_on(text: str) -> list[str]:
    return re.findall(r'aria-label="Copy ([0-9a-f]{32})"', text)


def counted(text: str) -> dict[str, int]:
    """What the tabs of a program's page say."""
    tabs = re.findall(r'<a href="/operator/programs/rates[^"]*"[^>]*>(\w+) ([\d\u202f]+)</a>', text)
    return {word: int(count.replace("\u202f", "")) for word, count in tabs}


@pytest.mark.clause("V16")
def test_copies_that_others_are_in_the_place_of_are_counted_apart(scene: PageScene, ada: PageVisitor) -> None:
    office = scene.office.scene
    holder = rates_holder(office, ask=direct(office.office), serial="M-0003")
    before = counted(allowed(ada.get("/programs/rates")))
    old = holder.copies["rates"].number
    disable(office.office, old, OPERATOR)
    reissue(office.office, old, OPERATOR)
    assert "to be given anew" in allowed(ada.get(f"/copies/{old.hex()}"))
    holder.fetch({"rates": RATES})
    new = holder.copies["rates"].number
    shown = allowed(ada.get(f"/copies/{old.hex()}"))
    assert ("another one is in its place" in shown, "to be given anew" in shown) == (True, False)
    # Its holder has one that is valid, as before.
    after = counted(allowed(ada.get("/programs/rates")))
    assert after == before | {"replaced": before.get("replaced", 0) + 1}
    assert numbers_on(allowed(ada.get("/programs/rates?state=replaced"))) == [old.hex()]
    assert old.hex() not in numbers_on(allowed(ada.get("/programs/rates?state=disabled")))
    assert re.findall(r"Copies disabled</dt><dd>(\d+)", allowed(ada.get())) == [str(before["disabled"])]
    headers = {"Authorization": f"Bearer {scene.reading}"}
    told = scene.office.get(f"/v1/operator/copies/{old.hex()}", headers).json()
    assert (told["current"], told["state"], told["reissued"]) == (False, "disabled", False)
    assert new != old


def test_a_copy_is_found_by_its_number(scene: PageScene, ada: PageVisitor) -> None:
    number = scene.numbers[5].hex()
    assert moved(ada.get(f"/copies?number={number}")) == f"/copies/{number}"


@pytest.mark.parametrize(
    "path",
    [
        "/nothing", "/programs/none", "/programs/RATES", "/copies/00", f"/copies/{'0' * 32}", "/copies?number=x",
        "/programs/rates?state=any", "/programs/rates?after=-1", "/static/../page.css", "/static/none.css",
    ],
)  # fmt: skip
def test_what_is_not_there_is_a_page_too(ada: PageVisitor, path: str) -> None:
    answer = ada.get(path)
    assert answer.status_code == HTTPStatus.NOT_FOUND
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"] == HEADERS["Content-Security-Policy"]


def test_every_answer_is_under_the_page_s_policy(scene: PageScene, ada: PageVisitor) -> None:
    number = scene.numbers[0].hex()
    for path in (*PAGES, f"/copies/{number}", "/login", "/static/page.css", "/static/icon.svg"):
        headers = ada.get(path).headers
        assert {name: headers[name] for name in HEADERS} == HEADERS, path
        assert "script" not in headers["content-security-policy"]
    for path in (*PAGES, f"/copies/{number}", "/login"):
        text = ada.get(path).text
        assert re.search(r"<script|<style|\son\w+=|\sstyle=|javascript:|https?://(?!www.w3.org)", text) is None, path


def test_hostile_names_are_only_text(scene: PageScene, stranger: PageVisitor) -> None:
    office = scene.office.scene
    draft = Draft("hostile", (1, 0, 0), HOSTILE[:60], Kind.DATA, RATES, (HARDWARE,), (), (), 0, 1000)
    add_release(office.office, draft, OPERATOR)
    number = scene.numbers[0]
    with office.office.database.write() as session:
        before = session.scalars(select(Device.title).where(Device.serial == "M-0001")).one()
        session.execute(update(Device).where(Device.serial == "M-0001").values(title=HOSTILE))
    stranger.log_in(make_token(office.office, HOSTILE[:60], may_change=True))
    use(office, number, ahead=500)
    [one] = found(office, is_open=True, copy=number)
    stranger.post(f"/findings/{one.id}/acknowledge", stranger.form())
    for path in ("", "/findings?seen=true", "/programs/hostile", f"/copies/{number.hex()}"):
        text = allowed(stranger.get(path))
        assert "&lt;script&gt;alert(1)" in text, path
        assert re.search(r"<script|<img", text) is None, path
    with office.office.database.write() as session:
        session.execute(update(Device).where(Device.serial == "M-0001").values(title=before))


# Over which way.


def request(scheme: str, client: tuple[str, int] | None, method: str = "GET") -> Request:
    headers = [(b"host", b"office.example:8443"), (b"sec-fetch-site", b"same-origin")]
    scope = {
        "type": "http", "scheme": scheme, "client": client, "method": method, "path": BASE, "headers": headers,
        "server": ("office.example", 8443), "query_string": b"",
    }  # fmt: skip
    return Request(scope)


@pytest.mark.parametrize("client", [("127.0.0.1", 1), ("127.0.0.9", 1), ("::1", 1)])
def test_this_machine_may_look_without_tls(client: tuple[str, int]) -> None:
    assert refuse(request("http", client)) is None


@pytest.mark.parametrize("client", [("192.0.2.1", 1), ("2001:db8::1", 1), ("localhost", 1), None])
def test_others_need_tls(client: tuple[str, int] | None) -> None:
    assert refuse(request("http", client)) is not None
    assert refuse(request("https", client)) is None
    assert refuse(request("http", client, "POST")) is not None


def test_the_page_changes_nothing_by_looking(scene: PageScene, ada: PageVisitor) -> None:
    def state() -> list[tuple[int, int | None]]:
        with scene.office.scene.office.database.read() as session:
            return [(copy.state, copy.validated) for copy in session.scalars(select(Copy).order_by(Copy.id))]

    before = state()
    for path in ("/copies/{0}/disable", "/copies/{0}/enable", "/findings/1/acknowledge"):
        assert ada.get(path.format(scene.numbers[9].hex())).status_code == HTTPStatus.NOT_FOUND
    assert state() == before
    enable(scene.office.scene.office, scene.numbers[9], OPERATOR)
    assert state() != before
