"""Several requests that ask the same at once: one question with a count, one answer, each operation once."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from fob_device.approval.questions import NO, YES, Decision, Prompt, Question
from fob_protocol import catalogue
from fob_protocol.at.answer import Event
from fob_protocol.at.values import Value
from fob_protocol.caller import Caller, Purpose
from fob_protocol.limits import OUTSTANDING_LIMIT
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError
from support.no_pin_pad import NoPinPad
from support.virtual_loop import run_virtually
from support.world import World, counted_signatures

SSH = Caller(("ssh", "zsh"), Purpose.LOGIN, host="github.com")
GITLAB = replace(SSH, host="gitlab.com")
WORDS = "log in to github.com with 'work' for ssh <- zsh on me@pc"


@dataclass
class Person(NoPinPad):
    """Somebody with a screen: sees each prompt and its counts, and taps when the test says so."""

    pairing_open: bool = True
    seen: list[str] = field(default_factory=list)
    _screen: dict[Prompt, "asyncio.Future[Decision]"] = field(default_factory=dict)

    @property
    def screen(self) -> list[str]:
        """What is on the screen now."""
        return [prompt.words() for prompt in self._screen]

    def tap(self, decision: Decision) -> None:
        """Answer the oldest prompt."""
        next(iter(self._screen.values())).set_result(decision)

    def is_silent(self, question: Question) -> bool:
        """Asks about everything."""
        return False

    async def decide(self, prompt: Prompt) -> Decision:
        """The next tap."""
        tap: asyncio.Future[Decision] = asyncio.get_running_loop().create_future()
        self._screen[prompt] = tap
        prompt.askers.changed = lambda: self.seen.append(prompt.words())
        try:
            return await tap
        finally:
            del self._screen[prompt]

    async def compare(self, code: str) -> bool:
        """The codes are equal."""
        return True


class Computer:
    """A PC whose programs sign with one key."""

    def __init__(self, world: World, person: Person, key: int) -> None:
        self.world = world
        self.person = person
        self.key = key
        self.asked: list[tuple[Value, ...]] = []
        world.manager.subscribe(self._hear)

    async def begin(self, caller: Caller, data: int, within: float = 100) -> "asyncio.Task[int]":
        """A program asks; its request has reached the phone."""
        task = asyncio.create_task(self._sign(caller, bytes([data]) * 32, within))
        await asyncio.sleep(1)
        return task

    async def _sign(self, caller: Caller, digest: bytes, within: float) -> int:
        number = 0 if caller.host == SSH.host else 1
        command = catalogue.SIGN.build(self.key, None, digest, None, number, caller.to_block())
        return (await self.world.manager.request(command, timeout=within)).ckr

    def _hear(self, event: Event) -> None:
        self.asked.append(event.values)


def story(folder: Path, tell: Callable[[Computer, Person], Awaitable[None]]) -> None:
    """A computer and a person at their phone."""

    async def run() -> None:
        person = Person()
        world = await World.paired(folder, 1, person)
        await tell(Computer(world, person, await world.new_key(b"work")), person)
        assert person.screen == []
        await world.close()

    run_virtually(run())


def test_three_that_ask_the_same_are_one_question_and_each_signs_once(tmp_path: Path) -> None:
    async def tell(pc: Computer, person: Person) -> None:
        with counted_signatures() as signed:
            waiting = [await pc.begin(SSH, data) for data in (1, 2, 3)]
            assert person.screen == [f"{WORDS}, 3 times"]
            assert person.seen == [f"{WORDS}, 2 times", f"{WORDS}, 3 times"]
            assert [values[1] for values in pc.asked] == [WORDS, f"{WORDS}, 2 times", f"{WORDS}, 3 times"]
            assert len({values[0] for values in pc.asked}) == 3
            assert not signed
            person.tap(YES)
            assert await asyncio.gather(*waiting) == 3 * [Ckr.OK]
        assert signed == {bytes([data]) * 32: 1 for data in (1, 2, 3)}

    story(tmp_path, tell)


def test_one_no_refuses_all_that_waited(tmp_path: Path) -> None:
    async def tell(pc: Computer, person: Person) -> None:
        with counted_signatures() as signed:
            waiting = [await pc.begin(SSH, data) for data in (1, 2)]
            person.tap(NO)
            assert await asyncio.gather(*waiting) == 2 * [Ckr.FUNCTION_REJECTED]
        assert not signed

    story(tmp_path, tell)


def test_who_comes_after_the_answer_is_asked_about_anew(tmp_path: Path) -> None:
    async def tell(pc: Computer, person: Person) -> None:
        for data, decision, ckr in ((1, YES, Ckr.OK), (2, NO, Ckr.FUNCTION_REJECTED), (3, YES, Ckr.OK)):
            waiting = await pc.begin(SSH, data)
            assert person.screen == [WORDS]
            person.tap(decision)
            assert await waiting == ckr

    story(tmp_path, tell)


@pytest.mark.parametrize("other", [GITLAB, replace(GITLAB, host="github.com.", is_forwarded=True)])
def test_another_host_or_a_forwarded_request_is_another_question(tmp_path: Path, other: Caller) -> None:
    async def tell(pc: Computer, person: Person) -> None:
        mine, other_ones = await pc.begin(SSH, 1), await pc.begin(other, 2)
        assert len(person.screen) == 2
        person.tap(YES)
        assert await mine == Ckr.OK
        assert not other_ones.done()
        person.tap(NO)
        assert await other_ones == Ckr.FUNCTION_REJECTED

    story(tmp_path, tell)


def test_who_gives_up_leaves_the_question_to_the_others(tmp_path: Path) -> None:
    async def tell(pc: Computer, person: Person) -> None:
        with counted_signatures() as signed:
            hasty, patient = await pc.begin(SSH, 1, within=5), await pc.begin(SSH, 2)
            with pytest.raises(CkrError) as caught:
                await hasty
            await asyncio.sleep(1)
            assert caught.value.ckr is Ckr.FUNCTION_CANCELED
            assert person.screen == [WORDS]
            person.tap(YES)
            assert await patient == Ckr.OK
        assert signed == {bytes([2]) * 32: 1}

    story(tmp_path, tell)


def test_the_last_that_gives_up_takes_the_question_off_the_screen(tmp_path: Path) -> None:
    async def tell(pc: Computer, person: Person) -> None:
        waiting = [await pc.begin(SSH, data, within=5) for data in (1, 2)]
        answers = await asyncio.gather(*waiting, return_exceptions=True)
        assert [answer.ckr for answer in answers if isinstance(answer, CkrError)] == 2 * [Ckr.FUNCTION_CANCELED]
        await asyncio.sleep(1)
        assert person.screen == []
        # The next one is a question of its own.
        again = await pc.begin(SSH, 3)
        assert person.screen == [WORDS]
        person.tap(YES)
        assert await again == Ckr.OK

    story(tmp_path, tell)


def test_each_waits_a_minute_of_its_own(tmp_path: Path) -> None:
    async def tell(pc: Computer, person: Person) -> None:
        early = await pc.begin(SSH, 1)
        await asyncio.sleep(30)
        late = await pc.begin(SSH, 2)
        assert await early == Ckr.FUNCTION_CANCELED
        assert person.screen == [WORDS]
        person.tap(YES)
        assert await late == Ckr.OK

    story(tmp_path, tell)


def test_a_yes_that_is_remembered_is_one_grant_for_all(tmp_path: Path) -> None:
    async def tell(pc: Computer, person: Person) -> None:
        waiting = [await pc.begin(SSH, data) for data in (1, 2)]
        person.tap(Decision(True, remember=300))
        assert await asyncio.gather(*waiting) == 2 * [Ckr.OK]
        grants = await pc.world.manager.request(catalogue.GRANTS.build(), timeout=5)
        assert [line[0] for line in grants.lines] == [1]
        assert await (await pc.begin(SSH, 3)) == Ckr.OK

    story(tmp_path, tell)


def test_as_many_as_a_pc_may_have_under_way_are_one_question(tmp_path: Path) -> None:
    async def tell(pc: Computer, person: Person) -> None:
        with counted_signatures() as signed:
            waiting = [await pc.begin(SSH, data) for data in range(OUTSTANDING_LIMIT)]
            assert person.screen == [f"{WORDS}, {OUTSTANDING_LIMIT} times"]
            person.tap(YES)
            assert await asyncio.gather(*waiting) == OUTSTANDING_LIMIT * [Ckr.OK]
        assert signed.total() == len(signed) == OUTSTANDING_LIMIT

    story(tmp_path, tell)
