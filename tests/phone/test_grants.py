"""What was allowed for a while: its scope, its end, and how it is seen and taken back."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from fob_device.approval.desk import ApprovalDesk
from fob_device.approval.grants import Grants
from fob_device.approval.questions import Operation, Question
from fob_device.approval.rules import Rule, Rules
from fob_device.security.manager import SecurityManager
from fob_protocol import catalogue
from fob_protocol.at.answer import Answer, Event, encode_answer
from fob_protocol.at.values import Value, Values
from fob_protocol.caller import GRANTS_LIMIT, Caller, Purpose
from fob_protocol.limits import TEXT_LIMIT
from fob_protocol.pkcs11.ckr import Ckr
from support.token_bench import USER_PIN, Bench, Clock, make_ec
from support.virtual_loop import run_virtually
from support.world import World

SSH = Caller(("ssh", "zsh"), Purpose.LOGIN, host="github.com")
GIT = Caller(("ssh-keygen", "git", "zsh"), Purpose.SIGNATURE, namespace="git")
LOGIN = Question(Operation.SIGN, "work", "me@pc", SSH, 3)
DIGEST = bytes(32)
REMEMBERING = Rules((Rule(after=1.0, remember=300.0),))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def grants(clock: Clock) -> Grants:
    return Grants(clock)


def test_a_yes_holds_for_its_time_and_not_a_moment_longer(grants: Grants, clock: Clock) -> None:
    assert not grants.cover(LOGIN)
    grants.give(LOGIN, 300)
    clock.now += 299.5
    assert grants.cover(LOGIN)
    assert [grants.seconds_left(grant) for grant in grants.active()] == [1]
    clock.now += 0.5
    assert not grants.cover(LOGIN)
    assert grants.active() == []


@pytest.mark.parametrize(
    "other",
    [
        replace(LOGIN, operation=Operation.DECRYPT),
        replace(LOGIN, key=4),
        replace(LOGIN, key_label="other"),
        replace(LOGIN, caller=replace(SSH, host="gitlab.com")),
        replace(LOGIN, caller=replace(SSH, programs=("ssh",))),
        replace(LOGIN, caller=replace(SSH, programs=("ssh", "git", "zsh"))),
        replace(LOGIN, caller=replace(SSH, purpose=Purpose.UNKNOWN)),
        replace(LOGIN, caller=replace(SSH, is_forwarded=True)),
        replace(LOGIN, caller=GIT),
    ],
)
def test_a_yes_is_for_one_program_chain_key_operation_and_host(grants: Grants, other: Question) -> None:
    grants.give(LOGIN, 300)
    assert not grants.cover(other)
    assert grants.cover(LOGIN)


@pytest.mark.parametrize("caller", [replace(SSH, is_forwarded=True), replace(SSH, programs=())])
def test_a_forwarded_request_and_one_of_unknown_programs_are_never_remembered(grants: Grants, caller: Caller) -> None:
    question = replace(LOGIN, caller=caller)
    grants.give(question, 300)
    assert not grants.cover(question)


def test_a_new_yes_to_the_same_takes_the_place_of_the_old_one(grants: Grants, clock: Clock) -> None:
    grants.give(LOGIN, 300)
    clock.now += 200
    grants.give(LOGIN, 300)
    assert [(grant.number, grants.seconds_left(grant)) for grant in grants.active()] == [(2, 300)]


def test_the_grant_that_ends_soonest_gives_way_when_there_are_too_many(grants: Grants) -> None:
    questions = [replace(LOGIN, key=key) for key in range(GRANTS_LIMIT + 1)]
    for question in questions:
        grants.give(question, 100 if question.key == 7 else 300)
    assert len(grants.active()) == GRANTS_LIMIT
    assert [question.key for question in questions if not grants.cover(question)] == [7]


def test_one_is_revoked_by_its_number_and_all_at_once(grants: Grants) -> None:
    for key in (1, 2, 3):
        grants.give(replace(LOGIN, key=key), 300)
    assert grants.revoke(2)
    assert not grants.revoke(2)
    assert [grant.number for grant in grants.active()] == [1, 3]
    grants.revoke_all()
    assert grants.active() == []


class Computer:
    """A PC at a phone whose person takes a second and remembers a yes for five minutes."""

    def __init__(self, world: World, key: int) -> None:
        self.world = world
        self.key = key
        self.questions: list[Value] = []
        world.manager.subscribe(self._hear)

    async def sign(self, caller: Caller) -> int:
        command = catalogue.SIGN.build(self.key, None, DIGEST, None, 0, caller.to_block())
        return (await self.world.manager.request(command, timeout=30)).ckr

    async def grants(self) -> tuple[Values, ...]:
        answer = await self.world.manager.request(catalogue.GRANTS.build(), timeout=5)
        answer.raise_for_ckr()
        return answer.lines

    async def revoke(self, number: int) -> Answer:
        return await self.world.manager.request(catalogue.REVOKE.build(number), timeout=5)

    def _hear(self, event: Event) -> None:
        if event.name == catalogue.EVENT_ASK:
            self.questions.append(event.values[1])


async def at_the_pc(folder: Path) -> tuple[World, Computer]:
    world = await World.paired(folder, 1, REMEMBERING)
    return world, Computer(world, await world.new_key(b"work"))


def test_the_same_is_not_asked_again_until_its_time_is_over(tmp_path: Path) -> None:
    async def story() -> None:
        world, pc = await at_the_pc(tmp_path)
        for _ in range(3):
            assert await pc.sign(SSH) == Ckr.OK
        assert len(pc.questions) == 1
        await asyncio.sleep(301)
        assert await pc.sign(SSH) == Ckr.OK
        assert len(pc.questions) == 2
        await world.close()

    run_virtually(story())


def test_a_forwarded_request_asks_always(tmp_path: Path) -> None:
    async def story() -> None:
        world, pc = await at_the_pc(tmp_path)
        for _ in range(3):
            assert await pc.sign(replace(SSH, is_forwarded=True)) == Ckr.OK
        assert (len(pc.questions), await pc.grants()) == (3, ())
        await world.close()

    run_virtually(story())


def test_the_pc_sees_what_was_granted_and_takes_it_back(tmp_path: Path) -> None:
    async def story() -> None:
        world, pc = await at_the_pc(tmp_path)
        assert await pc.grants() == ()
        await pc.sign(SSH)
        await asyncio.sleep(100)
        await pc.sign(GIT)
        assert await pc.grants() == (
            (1, 199, "log in to github.com with 'work' for ssh <- zsh on me@pc"),
            (2, 300, "sign a git commit with 'work' for ssh-keygen <- git <- zsh on me@pc"),
        )
        assert (await pc.revoke(1)).ckr == Ckr.OK
        assert [line[0] for line in await pc.grants()] == [2]
        pc.questions.clear()
        await pc.sign(GIT)
        await pc.sign(SSH)
        assert len(pc.questions) == 1
        assert [line[0] for line in await pc.grants()] == [2, 3]
        assert (await pc.revoke(0)).ckr == Ckr.OK
        assert await pc.grants() == ()
        await world.close()

    run_virtually(story())


def test_a_grant_that_is_not_there_is_named(tmp_path: Path) -> None:
    async def story() -> None:
        world, pc = await at_the_pc(tmp_path)
        answer = await pc.revoke(7)
        assert (answer.ckr, answer.words) == (Ckr.ARGUMENTS_BAD, "no grant 7")
        await world.close()

    run_virtually(story())


def test_grants_outlive_a_broken_link_and_end_with_the_phone_and_with_a_new_pairing(tmp_path: Path) -> None:
    async def story() -> None:
        world, pc = await at_the_pc(tmp_path)
        await pc.sign(SSH)
        await world.reconnect()
        assert len(await pc.grants()) == 1
        world.restart_phone()
        await world.until(lambda: world.manager.greeting is None)
        await world.until(lambda: world.manager.greeting is not None)
        assert await pc.grants() == ()
        await world.login()
        await pc.sign(SSH)
        assert len(await pc.grants()) == 1
        await world.disconnect()
        await world.pair()
        world.link = world.new_link()
        running = asyncio.get_running_loop().create_task(world.link.run())
        await world.until(lambda: world.manager.greeting is not None)
        assert await pc.grants() == ()
        running.cancel()
        await world.close()

    run_virtually(story())


async def test_each_pc_sees_and_revokes_its_own(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "token.db")
    session = bench.user()
    _, private = make_ec(session)
    desk, laptop = (SecurityManager(bench.token, Rules((Rule(remember=300.0),)), pc_name="me@pc") for _ in range(2))
    for pc in (desk, laptop):
        assert (await pc.execute(catalogue.LOGIN_USER.build(1, USER_PIN))).ckr == Ckr.OK
    sign = catalogue.SIGN.build(private.handle, None, DIGEST, None, 0, SSH.to_block())
    assert (await desk.execute(sign)).ckr == Ckr.OK
    assert len((await desk.execute(catalogue.GRANTS.build())).lines) == 1
    assert (await laptop.execute(catalogue.GRANTS.build())).lines == ()
    assert (await laptop.execute(catalogue.REVOKE.build(1))).ckr == Ckr.ARGUMENTS_BAD
    assert (await laptop.execute(catalogue.REVOKE.build(0))).ckr == Ckr.OK
    assert len((await desk.execute(catalogue.GRANTS.build())).lines) == 1
    bench.token.close()


async def test_the_longest_list_of_grants_fits_an_answer(tmp_path: Path, clock: Clock) -> None:
    bench = Bench(tmp_path / "token.db")
    desk = ApprovalDesk(clock)
    manager = SecurityManager(bench.token, Rules(), pc_name="\U0001f600" * 64, desk=desk)
    caller = Caller(("\U0001f600" * 32,) * 8, Purpose.LOGIN, "\U0001f600" * 255)
    for key in range(GRANTS_LIMIT):
        desk.grants.give(Question(Operation.SIGN, "\U0001f600" * 255, "\U0001f600" * 64, caller, key), 43_200)
    answer = await manager.execute(catalogue.GRANTS.build())
    assert (answer.ckr, len(answer.lines)) == (Ckr.OK, GRANTS_LIMIT)
    assert len(encode_answer(answer)) <= TEXT_LIMIT
    bench.token.close()
