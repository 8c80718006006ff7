"""What the pages say, as the phone's person reads them."""

import pytest

from fob_device.approval.askers import Asker
from fob_device.pad.entry import PinEntry, PinUse
from fob_device.screen.sheets import ApprovalSheet
from fob_device.screen.web.door import HEADERS
from fob_device.settings import Ask, KeySetting
from fob_protocol.caller import Caller, Purpose
from fob_protocol.history.entry import computer_id, fingerprint
from fob_protocol.names import plain_name
from fob_protocol.pkcs11.constants import Cku
from support.screen_scene import COMMIT, FORWARDED, LOGIN, PC_KEY, PIN, Scene, make_key

SCRIPT = "<script>alert(1)</script>"
QUOTED = '"><img src=x onerror=alert(1)>'


async def test_a_locked_phone_shows_the_time_and_nothing_else(scene: Scene) -> None:
    for path in ("", "keys", f"keys/{scene.key}", "computers", "history", "settings"):
        seen = await scene.get(path)
        assert "Locked, 12:00 Monday, 8 June" in seen.words
        assert "Keys" not in seen.words
        assert "me@pc" not in seen.words


async def test_a_locked_phone_says_that_something_waits_and_not_what(scene: Scene) -> None:
    await scene.unlock()
    await scene.ask()
    assert "Log in to github.com" in (await scene.get()).words
    await scene.post("lock")
    seen = await scene.get()
    assert "github.com" not in seen.text
    assert "Allow" not in seen.words


async def test_the_unlocked_phone_lists_keys_with_what_a_person_compares(scene: Scene) -> None:
    await scene.unlock()
    assert "Private keys work P-256 always asks" in (await scene.get("keys")).words
    page = (await scene.get(f"keys/{scene.key}")).words
    for words in (
        "Always ask",
        "Once per 5 minutes",
        "Never ask",
        "SSH fingerprint SHA256:",
        "ecdsa-sha2-nistp256 AAAA",
    ):
        assert words in page
    assert "-----BEGIN PUBLIC KEY-----" in page


@pytest.mark.parametrize(
    ("setting", "words"),
    [(KeySetting(Ask.ONCE, 300), "once per 5 minutes"), (KeySetting(Ask.ONCE, 3600), "once per hour"),
     (KeySetting(Ask.NEVER), "never asks")],
)  # fmt: skip
async def test_a_key_s_setting_stands_in_the_list(scene: Scene, setting: KeySetting, words: str) -> None:
    await scene.unlock()
    scene.phone.set_key_setting(scene.key, setting)
    assert f"work P-256 {words}" in (await scene.get("keys")).words


async def test_computers_have_a_name_a_day_and_a_fingerprint(scene: Scene) -> None:
    await scene.unlock()
    assert "me@pc Paired 8 June 2026" in (await scene.get("computers")).words
    page = (await scene.get(f"computers/{PC_KEY.hex()}")).words
    assert "Connected Not connected" in page
    assert f"Its key's fingerprint {fingerprint(computer_id(PC_KEY))}" in page


@pytest.mark.parametrize(
    ("caller", "title", "facts"),
    [
        (LOGIN, "Log in to github.com", "Program ssh git zsh Computer me@pc Key work Host github.com"),
        (COMMIT, "Sign a git commit", "Program ssh-keygen git zsh Computer me@pc Key work Namespace git"),
        (Caller(), "Sign with 'work'", "Program unknown Computer me@pc Key work"),
        (Caller(("curl",), Purpose.TLS_CLIENT), "Log in as a TLS client", "Program curl Computer me@pc Key work"),
    ],
)
async def test_a_sheet_says_what_in_large_words_and_who_below(
    scene: Scene, caller: Caller, title: str, facts: str
) -> None:
    await scene.unlock()
    await scene.ask(caller)
    seen = await scene.get("keys")
    assert f"60 left {title} {facts} Allow once" in seen.words
    assert 'role="dialog"' in seen.text
    # What lies behind it is out of reach of the keyboard.
    assert 'data-part="view" inert' in seen.text


async def test_what_can_be_remembered_is_offered_and_nothing_else(scene: Scene) -> None:
    await scene.unlock()
    await scene.ask()
    assert "Allow for 5 min 1 hour 8 hours Deny" in (await scene.get()).words


