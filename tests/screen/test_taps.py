"""What taps do, once and no more."""

import pytest

from fob_device.approval.questions import Decision, Operation, Question
from fob_device.settings import AS_AT_FIRST, Ask, KeySetting
from fob_device.token.token import TokenSession
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError
from support.screen_scene import LOGIN, PC_KEY, PIN, Scene
from support.token_bench import SO_PIN


async def test_the_right_pin_unlocks(scene: Scene) -> None:
    seen = await scene.unlock()
    assert (seen.status, seen.path, seen.redirects) == (200, "", 1)
    assert not scene.person.lock.is_locked


async def test_wrong_pins_are_counted_and_never_repeated(scene: Scene) -> None:
    seen = await scene.post("unlock", {"pin": "98127634"})
    assert seen.path == "unlock?wrong"
    assert "Wrong PIN, 2 tries left" in seen.words
    assert "98127634" not in seen.text
    assert "Wrong PIN, 1 try left, then the PIN is blocked" in (await scene.post("unlock", {"pin": "0000"})).words
    seen = await scene.post("unlock", {"pin": "0000"})
    assert "PIN blocked" in seen.words
    assert "--init-pin" in seen.words
    assert "PIN blocked" in (await scene.unlock()).words
    assert scene.person.lock.is_locked


async def test_a_pin_of_no_size_costs_no_try(scene: Scene) -> None:
    assert "A PIN has 4 to 64" in (await scene.post("unlock", {"pin": "1"})).words
    assert scene.person.lock.tries_left == 3


async def test_allow_once(scene: Scene) -> None:
    await scene.unlock()
    sheet = await scene.ask()
    seen = await scene.post(f"sheets/{sheet}", {"answer": "yes", "page": "keys"})
    assert (seen.status, seen.path) == (200, "keys")
    assert await scene.asked[0] == Decision(True)


async def test_deny(scene: Scene) -> None:
    await scene.unlock()
    await scene.post(f"sheets/{await scene.ask()}", {"answer": "no"})
    assert not (await scene.asked[0]).is_yes


async def test_allow_for_a_while(scene: Scene) -> None:
    await scene.unlock()
    await scene.post(f"sheets/{await scene.ask()}", {"remember": "3600"})
    assert await scene.asked[0] == Decision(True, 3600)


@pytest.mark.parametrize("fields", [{}, {"answer": "maybe"}, {"remember": "1"}, {"remember": "99999999"}])
async def test_an_answer_that_was_not_offered_is_none(scene: Scene, fields: dict[str, str]) -> None:
    await scene.unlock()
    seen = await scene.post(f"sheets/{await scene.ask()}", fields)
    assert seen.status == 400
    assert not scene.asked[0].done()


async def test_a_sheet_is_answered_once(scene: Scene) -> None:
    await scene.unlock()
    sheet = await scene.ask()
    await scene.post(f"sheets/{sheet}", {"answer": "no"})
    again = await scene.ask()
    for _ in range(2):
        seen = await scene.post(f"sheets/{sheet}", {"answer": "yes"})
        assert seen.path == "over"
        assert "This request is over" in seen.words
    assert not (await scene.asked[0]).is_yes
    assert not scene.asked[1].done()
    assert again != sheet


async def test_a_tap_on_a_question_that_was_withdrawn_does_nothing(scene: Scene) -> None:
    await scene.unlock()
    sheet = await scene.ask()
    scene.asked[0].cancel()
    assert "This request is over" in (await scene.post(f"sheets/{sheet}", {"answer": "yes"})).words


async def test_a_locked_phone_answers_nothing(scene: Scene) -> None:
    await scene.unlock()
    sheet = await scene.ask()
    await scene.post("lock")
    for path, fields in {
        f"sheets/{sheet}": {"answer": "yes"},
        f"keys/{scene.key}/setting": {"setting": "never"},
        f"computers/{PC_KEY.hex()}/unpair": {},
        "pairing": {"open": "yes"},
        "settings/auto-lock": {"seconds": "never"},
        "settings/pin": {"old": PIN, "new": "0000", "again": "0000"},
    }.items():
        assert (await scene.post(path, fields)).path == "unlock", path
    assert not scene.asked[0].done()
    assert scene.phone.settings.of_key(scene.key) == AS_AT_FIRST
    assert scene.phone.is_paired(PC_KEY)
    assert scene.person.lock.auto_lock == 300


async def test_a_key_s_setting(scene: Scene) -> None:
    await scene.unlock()
    seen = await scene.post(f"keys/{scene.key}/setting", {"setting": "once-300"})
    assert "Saved." in seen.words
    assert scene.phone.settings.of_key(scene.key) == KeySetting(Ask.ONCE, 300)
    assert (await scene.post(f"keys/{scene.key}/setting", {"setting": "sometimes"})).status == 400
    assert (await scene.post("keys/999/setting", {"setting": "never"})).status == 404
    assert scene.phone.settings.of_key(999) == AS_AT_FIRST


async def test_unpairing_asks_again(scene: Scene) -> None:
    await scene.unlock()
    seen = await scene.get(f"computers/{PC_KEY.hex()}/unpair")
    assert "Unpair 'me@pc'?" in seen.words
    assert scene.phone.is_paired(PC_KEY)
    seen = await scene.post(f"computers/{PC_KEY.hex()}/unpair")
    assert "The computer is unpaired." in seen.words
    assert not scene.phone.is_paired(PC_KEY)
    assert (await scene.post(f"computers/{PC_KEY.hex()}/unpair")).status == 404


