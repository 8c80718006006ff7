"""M33, M34: boxes die at every named crash point of every flow, databases stop, answers are lost, repeats are late."""

import asyncio

import pytest

from data_centre.test_exactly_once import FEE, STORIES, Story
from fob_office.centre.boxes.meter.points import CrashPoint
from fob_office.centre.function.changing import UNDER_WAY_TIME
from fob_office.centre.function.server import FunctionServer
from fob_protocol.metering.answers import Franked, Loaded, SignedUp
from fob_protocol.metering.limits import REQUEST_TIME
from fob_protocol.metering.requests import Ask, authenticated
from fob_protocol.metering.values import Registers
from fob_protocol.office.errors import RefusedError
from fob_protocol.office.message import Message
from fob_protocol.office.refusals import Refusal
from support.data_centre import Cut, CutError, DataCentre
from support.mailers import Mailer
from support.payments import payments_of

# Begun before others: programs, or a whole data centre.
pytestmark = pytest.mark.slow

FLOWS = [name for name in STORIES if name != "sign on"]
_TRIES = 4


async def _said(mailer: Mailer, message: object, story: Story) -> Message | None:
    try:
        return await mailer.say(message, story.answer)  # type: ignore[arg-type]  # a Story's
    except RefusedError as refused:
        assert refused.refusal == Refusal.UNAVAILABLE  # noqa: PT017 - nothing else may come
        return None


async def _told(
    centre: DataCentre, server: FunctionServer, story: Story, name: str, dies: tuple[str, CrashPoint] | None
) -> Registers:
    """The registers in the end. The same octets are said until they are answered, and once more."""
    mailer = Mailer(centre, server, name)
    message = story.request(mailer, await story.prepare(mailer))
    # What prepared it is over, refills too.
    await server.close()
    if dies is not None:
        centre.kill_at[dies[0]] = dies[1]
    answer = None
    for _ in range(_TRIES):
        answer = await _said(mailer, message, story)
        await server.close()
        await centre.settled()
        if answer is not None:
            break
    assert answer is not None
    assert dies is None or dies[0] not in centre.kill_at
    if isinstance(answer, SignedUp):
        mailer.keep(answer)
    else:
        assert await _said(mailer, message, story) == answer
    registers = (await mailer.about()).registers
    assert registers.is_lawful
    assert payments_of(centre, mailer.serial)[0] == story.charged
    return registers


@pytest.mark.clause("M33", "M34", "M20", "M3")
@pytest.mark.parametrize("flow", FLOWS)
async def test_a_meter_box_dies_at_every_point_and_all_is_done_once(flow: str, centre: DataCentre) -> None:
    story, centre.fee = STORIES[flow], FEE
    async with centre.function_server() as (server, _):
        undisturbed = await _told(centre, server, story, "nobody dies", None)
        for point in CrashPoint:
            name = "meter-2" if point == CrashPoint.E_AT_SECOND else "meter-1"
            assert await _told(centre, server, story, f"dies at {point}", (name, point)) == undisturbed, point
        assert await centre.warnings() == []


@pytest.mark.clause("M33", "M34", "M3")
async def test_a_box_that_dies_is_replaced_by_its_second_and_comes_back(centre: DataCentre) -> None:
    async with centre.function_server() as (server, _):
        anna = Mailer(centre, server)
        await anna.sign_up()
        await anna.load(10_000)
        owner, second, franked = "meter-1", "meter-2", 0
        for point in CrashPoint:
            if point == CrashPoint.E_AT_SECOND:
                continue
            centre.kill_at[owner] = point
            centre.stays_dead.add(owner)
            request = anna.frank_request(85, 100)
            with pytest.raises(RefusedError, match="unavailable"):
                await anna.ask(request, Franked)
            await centre.settled()
            await centre.fail_over(owner, second)
            owner, second = second, owner
            answer = await anna.ask(request, Franked)
            franked += 185
            assert (answer.registers.ascending, answer.registers.descending) == (franked, 10_000 - franked)
            assert await anna.ask(request, Franked) == answer
        assert await centre.warnings() == []