async def test_a_plain_yes_says_how_long_it_holds_by_the_key_s_setting(scene: Scene) -> None:
    await scene.unlock()
    scene.phone.set_key_setting(scene.key, KeySetting(Ask.ONCE, 300))
    await scene.ask()
    assert "Allow for 5 minutes Allow for 1 hour 8 hours Deny" in (await scene.get()).words
    await scene.ask(FORWARDED)
    await scene.post(f"sheets/{next(iter(scene.person.sheets)).id}", {"answer": "no"})
    assert "Allow once Deny" in (await scene.get()).words


async def test_a_window_in_the_background_says_what_waits(scene: Scene) -> None:
    await scene.unlock()
    await scene.ask()
    assert "<title>Log in to github.com \u00b7 Test phone</title>" in (await scene.get("keys")).text


async def test_forwarded_requests_are_marked_loudly_and_never_remembered(scene: Scene) -> None:
    await scene.unlock()
    await scene.ask(FORWARDED)
    seen = await scene.get()
    assert "Forwarded from another machine." in seen.words
    assert "Allow for" not in seen.words


async def test_a_burst_is_one_sheet_with_its_count(scene: Scene) -> None:
    await scene.unlock()
    await scene.ask()
    [sheet] = scene.person.sheets
    assert isinstance(sheet, ApprovalSheet)
    for _ in range(3):
        sheet.prompt.askers.join(Asker())
    assert "Signature 4 times" in (await scene.get()).words


async def test_a_sheet_says_that_the_computer_is_away(scene: Scene) -> None:
    await scene.unlock()
    asker = Asker()
    await scene.ask(asker=asker)
    away = "Away The computer is away; your answer counts if it is back soon"
    assert away not in (await scene.get()).words
    asker.leave()
    assert away in (await scene.get()).words
    [sheet] = scene.person.sheets
    assert isinstance(sheet, ApprovalSheet)
    sheet.prompt.askers.join(Asker())
    assert away not in (await scene.get()).words, "somebody is there"


async def test_the_oldest_sheet_is_on_top(scene: Scene) -> None:
    await scene.unlock()
    for caller in (LOGIN, COMMIT, FORWARDED):
        await scene.ask(caller)
    seen = await scene.get()
    assert "Log in to github.com" in seen.words
    assert "2 more requests wait behind this one" in seen.words


async def test_what_waits_behind_a_sheet_is_counted_in_requests(scene: Scene) -> None:
    await scene.unlock()
    for caller in (LOGIN, COMMIT, FORWARDED):
        await scene.ask(caller)
    for sheet in scene.person.sheets:
        assert isinstance(sheet, ApprovalSheet)
        for _ in range(29):
            sheet.prompt.askers.join(Asker())
    assert "60 more requests wait behind this one" in (await scene.get()).words


@pytest.mark.parametrize("name", [SCRIPT, QUOTED, "{{ 7*7 }}", "a\u202eb\x1b[31m"])
async def test_names_from_outside_are_text_and_nothing_else(scene: Scene, name: str) -> None:
    """A key's label, a program, a host and a computer are called something that a browser could obey."""
    await scene.unlock()
    make_key(scene.phone.token.open_session(), name)
    scene.phone.pair(PC_KEY, name)
    caller = Caller((name[:32], "zsh"), Purpose.LOGIN, host=name)
    await scene.ask(caller, label=name, pc=name)
    for path in ("", "keys", "computers", f"computers/{PC_KEY.hex()}", f"keys/{scene.key + 2}"):
        seen = await scene.get(path)
        assert seen.status == 200
        for bad in ("<script>", "<img", "\u202e", "\x1b"):
            assert bad not in seen.text
    assert plain_name(name) in seen.words


async def test_every_answer_has_the_headers(scene: Scene) -> None:
    answers = [await scene.get(), await scene.get("static/theme.css"), await scene.get("nope")]
    answers += [await scene.post("lock"), await scene.post("lock", Origin="http://evil.example")]
    async with scene.http.get(scene.origin + "/") as response:
        assert {name: response.headers[name] for name in HEADERS} == HEADERS
    for seen in answers:
        assert {name: seen.headers[name] for name in HEADERS} == HEADERS