async def test_pairing_is_opened_for_a_while(scene: Scene) -> None:
    assert not scene.person.pairing_open
    await scene.unlock()
    assert (
        "Pairing is open, and closes by itself. On the computer, type: fob pair"
        in (await scene.post("pairing", {"open": "yes"})).words
    )
    assert scene.person.pairing_open
    assert "Open pairing for 5 minutes" in (await scene.post("pairing", {"open": "no"})).words
    assert not scene.person.pairing_open


async def test_auto_lock(scene: Scene) -> None:
    await scene.unlock()
    assert "Saved." in (await scene.post("settings/auto-lock", {"seconds": "never"})).words
    assert scene.person.lock.auto_lock is None
    assert (await scene.post("settings/auto-lock", {"seconds": "1"})).status == 400


async def test_the_pin_is_changed(scene: Scene) -> None:
    await scene.unlock()
    seen = await scene.post("settings/pin", {"old": PIN, "new": "246824", "again": "246825"})
    assert "The new PINs were not equal." in seen.words
    seen = await scene.post("settings/pin", {"old": "111111", "new": "246824", "again": "246824"})
    assert "Wrong PIN, 2 tries left" in seen.words
    seen = await scene.post("settings/pin", {"old": PIN, "new": "1", "again": "1"})
    assert "A PIN has 4 to 64" in seen.words
    seen = await scene.post("settings/pin", {"old": PIN, "new": "246824", "again": "246824"})
    assert "The PIN is changed." in seen.words
    await scene.post("lock")
    await scene.post("unlock", {"pin": "246824"})
    assert not scene.person.lock.is_locked


async def test_a_pin_that_cannot_be_stored_is_not_called_wrong(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise CkrError(Ckr.DEVICE_MEMORY, "the disk is full")

    await scene.unlock()
    monkeypatch.setattr(TokenSession, "set_pin", fail)
    seen = await scene.post("settings/pin", {"old": PIN, "new": "246824", "again": "246824"})
    assert seen.status == 500
    assert "The phone failed Its memory says: the disk is full. Nothing has changed." in seen.words


async def test_the_settings_say_how_many_tries_are_left(scene: Scene) -> None:
    await scene.unlock()
    assert "Change the PIN 3 tries left." in (await scene.get("settings")).words
    for _ in range(2):
        await scene.post("settings/pin", {"old": "111111", "new": "246824", "again": "246824"})
    assert "Change the PIN 1 try left, then the PIN is blocked." in (await scene.get("settings")).words


async def test_grants_are_seen_and_revoked(scene: Scene) -> None:
    await scene.unlock()
    grants = scene.phone.grants_of(PC_KEY)
    assert grants is None
    desk = scene.desk()
    desk.grants.give(Question(Operation.SIGN, "work", "me@pc", LOGIN, scene.key), 3600)
    seen = await scene.get()
    assert "Log in to github.com with 'work' ssh <- git <- zsh on me@pc 1 hour left Revoke" in seen.words
    names = "Goes by the programs' names: whatever calls itself so on that computer may too."
    for page in ("", f"computers/{PC_KEY.hex()}"):
        assert names in (await scene.get(page)).words
    seen = await scene.post(f"computers/{PC_KEY.hex()}/grants/1/revoke", {"page": ""})
    assert "From now on it is asked again." in seen.words
    assert desk.grants.active() == []


async def test_the_workbench_needs_no_unlocking(scene: Scene) -> None:
    seen = await scene.post("workbench/battery", {"percent": "14", "page": "keys"})
    assert (seen.status, seen.path) == (200, "keys")
    assert scene.bench.report().battery.percent == 14
    await scene.post("workbench/slow", {"rate": "960"})
    assert scene.bench.report().ports[0].octets_per_second == 960
    await scene.post("workbench/damage", {"frames": "2", "direction": "to phone"})
    assert len(scene.bench.report().faults) == 2
    await scene.post("workbench/calm")
    assert scene.bench.report().faults == ()
    await scene.post("workbench/clock", {"seconds": "-60"})
    assert scene.bench.clock.shift == -60


@pytest.mark.parametrize(
    ("path", "fields"),
    [("battery", {"percent": "101"}), ("slow", {"rate": "1"}), ("slow", {"rate": "x"}), ("power", {"seconds": "-1"}),
     ("clock", {"seconds": "99999999999"})],
)  # fmt: skip
async def test_what_the_workbench_cannot_do_it_says(scene: Scene, path: str, fields: dict[str, str]) -> None:
    seen = await scene.post(f"workbench/{path}", fields)
    assert "Nothing was done." in seen.words
    assert "Nothing was done." not in (await scene.post("workbench/calm")).words


@pytest.mark.parametrize("page", ["//evil.example", "https://evil.example", "../x", "keys?x", "\r\nSet-Cookie: a"])
async def test_a_form_leads_nowhere_else(scene: Scene, page: str) -> None:
    seen = await scene.post("workbench/calm", {"page": page})
    assert (seen.status, seen.redirects) == (400, 0)


async def test_a_phone_without_a_pin_says_so(scene: Scene) -> None:
    scene.phone.token.init_token(SO_PIN, "anew")
    words = (await scene.get("unlock")).words
    assert "No PIN yet" in words
    assert "No PIN is set." in words
    assert "PIN blocked" not in words