@pytest.mark.clause("M33")
async def test_another_request_ends_the_one_before_and_that_is_answered_then(centre: DataCentre) -> None:
    async with centre.function_server() as (server, peers):
        anna = Mailer(centre, server)
        await anna.sign_up()
        await anna.load(1_000)
        for another in (lambda: anna.about(), lambda: anna.frank(1), lambda: anna.load(1), lambda: anna.refund(1)):
            before = (await anna.about()).registers
            request = anna.frank_request(85)
            # The meter box has done it, and the server dies before anybody stores it.
            peers.cut, peers.asked[:] = Cut(2, is_delivered=True), []
            with pytest.raises(CutError):
                await anna.ask(request, Franked)
            peers.cut = None
            await another()
            answer = await anna.ask(request, Franked)
            assert (answer.registers.counter, answer.registers.ascending) == (before.counter + 1, before.ascending + 85)


@pytest.mark.clause("M33", "M21")
async def test_what_was_done_is_answered_however_late_and_what_was_not_is_late(centre: DataCentre) -> None:
    async with centre.function_server() as (server, peers):
        anna = Mailer(centre, server)
        await anna.sign_up()
        await anna.load(1_000)
        stored, made, never = (anna.frank_request(85) for _ in range(3))
        first = await anna.ask(stored, Franked)
        peers.cut, peers.asked[:] = Cut(2, is_delivered=True), []
        with pytest.raises(CutError):
            await anna.ask(made, Franked)
        peers.cut = None
        centre.boxes.now += REQUEST_TIME + 61
        assert await anna.ask(stored, Franked) == first
        # The meter box did it in time, and nobody had heard.
        assert (await anna.ask(made, Franked)).registers.ascending == 170
        # Another server may be at it still.
        with pytest.raises(RefusedError, match="unavailable"):
            await anna.ask(never, Franked)
        centre.boxes.now += UNDER_WAY_TIME - REQUEST_TIME - 60
        with pytest.raises(RefusedError, match="late"):
            await anna.ask(never, Franked)
        assert (await anna.about()).registers.ascending == 170


@pytest.mark.clause("M33", "M30")
@pytest.mark.parametrize("flow", STORIES)
async def test_two_function_servers_with_one_request_at_once_do_it_once(flow: str, centre: DataCentre) -> None:
    story, centre.fee = STORIES[flow], FEE
    async with centre.function_server() as (first, _), centre.function_server() as (second, _):
        mailer, other = Mailer(centre, first), Mailer(centre, second)
        message = story.request(mailer, await story.prepare(mailer))
        await first.close()
        answers = await asyncio.gather(_said(mailer, message, story), _said(other, message, story))
        answer = await mailer.say(message, story.answer)
        assert all(given in (None, answer) for given in answers)
        if isinstance(answer, SignedUp):
            mailer.keep(answer)
        await first.close()
        await second.close()
        assert (await mailer.about()).registers.is_lawful
        assert payments_of(centre, mailer.serial)[0] == story.charged
        assert await centre.warnings() == []


@pytest.mark.clause("M33", "M29")
async def test_answers_that_are_lost_and_a_database_that_stops_charge_nothing_twice(centre: DataCentre) -> None:
    async with centre.function_server() as (server, peers):
        anna = Mailer(centre, server)
        await anna.sign_up()
        loaded = 0
        for lost in ("Charge", "FundPaid", "Load", "Attest", "Store"):
            peers.loses = lost
            request = anna.load_request(100)
            with pytest.raises(RefusedError, match="unavailable"):
                await anna.ask(request, Loaded)
            # Something else is asked for meanwhile; what was paid comes first.
            await anna.load(7)
            answer = await anna.ask(request, Loaded)
            loaded += 107
            assert payments_of(centre, anna.serial) == (loaded, 0), lost
            assert (await anna.about()).registers.loads == loaded
            assert answer.registers.is_lawful
        for is_after in (False, True):
            message = Ask(authenticated(anna.key, anna.frank_request(85)))
            begun = len(peers.asked)

            async def meets(at: int, after: bool, begun: int = begun, is_after: bool = is_after) -> None:
                if (at - begun, after) == (4, is_after):
                    await centre.stop("database-1")

            peers.meets = meets
            first = await _said(anna, message, STORIES["frank"])
            peers.meets = None
            assert (first is not None) == is_after
            await centre.start("database-1")
            answered = await anna.say(message, Franked)
            assert first in (None, answered)
        assert (await anna.about()).registers.ascending == 170
