"""What a page of somebody else can do to the phone's page in the same browser: nothing."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus

import pytest
from aiohttp import web
from playwright.async_api import Browser, Page, expect

from fob_device.screen.web.door import Door
from fob_protocol.caller import PROGRAM_SIZE, Caller, Purpose
from support.chromium import FOREIGN_HOST, opened_page
from support.screen_scene import PC_KEY, Scene, make_key

pytestmark = pytest.mark.asyncio(loop_scope="session")

# What it tries below: two pages in a frame, two taps, a look, a picture, a stream.
TRIES = 7
# It knows the address with its token, as if the person had given it away.
ATTACK = """<!doctype html><title>working</title>
<iframe src="{address}"></iframe><iframe name="posted"></iframe>
<form method="post" target="posted" action="{address}lock"></form>
<script>
  const tries = [
    fetch("{address}lock", {{method: "POST", mode: "no-cors", body: new URLSearchParams({{page: ""}})}}),
    fetch("{address}{sheet}", {{method: "POST", mode: "no-cors", body: new URLSearchParams({{answer: "yes"}})}}),
    fetch("{address}keys"),
    new Promise((done) => Object.assign(new Image(), {{onerror: done, src: "{address}static/icon.svg"}})),
    new Promise((done) => new EventSource("{address}events").onerror = done),
  ];
  document.forms[0].submit();
  Promise.allSettled(tries).then(() => document.title = "done");
</script>"""


@asynccontextmanager
async def attacker(html: str, host: str) -> AsyncIterator[str]:
    """A page of somebody else; its address."""

    async def answer(request: web.BaseRequest) -> web.Response:
        return web.Response(text=html, content_type="text/html")

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://{host}:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


def counted_refusals(monkeypatch: pytest.MonkeyPatch) -> Counter[HTTPStatus | None]:
    """How often the door gives each answer; a browser hides some of them from its own page's owner."""
    answers: Counter[HTTPStatus | None] = Counter()
    refuse = Door.refuse

    def counting(door: Door, method: str, path: str, headers: Mapping[str, str]) -> HTTPStatus | None:
        answer = refuse(door, method, path, headers)
        answers[answer] += 1
        return answer

    monkeypatch.setattr(Door, "refuse", counting)
    return answers


@pytest.mark.parametrize("host", ["127.0.0.1", FOREIGN_HOST])
async def test_a_page_from_another_origin(
    handset: Scene, browser: Browser, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await handset.unlock()
    sheet = await handset.ask()
    answers = counted_refusals(monkeypatch)
    html = ATTACK.format(address=handset.address, sheet=f"sheets/{sheet}")
    async with attacker(html, host) as address, opened_page(browser, may_complain=True) as page:
        await page.goto(address)
        await expect(page).to_have_title("done")
        assert answers == {HTTPStatus.FORBIDDEN: TRIES}
        # A page in a page shows nothing of the phone.
        await expect(page.frame_locator("iframe").first.get_by_role("main")).to_have_count(0)
    assert not handset.person.lock.is_locked
    assert not handset.asked[0].done()


async def test_a_link_from_another_page_does_not_even_look(handset: Scene, page: Page) -> None:
    async with attacker(f'<a href="{handset.address}">Look</a>', FOREIGN_HOST) as address:
        await page.goto(address)
        async with page.expect_navigation() as navigation:
            await page.get_by_role("link", name="Look").click()
        response = await navigation.value
    assert response is not None
    assert response.status == HTTPStatus.FORBIDDEN


async def test_another_name_for_the_same_place(handset: Scene, page: Page) -> None:
    """DNS rebinding: the attacker's own name leads to the phone's address, with the right token."""
    address = handset.address.replace("127.0.0.1", FOREIGN_HOST)
    response = await page.goto(address)
    assert response is not None
    assert response.status == HTTPStatus.MISDIRECTED_REQUEST


@pytest.mark.parametrize("token", ["", "a" * 43 + "/", "static/phone.js"])
async def test_a_guessed_token(handset: Scene, page: Page, token: str) -> None:
    response = await page.goto(f"{handset.origin}/{token}")
    assert response is not None
    assert response.status == HTTPStatus.NOT_FOUND


async def test_a_replayed_approval(handset: Scene, page: Page) -> None:
    """Whoever could send what the page sent once, sends it again."""
    await handset.unlock()
    await page.goto(handset.address)
    await handset.ask()
    async with page.expect_request(lambda request: request.method == "POST") as sent:
        await page.get_by_role("button", name="Allow once").click()
    first = await sent.value
    assert (await handset.asked[0]).is_yes
    await handset.ask()
    seen = await handset.post(first.url.removeprefix(handset.address), {"answer": "yes", "page": ""})
    assert "This request is over" in seen.words
    assert not handset.asked[1].done()


@pytest.mark.parametrize("has_script", [True, False])
@pytest.mark.parametrize("name", ["<script>document.title='pwned'</script>", "'\"><img src=x onerror=alert(1)>"])
async def test_a_script_in_a_name(handset: Scene, browser: Browser, name: str, has_script: bool) -> None:
    """A key's label, a program, a host and a computer are called like code: they are read, not run."""
    await handset.unlock()
    handset.phone.pair(PC_KEY, name)
    make_key(handset.phone.token.open_session(), name)
    async with opened_page(browser, has_script=has_script) as page:
        await page.goto(f"{handset.address}keys")
        await expect(page.get_by_role("link", name=name)).to_be_visible()
        await handset.ask(Caller((name,), Purpose.LOGIN, host=name), label=name, pc=name)
        if not has_script:
            await page.reload()
        sheet = page.get_by_role("dialog")
        await expect(sheet.get_by_role("heading", name=f"Log in to {name}")).to_be_visible()
        await expect(sheet.get_by_role("definition").filter(has_text=name)).to_have_count(
            3 + (len(name) <= PROGRAM_SIZE)
        )
        await expect(page.get_by_role("img", name="x")).to_have_count(0)
        assert await page.title() == f"Log in to {name} \u00b7 Test phone"


async def test_code_that_got_in_all_the_same_would_not_run(handset: Scene, browser: Browser) -> None:
    """The policy stands behind the escaping: what is written into the page by force is not obeyed."""
    async with opened_page(browser, may_complain=True) as page:
        await page.goto(handset.address)
        added = "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"document.title=`pwned`\">')"
        async with page.expect_console_message(lambda message: "Content Security Policy" in message.text):
            await page.evaluate(added)
        assert await page.title() == "Locked \u00b7 Test phone"
