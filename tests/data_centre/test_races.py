"""Many requests at once, with several meter boxes and two function servers (M20, M29, M34)."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fob_office.centre.boxes.views import slot_of
from fob_office.centre.limits import SLOTS
from fob_protocol.metering.answers import Franked, Loaded, Refunded
from fob_protocol.metering.kinds import Payment
from fob_protocol.metering.requests import Authenticated
from fob_protocol.office.errors import RefusedError
from fob_protocol.office.message import Message
from fob_protocol.office.refusals import Refusal
from support.data_centre import DataCentre, data_centre
from support.mailers import Mailer
from support.payments import payments_of

# Begun before others: programs, or a whole data centre.
pytestmark = pytest.mark.slow


@pytest.fixture
async def centre(tmp_path: Path) -> AsyncIterator[DataCentre]:
    async with data_centre(tmp_path, meters=4) as made:
        yield made


async def _asked(mailer: Mailer, request: Authenticated, answer: type[Message]) -> Message | Refusal:
    """Again where another server was faster too often."""
    for _ in range(20):
        try:
            return await mailer.ask(request, answer)
        except RefusedError as refused:
            if refused.refusal != Refusal.UNAVAILABLE:
                return refused.refusal
    raise AssertionError("never its turn")


@pytest.mark.clause("M20", "M24", "M29", "M34")
@pytest.mark.parametrize("payment", [Payment.PREPAID, Payment.PER_USE])
async def test_a_hundred_requests_at_once_on_one_account_lose_nothing(centre: DataCentre, payment: Payment) -> None:
    async with centre.function_server() as (first, _), centre.function_server() as (second, _):
        anna = Mailer(centre, first)
        await anna.sign_up(payment=payment)
        again = Mailer(centre, second)
        again.account, again.serial, again.key, again.signing = anna.account, anna.serial, anna.key, anna.signing
        asked: list[tuple[Mailer, Authenticated, type[Message]]] = []
        for number in range(50):
            mailer = anna if number % 2 else again
            asked.append((mailer, mailer.frank_request(10 + number), Franked))
            if payment == Payment.PREPAID:
                asked.append((mailer, mailer.load_request(20), Loaded))
            else:
                asked.append((mailer, mailer.frank_request(1, 2), Franked))
        answers = await asyncio.gather(*(_asked(*one) for one in asked))
        franked = [answer for answer in answers if isinstance(answer, Franked)]
        loaded = [answer for answer in answers if isinstance(answer, Loaded)]
        refused = [answer for answer in answers if isinstance(answer, Refusal)]
        assert set(refused) <= {Refusal.INSUFFICIENT_FUNDS}
        registers = (await anna.about()).registers
        # Each change has a counter of its own.
        changes: list[Franked | Loaded] = [*franked, *loaded]
        assert len({done.registers.counter for done in changes}) == len(changes) == 100 - len(refused)
        assert all(done.registers.is_lawful for done in changes)
        assert registers.pieces == sum(len(done.indicia) for done in franked)
        charged, _ = payments_of(centre, anna.serial)
        assert registers.loads == charged == registers.ascending + registers.descending
        if payment == Payment.PREPAID:
            assert charged == 20 * 50
            assert registers.counter == 1 + len(changes)
        else:
            assert (registers.descending, charged, refused) == (0, sum(10 + n + 3 for n in range(50)), [])
        assert await centre.warnings() == []


@pytest.mark.clause("M34", "M3")
async def test_twenty_meters_at_once_over_all_boxes(centre: DataCentre) -> None:
    async with centre.function_server() as (first, _), centre.function_server() as (second, _):
        mailers = [Mailer(centre, (first, second)[number % 2], f"mailer {number}") for number in range(20)]
        await asyncio.gather(*(mailer.sign_up() for mailer in mailers))
        assert len({slot_of(mailer.serial) * 4 // SLOTS for mailer in mailers}) > 1
        owners = {slot_of(mailer.serial) % 4 for mailer in mailers}
        assert owners == {0, 1, 2, 3}
        await asyncio.gather(*(mailer.load(1_000) for mailer in mailers))
        # One box dies in the middle; its meters are served again when it is back.
        franking = asyncio.gather(*(_day(mailer) for mailer in mailers))
        await asyncio.sleep(0)
        centre.kill("meter-2")
        await franking
        for mailer in mailers:
            registers = (await mailer.about()).registers
            assert (registers.ascending, registers.descending, registers.loads) == (155, 645, 800)
        assert await centre.warnings() == []


async def _day(mailer: Mailer) -> None:
    for request in (mailer.frank_request(85), mailer.frank_request(30, 40)):
        assert isinstance(await _asked(mailer, request, Franked), Franked)
    assert isinstance(await _asked(mailer, mailer.refund_request(200), Refunded), Refunded)
