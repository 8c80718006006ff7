"""M33: a function server dies at every message of every flow, and what was asked is done once all the same.

Each story is told once without a cut, which counts its messages; then again for each of them, with a cut before it is
delivered and with one before its answer is heard. The mailer says the very same octets again to a new server.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fob_office.centre.function.server import FunctionServer
from fob_protocol.metering.answers import Franked, Loaded, Refunded, SignedUp
from fob_protocol.metering.kinds import Payment
from fob_protocol.metering.records import Refill
from fob_protocol.metering.requests import Ask, SignOn, SignUp, authenticated
from fob_protocol.metering.values import Registers
from fob_protocol.office.message import Message
from support.data_centre import Cut, CutError, DataCentre, data_centre
from support.mailers import Mailer
from support.payments import payments_of

# Begun before others: programs, or a whole data centre.
pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Story:
    """`prepare` brings a mailer there; `request` is what he says once and again."""

    prepare: Callable[[Mailer], Awaitable[Any]]
    request: Callable[[Mailer, Any], SignUp | SignOn | Ask]
    answer: type[Message]
    # The messages to other processes when nothing is cut, and what the mailer's card has paid in the end.
    messages: int
    charged: int


async def _nothing(mailer: Mailer) -> None:
    pass


async def _signed_up(mailer: Mailer) -> None:
    await mailer.sign_up()


async def _postpaid(mailer: Mailer) -> None:
    await mailer.sign_up(payment=Payment.POSTPAID)


async def _per_use(mailer: Mailer) -> None:
    await mailer.sign_up(payment=Payment.PER_USE)


async def _refilled(mailer: Mailer) -> None:
    await mailer.sign_up(refill=Refill(below=100, amount=500))


async def _loaded(mailer: Mailer) -> None:
    await mailer.sign_up()
    await mailer.load(1_000)


async def _franked(mailer: Mailer) -> Franked:
    await _loaded(mailer)
    return await mailer.frank(85)


def _asked(mailer: Mailer, request: Any) -> Ask:
    return Ask(authenticated(mailer.key, request))


STORIES = {
    "sign up": Story(_nothing, lambda m, _: m.sign_up_request(), SignedUp, 7, 0),
    "sign on": Story(_signed_up, lambda m, _: m.sign_on_request(), SignedUp, 5, 0),
    "load": Story(_signed_up, lambda m, _: _asked(m, m.load_request(700)), Loaded, 8, 700),
    "load and pay later": Story(_postpaid, lambda m, _: _asked(m, m.load_request(700)), Loaded, 6, 0),
    "frank": Story(_loaded, lambda m, _: _asked(m, m.frank_request(85, 100)), Franked, 5, 1_000),
    "frank and pay for it": Story(_per_use, lambda m, _: _asked(m, m.frank_request(85, 100)), Franked, 13, 185),
    "frank and refill": Story(_refilled, lambda m, _: _asked(m, m.frank_request(85, 100)), Franked, 15, 500),
    "money back": Story(_loaded, lambda m, _: _asked(m, m.refund_request(400)), Refunded, 5, 1_000),
    "indicium back": Story(_franked, lambda m, f: _asked(m, m.refund_request(unused=f.indicia[0])), Refunded, 5, 1_000),
}


@pytest.fixture
async def centre(tmp_path: Path) -> AsyncIterator[DataCentre]:
    async with data_centre(tmp_path) as made:
        yield made


async def _told(centre: DataCentre, story: Story, name: str, cut: Cut | None) -> tuple[Message, Registers, int, int]:
    """The answer in the end, the registers, what was charged, and the messages of the first server."""
    async with centre.function_server() as (server, _):
        mailer = Mailer(centre, server, name)
        before = await story.prepare(mailer)
        said = story.request(mailer, before)
    async with centre.function_server(cut) as (server, peers):
        first = await _said_and_cut(mailer, server, said, story)
    messages = len(peers.asked)
    async with centre.function_server() as (server, _):
        mailer.server = server
        answer = await mailer.say(said, story.answer)
        if isinstance(answer, SignedUp):
            mailer.keep(answer)
        assert first is None or answer == first
        about = await mailer.about()
        assert about.registers.is_lawful
        # A device that asks a third time is told the same.
        assert isinstance(answer, SignedUp) or await mailer.say(said, story.answer) == answer
    charged, _ = payments_of(centre, mailer.serial)
    return answer, about.registers, charged, messages


async def _said_and_cut(mailer: Mailer, server: FunctionServer, said: Any, story: Story) -> Message | None:
    mailer.server = server
    try:
        return await mailer.say(said, story.answer)
    except CutError:
        return None


@pytest.mark.clause("M33", "M29", "M20")
@pytest.mark.parametrize("name", STORIES)
async def test_what_is_asked_is_done_once_wherever_the_function_server_dies(name: str, centre: DataCentre) -> None:
    story = STORIES[name]
    _, registers, charged, messages = await _told(centre, story, "nobody dies", None)
    assert (messages, charged) == (story.messages, story.charged)
    for at in range(messages):
        for is_delivered in (False, True):
            told = await _told(centre, story, f"{at} {is_delivered}", Cut(at, is_delivered))
            assert (told[1], told[2]) == (registers, charged), f"message {at}, delivered: {is_delivered}"
