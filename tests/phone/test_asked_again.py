"""What is asked again although it was allowed says why, on the screen and at the PC; and the PC hears of grants."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from fob_device.approval.again import FORWARDED, OTHER_HOST, OTHER_PROGRAMS, TOLD_FOR
from fob_device.approval.grants import Grants
from fob_device.approval.questions import Operation, Question
from fob_device.approval.rules import Rule, Rules
from fob_device.approval.words import WORDS_SIZE
from fob_protocol import catalogue
from fob_protocol.at.answer import Event, encode_event
from fob_protocol.at.values import Values
from fob_protocol.caller import GRANTS_LIMIT, Caller, Purpose
from fob_protocol.catalogue import EVENT_ASK, EVENT_GRANTED, EVENT_REVOKED
from fob_protocol.limits import FRAME_LIMIT
from support.token_bench import Clock
from support.virtual_loop import run_virtually
from support.world import World

SSH = Caller(("ssh", "zsh"), Purpose.LOGIN, host="github.com")
LOGIN = Question(Operation.SIGN, "work", "me@pc", SSH, 3)
WORDS = "log in to github.com with 'work' for ssh <- zsh on me@pc"
REMEMBERING = Rules((Rule(after=1.0, remember=300.0),))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def told() -> list[Event]:
    return []


@pytest.fixture
def grants(clock: Clock, told: list[Event]) -> Grants:
    return Grants(clock, announce=told.append)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "the permission ended just now"),
        (59, "the permission ended 59 s ago"),
        (125, "the permission ended 2 min ago"),
        (TOLD_FOR, "the permission ended 60 min ago"),
        (TOLD_FOR + 1, ""),
    ],
)
def test_a_permission_that_ended(grants: Grants, clock: Clock, seconds: float, words: str) -> None:
    grants.give(LOGIN, 300)
    clock.now += 300 + seconds
    assert grants.why_again(LOGIN) == words
    assert grants.why_again(replace(LOGIN, key=4)) == ""


def test_a_permission_that_was_taken_back(grants: Grants, clock: Clock) -> None:
    for revoke in (lambda: grants.revoke(1), grants.revoke_all, lambda: grants.revoke_key(3)):
        grants.give(LOGIN, 300)
        revoke()
        clock.now += 20
        assert grants.why_again(LOGIN) in ("the permission was taken back 20 s ago", "")
    assert grants.why_again(LOGIN) == "the permission was taken back 20 s ago"


@pytest.mark.parametrize(
    ("question", "words"),
    [
        (replace(LOGIN, caller=replace(SSH, host="gitlab.com")), OTHER_HOST),
        (replace(LOGIN, caller=replace(SSH, host="")), OTHER_HOST),
        (replace(LOGIN, caller=replace(SSH, programs=("ssh", "git", "zsh"))), OTHER_PROGRAMS),
        (replace(LOGIN, caller=replace(SSH, is_forwarded=True)), FORWARDED),
        (replace(LOGIN, caller=replace(SSH, host="gitlab.com", is_forwarded=True)), ""),
        (replace(LOGIN, caller=replace(SSH, purpose=Purpose.UNKNOWN)), ""),
        (replace(LOGIN, key=4), ""),
        (replace(LOGIN, operation=Operation.DECRYPT), ""),
    ],
)
def test_a_permission_for_almost_the_same(grants: Grants, question: Question, words: str) -> None:
    assert grants.why_again(question) == ""
    grants.give(LOGIN, 300)
    assert grants.why_again(question) == words


def test_no_more_is_remembered_than_of_grants(grants: Grants, clock: Clock) -> None:
    for key in range(GRANTS_LIMIT + 1):
        grants.give(replace(LOGIN, key=key), 300)
        grants.revoke_all()
    assert [key for key in range(GRANTS_LIMIT + 1) if not grants.why_again(replace(LOGIN, key=key))] == [0]


def test_the_computer_is_told_of_each_grant_and_of_each_that_ends_early(
    grants: Grants, clock: Clock, told: list[Event]
) -> None:
    grants.give(LOGIN, 300)
    assert told == [Event(EVENT_GRANTED, (1, 300, WORDS))]
    clock.now += 100
    grants.give(LOGIN, 300)
    assert told[1:] == [Event(EVENT_REVOKED, (1,)), Event(EVENT_GRANTED, (2, 300, WORDS))]
    grants.give(replace(LOGIN, key=9), 300)
    told.clear()
    assert grants.revoke(2)
    assert not grants.revoke(2)
    grants.revoke_key(8)
    grants.revoke_key(9)
    grants.revoke_all()
    assert told == [Event(EVENT_REVOKED, (2,)), Event(EVENT_REVOKED, (3,))], "what is not there does not end"
    grants.give(LOGIN, 300)
    grants.revoke_all()
    assert told[2:] == [Event(EVENT_GRANTED, (4, 300, WORDS)), Event(EVENT_REVOKED, (0,))]


def test_one_that_gives_way_for_want_of_room_is_told(grants: Grants, told: list[Event]) -> None:
    for key in range(GRANTS_LIMIT):
        grants.give(replace(LOGIN, key=key), 100 if key == 7 else 300)
    told.clear()
    grants.give(replace(LOGIN, key=GRANTS_LIMIT), 300)
    assert [(event.name, event.values[0]) for event in told] == [(EVENT_REVOKED, 8), (EVENT_GRANTED, GRANTS_LIMIT + 1)]


def test_the_longest_words_fit_a_frame(grants: Grants, told: list[Event]) -> None:
    caller = Caller(("\U0001f600" * 32,) * 8, Purpose.LOGIN, "\U0001f600" * 255)
    grants.give(Question(Operation.SIGN, "\U0001f600" * 255, "\U0001f600" * 64, caller, 2**32), 43_200)
    assert WORDS_SIZE < len(encode_event(told[0])) < FRAME_LIMIT - 40


class Computer:
    """A PC at a phone whose person takes a second and remembers a yes for five minutes."""

    def __init__(self, world: World, key: int) -> None:
        self.world = world
        self.key = key
        self.heard: list[tuple[str, Values]] = []
        world.manager.subscribe(lambda event: self.heard.append((event.name, event.values)))

    async def sign(self, caller: Caller) -> None:
        command = catalogue.SIGN.build(self.key, None, bytes(32), None, 0, caller.to_block())
        (await self.world.manager.request(command, timeout=30)).raise_for_ckr()

    async def revoke(self, number: int) -> None:
        (await self.world.manager.request(catalogue.REVOKE.build(number), timeout=30)).raise_for_ckr()

    def asked(self) -> list[str]:
        return [str(values[1]) for name, values in self.heard if name == EVENT_ASK]


def test_the_pc_hears_of_the_grant_and_why_it_is_asked_again(tmp_path: Path) -> None:
    async def story() -> None:
        world = await World.paired(tmp_path, 1, REMEMBERING)
        pc = Computer(world, await world.new_key(b"work"))
        pc.heard.clear()
        await pc.sign(SSH)
        await world.until(lambda: len(pc.heard) == 2)
        assert [name for name, _ in pc.heard] == [EVENT_ASK, EVENT_GRANTED]
        assert pc.heard[1][1] == (1, 300, WORDS)
        await pc.sign(replace(SSH, host="gitlab.com"))
        await asyncio.sleep(420)
        await pc.sign(SSH)
        await pc.revoke(3)
        await world.until(lambda: pc.heard[-1][0] == EVENT_REVOKED)
        assert pc.heard[-1] == (EVENT_REVOKED, (3,))
        await pc.sign(SSH)
        assert pc.asked() == [
            WORDS,
            f"{WORDS.replace('github', 'gitlab')} (asked again: {OTHER_HOST})",
            f"{WORDS} (asked again: the permission ended 2 min ago)",
            f"{WORDS} (asked again: the permission was taken back just now)",
        ]
        await world.close()

    run_virtually(story())


def test_a_new_session_of_the_same_pc_hears_of_grants(tmp_path: Path) -> None:
    async def story() -> None:
        world = await World.paired(tmp_path, 1, REMEMBERING)
        pc = Computer(world, await world.new_key(b"work"))
        await pc.sign(SSH)
        await world.reconnect()
        pc.heard.clear()
        await pc.revoke(0)
        await world.until(lambda: bool(pc.heard))
        assert pc.heard == [(EVENT_REVOKED, (0,))]
        await world.close()

    run_virtually(story())
