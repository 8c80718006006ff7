"""The relay between computers, one of which is no help: it lies, hangs, goes, or stops waiting (section 4.3)."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest

from fob_device.office.carrier import NotCarried, NotCarriedError
from fob_device.office.progress import Told
from fob_device.office.relay import NEXT_TIME, Relay
from fob_protocol import catalogue
from fob_protocol.at.answer import Event
from fob_protocol.office.configuration import Purpose
from fob_protocol.office.envelope import Service
from fob_protocol.office.errors import OfficeError, RefusedError
from fob_protocol.office.limits import ANSWER_LIMIT
from fob_protocol.office.refusals import Refusal
from fob_protocol.relay import ANNOUNCED_TIME, RELAY_TIME, RelayStatus, Waiting
from support.device_bench import DeviceBench, on_bench, releases
from support.office_world import OfficeWorld
from support.reference_office import ReferenceOffice
from support.virtual_loop import run_virtually

A, B = b"a", b"b"
Announced = tuple[float, bytes | None, bool]


class Table:
    """Two computers that have sessions; who was told what, when, and whether the question came with it."""

    def __init__(self) -> None:
        self.computers = {A, B}
        self.announced: list[Announced] = []
        self.relay = Relay(lambda: self.computers, self._announce, lambda count: bytes(count))

    def ask(self) -> "asyncio.Task[bytes]":
        """One more question; it is under way after the next step of the loop."""
        return asyncio.create_task(self.relay.carry("directory", b"question", Told()))

    def brings(self, computer: bytes, octets: bytes | None, *, is_answer: bool) -> None:
        """To the question that it takes; the device opens what it brings as it comes."""
        self.relay.relayed(computer, self.taken(computer).number, RelayStatus.ANSWERED, octets, None)
        self.relay.judged(is_answer=is_answer)

    def taken(self, computer: bytes) -> Waiting:
        """The question that this computer is given."""
        waiting = self.relay.take(computer)
        assert waiting is not None
        return waiting

    async def carried(self, computer: bytes, *, is_answer: bool) -> None:
        """A question that this computer answers."""
        asked = self.ask()
        await asyncio.sleep(0)
        self.brings(computer, b"octets", is_answer=is_answer)
        await asked
        self.announced.clear()

    def _announce(self, event: Event, computer: bytes | None) -> None:
        assert event.name == catalogue.EVENT_RELAY
        self.announced.append((asyncio.get_running_loop().time(), computer, bool(event.values)))


def tell(story: Callable[[Table], Awaitable[None]]) -> None:
    """In virtual time."""

    async def whole() -> None:
        await story(Table())

    run_virtually(whole())


def test_who_brought_what_is_no_answer_is_given_no_question_while_another_one_is_there() -> None:
    async def story(table: Table) -> None:
        await table.carried(A, is_answer=True)
        await table.carried(A, is_answer=False)
        asked = table.ask()
        await asyncio.sleep(0)
        assert table.announced == [(0.0, None, False)]
        assert table.relay.take(A) is None
        table.brings(B, b"the answer", is_answer=True)
        assert await asked == b"the answer"
        # It is B now that has the next one with its announcement.
        asked = table.ask()
        await asyncio.sleep(0)
        assert table.announced[1:] == [(0.0, B, True)]
        asked.cancel()

    tell(story)


def test_an_answer_that_was_not_opened_yet_prefers_nobody() -> None:
    async def story(table: Table) -> None:
        asked = table.ask()
        await asyncio.sleep(0)
        table.relay.relayed(A, table.taken(A).number, RelayStatus.ANSWERED, b"octets", None)
        await asked
        asked = table.ask()
        await asyncio.sleep(0)
        assert table.announced == [(0.0, None, False)] * 2
        asked.cancel()

    tell(story)


@pytest.mark.parametrize("octets", [None, b"", bytes(ANSWER_LIMIT + 1)])
def test_an_answer_without_octets_or_with_too_many_is_none(octets: bytes | None) -> None:
    async def story(table: Table) -> None:
        asked = table.ask()
        await asyncio.sleep(0)
        table.brings(A, octets, is_answer=True)
        table.brings(B, b"the answer", is_answer=True)
        assert await asked == b"the answer"
        asked = table.ask()
        await asyncio.sleep(0)
        table.relay.relayed(B, 2, RelayStatus.UNREACHABLE, None, None)
        assert table.taken(A).number == 2
        asked.cancel()
        await asyncio.sleep(0)
        asked = table.ask()
        await asyncio.sleep(0)
        assert table.relay.take(A) is None
        asked.cancel()

    tell(story)


def test_the_only_one_there_is_asked_again_and_proves_itself() -> None:
    async def story(table: Table) -> None:
        table.computers = {A}
        await table.carried(A, is_answer=False)
        await table.carried(A, is_answer=True)
        table.computers = {A, B}
        asked = table.ask()
        await asyncio.sleep(0)
        assert table.announced == [(0.0, A, True)]
        asked.cancel()

    tell(story)


def test_when_no_other_one_takes_a_question_who_was_put_aside_may() -> None:
    async def story(table: Table) -> None:
        await table.carried(A, is_answer=False)
        asked = table.ask()
        await asyncio.sleep(ANNOUNCED_TIME - 1)
        assert table.relay.take(A) is None
        await asyncio.sleep(2)
        assert table.announced == [(0.0, None, False), (ANNOUNCED_TIME, None, False)]
        table.brings(A, b"the answer", is_answer=True)
        assert await asked == b"the answer"

    tell(story)


def test_when_no_other_one_can_carry_a_question_who_was_put_aside_may_at_once() -> None:
    async def story(table: Table) -> None:
        await table.carried(A, is_answer=False)
        asked = table.ask()
        await asyncio.sleep(0)
        table.relay.relayed(B, table.taken(B).number, RelayStatus.NO_OFFICE, None, None)
        table.brings(A, b"the answer", is_answer=True)
        assert await asked == b"the answer"

    tell(story)


@pytest.mark.parametrize("status", list(RelayStatus))
def test_what_a_computer_says_of_a_question_that_it_never_had_means_nothing(status: RelayStatus) -> None:
    async def story(table: Table) -> None:
        asked = table.ask()
        await asyncio.sleep(0)
        table.relay.relayed(A, 1, status, b"junk", 7)
        table.brings(B, b"the answer", is_answer=True)
        assert await asked == b"the answer"

    tell(story)


def test_who_let_its_time_pass_cannot_take_the_next_one_first() -> None:
    """However fast it asks, and however often it asks for what it has."""

    async def story(table: Table) -> None:
        asked = table.ask()
        await asyncio.sleep(0)
        table.taken(A)
        await asyncio.sleep(RELAY_TIME - 1)
        table.taken(A)
        await asyncio.sleep(2)
        assert table.announced == [(0.0, None, False), (RELAY_TIME, None, False)]
        assert table.relay.take(A) is None
        table.brings(B, b"the answer", is_answer=True)
        assert await asked == b"the answer"
        asked = table.ask()
        await asyncio.sleep(0)
        assert table.relay.take(A) is None
        asked.cancel()

    tell(story)


async def waiting_for_the_next(table: Table) -> "asyncio.Task[Waiting | None]":
    """Of A, which has brought an answer and is told what comes next."""
    await table.carried(A, is_answer=True)
    return asyncio.create_task(table.relay.next_for(A))


def test_a_question_that_comes_as_the_wait_for_it_ends_is_given_all_the_same() -> None:
    """The timer has run, and who waited has not yet: the question comes between."""

    async def story(table: Table) -> None:
        async def ask_then() -> bytes:
            await asyncio.sleep(NEXT_TIME)
            return await table.relay.carry("directory", b"question", Told())

        asked = asyncio.create_task(ask_then())
        await asyncio.sleep(0)
        waiter = await waiting_for_the_next(table)
        assert await waiter == Waiting(2, "directory", b"question")
        assert table.announced == []
        table.brings(A, b"the answer", is_answer=True)
        assert await asked == b"the answer"

    tell(story)


def test_a_question_that_comes_as_who_waits_for_it_is_cut_off_is_announced() -> None:
    async def story(table: Table) -> None:
        waiter = await waiting_for_the_next(table)
        await asyncio.sleep(0)
        asked = table.ask()
        waiter.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiter
        assert table.announced == [(0.0, A, True)]
        table.brings(A, b"the answer", is_answer=True)
        assert await asked == b"the answer"

    tell(story)


def test_who_is_not_given_the_next_question_keeps_it_from_nobody() -> None:
    """It waits for the next one as if it had brought an answer."""

    async def story(table: Table) -> None:
        await table.carried(A, is_answer=False)
        waiters = [asyncio.create_task(table.relay.next_for(A)) for _ in range(3)]
        await asyncio.sleep(0)
        asked = table.ask()
        assert await asyncio.gather(*waiters) == [None] * 3
        assert table.announced == [(0.0, None, False)]
        table.brings(B, b"the answer", is_answer=True)
        assert await asked == b"the answer"

    tell(story)


def test_who_has_gone_is_not_given_the_next_question() -> None:
    async def story(table: Table) -> None:
        waiter = await waiting_for_the_next(table)
        await asyncio.sleep(0)
        table.computers.remove(A)
        table.relay.left(A)
        asked = table.ask()
        assert await waiter is None
        assert table.announced == [(0.0, None, False)]
        table.brings(B, b"the answer", is_answer=True)
        assert await asked == b"the answer"

    tell(story)


def test_what_a_computer_has_that_goes_is_for_the_other_one_at_once() -> None:
    async def story(table: Table) -> None:
        asked = table.ask()
        await asyncio.sleep(0)
        table.taken(A)
        await asyncio.sleep(1)
        table.computers.remove(A)
        table.relay.left(A)
        assert table.announced == [(0.0, None, False), (1.0, None, False)]
        table.brings(B, b"the answer", is_answer=True)
        assert await asked == b"the answer"

    tell(story)


def test_a_session_that_gives_way_to_a_newer_one_of_the_same_computer_frees_nothing() -> None:
    async def story(table: Table) -> None:
        asked = table.ask()
        await asyncio.sleep(0)
        table.taken(A)
        table.relay.left(A)
        assert table.announced == [(0.0, None, False)]
        assert table.relay.take(B) is None
        asked.cancel()

    tell(story)


@pytest.mark.parametrize("is_held", [True, False])
def test_when_the_last_one_that_could_goes_the_question_ends_as_for_those_that_could_not(is_held: bool) -> None:
    async def story(table: Table) -> None:
        asked = table.ask()
        await asyncio.sleep(0)
        table.relay.relayed(A, table.taken(A).number, RelayStatus.UNREACHABLE, None, 5)
        if is_held:
            table.taken(B)
        table.computers.remove(B)
        table.relay.left(B)
        with pytest.raises(NotCarriedError) as ended:
            await asked
        assert (ended.value.why, ended.value.seconds) == (NotCarried.UNREACHABLE, 5)

    tell(story)


def test_when_all_have_gone_the_question_waits_for_whoever_comes() -> None:
    async def story(table: Table) -> None:
        asked = table.ask()
        await asyncio.sleep(0)
        table.taken(A)
        for computer in (A, B):
            table.computers.remove(computer)
            table.relay.left(computer)
        table.computers = {B}
        table.brings(B, b"the answer", is_answer=True)
        assert await asked == b"the answer"

    tell(story)


def test_the_phone_tells_the_relay_of_each_session_that_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone: list[bytes] = []
    monkeypatch.setattr(Relay, "left", lambda relay, computer: gone.append(computer))

    async def story() -> None:
        world = await OfficeWorld.made(tmp_path, ReferenceOffice())
        (computer,) = [opened.pc_key for opened in world.phone.sessions]
        await world.ask(catalogue.RELAY)
        await world.reconnect()
        assert gone == [computer]
        await world.close()

    run_virtually(story())


class Computer:
    """Carries what it is told of, by itself."""

    def __init__(self, key: bytes, answer: Callable[[Waiting], bytes]) -> None:
        self.key = key
        self.carried = 0
        self.told = asyncio.Event()
        self._answer = answer

    async def run(self, relay: Relay) -> None:
        """As long as it is there."""
        while True:
            await self.told.wait()
            self.told.clear()
            waiting = relay.take(self.key)
            while waiting is not None:
                self.carried += 1
                relay.relayed(self.key, waiting.number, RelayStatus.ANSWERED, self._answer(waiting), None)
                waiting = await relay.next_for(self.key)


def test_a_liar_that_is_faster_delays_the_honest_computer_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told first, and answers with what is no answer; all that a person asks for is done all the same."""
    office = ReferenceOffice()
    office.order = releases(office)

    async def story(bench: DeviceBench) -> None:
        liar = Computer(A, lambda _: b"junk" * 10)
        honest = Computer(B, lambda waiting: office.answer(waiting.service, waiting.question))

        def announce(event: Event, computer: bytes | None) -> None:
            for one in (liar, honest):
                if computer in (None, one.key):
                    one.told.set()

        relay = Relay(lambda: {A, B}, announce, lambda count: bytes(count))
        for name in ("carry", "judged", "rest"):
            monkeypatch.setattr(bench.post, name, getattr(relay, name))
        running = [asyncio.create_task(one.run(relay)) for one in (liar, honest)]
        await bench.back_office.configure(Purpose.FIRST)
        await bench.at_rest()
        assert (liar.carried, honest.carried) == (1, len(office.asked))
        assert bench.installed == ["table", "echo", "looping"]
        for one in running:
            one.cancel()

    on_bench(tmp_path, story, office)


@pytest.mark.parametrize(("is_signed", "refusal"), [(False, None), (True, None), (True, Refusal.DENIED)])
def test_only_what_answers_another_question_is_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_signed: bool, refusal: Refusal | None
) -> None:
    """A no is one, and so is what only the office could have sealed."""
    office = ReferenceOffice()
    office.order = []

    async def story(bench: DeviceBench) -> None:
        await bench.at_rest()
        judged: list[bool] = []
        monkeypatch.setattr(bench.post, "judged", lambda *, is_answer: judged.append(is_answer))
        if refusal is not None:
            office.refuses = {Service.CONFIGURATION: RefusedError(refusal)}
        if not is_signed:
            monkeypatch.setattr(office, "answer", lambda service, question: b"junk")
        with suppress(RefusedError, OfficeError):
            await bench.back_office.configure(Purpose.LOOK)
        assert set(judged) == {is_signed}

    on_bench(tmp_path, story, office)