async def test_looking_again_by_itself_is_no_tap(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    await scene.unlock()
    touched: list[str] = []
    monkeypatch.setattr(scene.person.lock, "touch", lambda: touched.append("touch"))
    await scene.get("keys", **{"Fob-Refresh": "1"})
    await scene.get("keys?again")
    assert touched == []
    await scene.get("keys")
    assert touched == ["touch"]


async def test_a_page_works_without_the_script(scene: Scene) -> None:
    """Every change is a form, and pages where nothing is typed look again by themselves."""
    assert '<noscript><meta http-equiv="refresh"' in (await scene.get()).text
    assert "http-equiv" not in (await scene.get("unlock")).text
    await scene.unlock()
    assert "http-equiv" not in (await scene.get("settings/pin")).text


async def test_a_phone_without_power_is_dark(scene: Scene) -> None:
    await scene.unlock()
    scene.bench.cut_power(60)
    seen = await scene.get("keys")
    assert "The phone is off" in seen.words
    assert "Keys" not in seen.words
    assert (await scene.post("unlock", {"pin": "123456"})).status == 200


async def test_nothing_stands_at_other_addresses(scene: Scene) -> None:
    await scene.unlock()
    for path in (
        "nope",
        "keys/99",
        "keys/x",
        f"computers/{'0' * 64}",
        "sheets/",
        "static/",
        "static/../door.py",
        "keys/",
    ):
        assert (await scene.get(path)).status == 404, path


async def test_time_and_battery_are_those_of_the_workbench(scene: Scene) -> None:
    scene.bench.set_battery(14, True)
    scene.bench.shift_clock(3600)
    seen = await scene.get()
    assert "Locked, 13:00" in seen.words
    assert 'aria-label="Battery 14 percent, charging"' in seen.text


async def test_why_it_is_asked_again(scene: Scene) -> None:
    await scene.unlock()
    await scene.ask()
    [sheet] = scene.person.sheets
    assert isinstance(sheet, ApprovalSheet)
    sheet.prompt.again = "the permission ended 2 min ago"
    assert "Host github.com Asked again The permission ended 2 min ago Allow once" in (await scene.get()).words


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (
            PinEntry(PinUse.KEY, Cku.USER, "me@pc", LOGIN, "mail"),
            "me@pc asks for a PIN 60 left Type the PIN To log in to github.com with 'mail' for ssh <- git",
        ),
        (PinEntry(PinUse.KEY, Cku.USER, "me@pc", FORWARDED, "mail"), "Forwarded from another machine."),
        (PinEntry(PinUse.ERASE, Cku.SO, "me@pc", new_label="x"), "Every key on this phone will be gone."),
        (PinEntry(PinUse.RESET, Cku.USER, "me@pc", is_new=True), "Type a new PIN To replace a forgotten one for me@pc"),
    ],
)
async def test_a_sheet_that_asks_for_a_pin_says_what_for(scene: Scene, entry: PinEntry, words: str) -> None:
    await scene.unlock()
    typed = await scene.ask_pin(entry)
    seen = await scene.get("keys")
    assert words in seen.words
    sheet = next(iter(scene.person.sheets))
    assert (await scene.post(f"sheets/{sheet.id}/pin", {"pin": "98127634", "page": "keys"})).path == "keys"
    seen = await scene.get("keys")
    assert f"Wrong PIN, {9 if entry.user is Cku.SO else 2} tries left" in seen.words
    assert "98127634" not in seen.text
    await scene.post(f"sheets/{sheet.id}/pin", {"pin": PIN})
    assert await typed == PIN.encode()


async def test_whoever_gives_up_types_no_pin(scene: Scene) -> None:
    await scene.unlock()
    typed = await scene.ask_pin(PinEntry(PinUse.KEY, Cku.USER, "me@pc"))
    sheet = next(iter(scene.person.sheets))
    await scene.post(f"sheets/{sheet.id}/give-up")
    assert await typed is None
    assert "This request is over" in (await scene.post(f"sheets/{sheet.id}/pin", {"pin": PIN})).words
