"""M33: a function server dies at every message of every flow, and what was asked is done once all the same.

Each story is told once without a cut, which counts its messages; then again for each of them, with a cut before it is
delivered and with one before its answer is heard. The mailer says the very same octets again to a new server.
What signing up costs goes with the first payment, and is paid once too (M30). After the cuts of the second kind another
server first brings in by itself what was taken.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import pytest

from fob_office.centre.bus.passes import Kind, Pass
from fob_office.centre.commands.function import Settle
from fob_office.centre.commands.payment import FetchOpen
from fob_office.centre.function.server import FunctionServer
from fob_protocol.metering.answers import Franked, Loaded, Refunded, SignedUp
from fob_protocol.metering.kinds import Deed, Payment
from fob_protocol.metering.records import Refill
from fob_protocol.metering.requests import Ask, SignOn, SignUp, authenticated
from fob_protocol.metering.transaction import TransactionRecord, unverified_transaction
from fob_protocol.metering.values import Registers
from fob_protocol.office.message import Message
from support.data_centre import Cut, CutError, DataCentre
from support.mailers import Mailer
from support.payments import payments_of

# Begun before others: programs, or a whole data centre.
pytestmark = pytest.mark.slow


FEE: Final = 300
OPERATOR: Final = Pass(Kind.OPERATOR, "operator-1", bytes(32), bytes(32), None, 1, 1 << 40)


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
    "sign on": Story(_signed_up, lambda m, _: m.sign_on_request(), SignedUp, 6, 0),
    "load": Story(_signed_up, lambda m, _: _asked(m, m.load_request(700)), Loaded, 9, 700 + FEE),
    "load and pay later": Story(_postpaid, lambda m, _: _asked(m, m.load_request(700)), Loaded, 7, 0),
    "frank": Story(_loaded, lambda m, _: _asked(m, m.frank_request(85, 100)), Franked, 5, 1_000 + FEE),
    "frank and pay for it": Story(_per_use, lambda m, _: _asked(m, m.frank_request(85, 100)), Franked, 14, 185 + FEE),
    "frank and refill": Story(_refilled, lambda m, _: _asked(m, m.frank_request(85, 100)), Franked, 16, 500 + FEE),
    "money back": Story(_loaded, lambda m, _: _asked(m, m.refund_request(400)), Refunded, 6, 1_000 + FEE),
    "indicium back": Story(
        _franked, lambda m, f: _asked(m, m.refund_request(unused=f.indicia[0])), Refunded, 7, 1_000 + FEE
    ),
}


async def _told(centre: DataCentre, story: Story, name: str, cut: Cut | None) -> tuple[Message, Registers, int, int]:
    """The answer in the end, the registers, what was charged, and the messages of the first server."""
    async with centre.function_server() as (server, _):
        mailer = Mailer(centre, server, name)
        before = await story.prepare(mailer)
        said = story.request(mailer, before)
    async with centre.function_server(cut) as (server, peers):
        first = await _said_and_cut(mailer, server, said, story)
    messages = len(peers.asked)
    if cut is not None and cut.is_delivered and story.answer is not SignedUp:
        await _completed(centre, mailer)
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
        assert await _fees(mailer) == ([FEE] if story.charged else [])
    charged, _ = payments_of(centre, mailer.serial)
    return answer, about.registers, charged, messages


async def _records(mailer: Mailer) -> list[TransactionRecord]:
    """All that the meter did."""
    records: list[TransactionRecord] = []
    while found := await mailer.history(records[-1].counter if records else 0):
        records += map(unverified_transaction, found)
    return records


async def _fees(mailer: Mailer) -> list[int]:
    """What the meter's transactions say was paid for signing up."""
    return [record.fee for record in await _records(mailer) if record.fee]


async def _completed(centre: DataCentre, mailer: Mailer) -> None:
    """Whether the mailer comes again or not: what was taken comes onto the meter, and is looked at no more."""
    async with centre.function_server() as (server, peers):
        await server.completing.complete_all()
        mailer.server = server
        registers, records = (await mailer.about()).registers, await _records(mailer)
        loaded = sum(record.amount + record.fee for record in records if record.deed == Deed.LOAD)
        assert loaded == payments_of(centre, mailer.serial)[0] + registers.owed
        assert (await peers.any(Kind.PAYMENT, FetchOpen("", 0))).receipts == ()


async def _said_and_cut(mailer: Mailer, server: FunctionServer, said: Any, story: Story) -> Message | None:
    mailer.server = server
    try:
        return await mailer.say(said, story.answer)
    except CutError:
        return None


@pytest.mark.clause("M33", "M29", "M20", "M30")
@pytest.mark.parametrize("name", STORIES)
async def test_what_is_asked_is_done_once_wherever_the_function_server_dies(name: str, centre: DataCentre) -> None:
    centre.fee = FEE
    story = STORIES[name]
    _, registers, charged, messages = await _told(centre, story, "nobody dies", None)
    assert (messages, charged) == (story.messages, story.charged)
    for at in range(messages):
        for is_delivered in (False, True):
            told = await _told(centre, story, f"{at} {is_delivered}", Cut(at, is_delivered))
            assert (told[1], told[2]) == (registers, charged), f"message {at}, delivered: {is_delivered}"


async def _settled(centre: DataCentre, name: str, cut: Cut | None) -> tuple[list[int], int, int]:
    """What signing up cost by the transactions, what was charged, and the messages of the first server."""
    async with centre.function_server() as (server, _):
        mailer = Mailer(centre, server, name)
        await mailer.sign_up(payment=Payment.POSTPAID)
        await mailer.load(700)
        assert await _fees(mailer) == []
    async with centre.function_server(cut) as (server, peers):
        with suppress(CutError):
            await server.settle(OPERATOR, Settle(mailer.serial))
    if cut is not None and cut.is_delivered:
        async with centre.function_server() as (server, _):
            await server.completing.complete_all()
            mailer.server = server
            assert sum(await _fees(mailer)) + (await _settled_in(mailer)) == payments_of(centre, mailer.serial)[0]
    async with centre.function_server() as (server, _):
        mailer.server = server
        for _ in range(2):
            await server.settle(OPERATOR, Settle(mailer.serial))
        about = await mailer.about()
        assert (about.registers.owed, about.registers.loads, about.fee) == (0, 700, 0)
        fees = await _fees(mailer)
    return fees, payments_of(centre, mailer.serial)[0], len(peers.asked)


async def _settled_in(mailer: Mailer) -> int:
    return sum(record.amount for record in await _records(mailer) if record.deed == Deed.SETTLE)


@pytest.mark.clause("M33", "M29", "M30")
async def test_who_pays_later_pays_for_signing_up_once_when_he_settles(centre: DataCentre) -> None:
    centre.fee = FEE
    told = await _settled(centre, "nobody dies", None)
    assert told == ([FEE], 700 + FEE, 9)
    for at in range(told[2]):
        for is_delivered in (False, True):
            assert (await _settled(centre, f"{at} {is_delivered}", Cut(at, is_delivered)))[:2] == told[:2]
