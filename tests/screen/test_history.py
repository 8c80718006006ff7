"""The history on the phone's screen."""

import asyncio

import pytest

from fob_device.approval.questions import Operation, Question
from fob_device.screen.web.limits import HISTORY_PAGE
from fob_protocol.caller import Caller, Purpose
from fob_protocol.history.entry import By, Entry, Kind, Outcome, Use, computer_id, fingerprint, marked_name
from support.screen_scene import COMMIT, LOGIN, PC_KEY, Scene

SIGNED = Entry(
    Kind.USE,
    Outcome.APPROVED,
    By.TAP,
    pc_name="me@pc",
    caller=LOGIN,
    use=Use.SIGN,
    key_label="work",
    computer=computer_id(PC_KEY),
)


async def test_what_happened_is_told_newest_first(scene: Scene) -> None:
    await scene.unlock()
    seen = await scene.get("history")
    order = [seen.words.index(words) for words in ("Unlocked", "Paired me@pc", "Key made 'work'", "Login")]
    assert order == sorted(order)
    assert seen.words.index("Today") < order[0]


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (SIGNED, "Log in to github.com with 'work' ssh <- git <- zsh on me@pc Allowed by a tap 12:00"),
        (
            Entry(Kind.USE, Outcome.REFUSED, By.TAP, pc_name="me@pc", caller=COMMIT, use=Use.SIGN, key_label="git"),
            "Sign a git commit with 'git' ssh-keygen <- git <- zsh on me@pc Denied by a tap",
        ),
        (
            Entry(Kind.USE, Outcome.OUT_OF_TIME, pc_name="me@pc", use=Use.DECRYPT, key_label="mail"),
            "Decrypt with 'mail' me@pc Nobody answered",
        ),
        (
            Entry(
                Kind.USE, Outcome.APPROVED, By.GRANT, pc_name="me@pc", use=Use.SIGN, key_label="work",
                caller=Caller(("ssh",), Purpose.LOGIN, host="SHA256:abcd"),
            ),
            "Log in to an unknown host with 'work' ssh on me@pc Allowed before, for a while",
        ),
        (Entry(Kind.WRONG_PIN, words="user, tries left: 2"), "Wrong PIN user, tries left: 2"),
        (Entry(Kind.UNKNOWN), "Something that this version does not know"),
    ],
)  # fmt: skip
async def test_entries_in_words(scene: Scene, entry: Entry, words: str) -> None:
    await scene.unlock()
    await scene.phone.history.note(entry)
    assert words in (await scene.get("history")).words


async def test_every_kind_has_a_look(scene: Scene) -> None:
    await scene.unlock()
    for kind in set(Kind) - {Kind.UNKNOWN, Kind.USE}:
        await scene.phone.history.note(Entry(kind))
    assert "does not know" not in (await scene.get("history")).words


async def test_a_script_in_a_name_is_text(scene: Scene) -> None:
    await scene.unlock()
    name = "<script>alert(1)</script>"
    await scene.phone.history.note(Entry(Kind.PAIRED, pc_name=name, key_label=name, words=name))
    assert "<script>alert" not in (await scene.get("history")).text


async def test_the_last_uses_stand_on_the_first_page(scene: Scene) -> None:
    await scene.unlock()
    assert "Last used" not in (await scene.get()).words
    await scene.phone.history.note(SIGNED)
    assert "Last used Log in to github.com with 'work'" in (await scene.get()).words


async def test_older_entries_stand_on_pages_of_their_own(scene: Scene) -> None:
    await scene.unlock()
    notes = [
        scene.phone.history.note(Entry(Kind.LOGIN, words=f"login {number}.")) for number in range(HISTORY_PAGE + 5)
    ]
    await asyncio.gather(*notes)
    first = await scene.get("history")
    assert "login 54." in first.words
    assert "login 4." not in first.words
    below = first.text.split("history?before=")[1].split('"')[0]
    older = await scene.get(f"history?before={below}")
    assert "login 4." in older.words
    assert "login 5." not in older.words
    assert "Key made" in older.words
    assert "before=" not in older.text
    assert (await scene.get("history?before=x")).status == 404


async def test_an_entry_that_was_altered_says_so(scene: Scene) -> None:
    await scene.unlock()
    await scene.phone.history.note(SIGNED)
    database = scene.phone.memory.token._database
    with database.transaction() as connection:
        connection.execute(
            "UPDATE history SET details = zeroblob(8) WHERE sequence = (SELECT MAX(sequence) FROM history)"
        )
    seen = await scene.get("history")
    assert "Altered This entry was altered Somebody changed the phone's file." in seen.words
    assert "github.com" not in seen.words


async def test_a_new_entry_changes_the_page_that_is_open(scene: Scene) -> None:
    heard = asyncio.Event()
    scene.shown.on_change.add(heard.set)
    await scene.phone.history.note(SIGNED)
    async with asyncio.timeout(5):
        await heard.wait()


async def test_computers_of_one_name_are_told_apart_by_their_fingerprints(scene: Scene) -> None:
    await scene.unlock()
    other = bytes(32)
    assert scene.phone.pairings.shown_name(PC_KEY) == "me@pc"
    scene.phone.pair(other, "me@pc")
    marks = {key: f"me@pc ({fingerprint(computer_id(key))[:8]})" for key in (PC_KEY, other)}
    assert {key: scene.phone.pairings.shown_name(key) for key in marks} == marks
    for key, mark in marks.items():
        assert f"Paired {mark}" in (await scene.get("history")).words
        assert mark in (await scene.get("computers")).words
        assert f"Its key's fingerprint {mark[7:15]}" in (await scene.get(f"computers/{key.hex()}")).words
    scene.desk().grants.give(Question(Operation.SIGN, "work", "me@pc", LOGIN, scene.key, PC_KEY), 3600)
    assert f"ssh <- git <- zsh on {marks[PC_KEY]}" in (await scene.get()).words


async def test_a_long_name_leaves_room_for_the_fingerprint(scene: Scene) -> None:
    for key in (bytes(32), bytes(31) + b"\1"):
        scene.phone.pair(key, "x" * 64)
        scene.phone.pairings.shown_name(key)
    shown = scene.phone.pairings.shown_name(bytes(32))
    assert (len(shown), shown[-11:]) == (64, f" ({fingerprint(computer_id(bytes(32)))[:8]})")


async def test_an_entry_of_a_computer_that_is_not_paired_any_more_is_not_taken_for_its_namesake(scene: Scene) -> None:
    await scene.unlock()
    await scene.phone.history.note(SIGNED)
    assert "ssh <- git <- zsh on me@pc Allowed" in (await scene.get("history")).words
    scene.phone.unpair_computer(PC_KEY)
    scene.phone.pair(bytes(32), "me@pc")
    words = (await scene.get("history")).words
    gone = marked_name("me@pc", computer_id(PC_KEY))
    assert "Paired me@pc 12:00" in words
    assert f"Unpaired {gone} 12:00" in words
    assert f"ssh <- git <- zsh on {gone} Allowed" in words
