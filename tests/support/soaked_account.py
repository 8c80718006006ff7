"""A mailer who goes on asking, whatever dies: he says the very same request again, or another one between."""

import asyncio
import random
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from fob_office.centre.communication.asking import CentreAwayError
from fob_protocol.metering.answers import Franked, Loaded, Refunded
from fob_protocol.metering.indicium import Indicium
from fob_protocol.metering.kinds import Payment
from fob_protocol.metering.records import Refill
from fob_protocol.metering.requests import (
    Ask,
    FrankRequest,
    LoadRequest,
    RefundRequest,
    SignOn,
    SignUp,
    authenticated,
)
from fob_protocol.metering.values import Indicated, Registers
from fob_protocol.office.envelope import Service, ask
from fob_protocol.office.errors import RefusedError
from fob_protocol.office.message import MessageT, read
from fob_protocol.office.refusals import Refusal
from support.running_centre import DistantMailer

REFILL: Final = Refill(below=100, amount=500)
# The least that is there for a frank, the most that it costs (three pieces), and one that comes between.
ENOUGH: Final = 90
DEAREST: Final = 29
# Owed by who pays afterwards, of the 10,000 that he may.
MOST_OWED: Final = 4_000
# Of all requests: said two times at once, given up for another one.
TWICE: Final = 0.1
HURRIED: Final = 0.2
# Seconds: between two requests, before one is said again, until an impatient one asks for something else.
REST: Final = 0.15
AGAIN: Final = 0.05
IMPATIENCE: Final = 0.3
# For an answer, however often it is asked for: under the time after which a request is `late`.
PATIENCE: Final = 120.0

Order: TypeAlias = FrankRequest | LoadRequest | RefundRequest
Answer: TypeAlias = Franked | Loaded | Refunded


class PatientMailer(DistantMailer):
    """Says a request again until it is answered."""

    async def say(self, message: SignUp | SignOn | Ask, answer: type[MessageT]) -> MessageT:
        """Raises RefusedError; AssertionError: the account is locked."""
        clock = asyncio.get_running_loop().time
        end = clock() + PATIENCE
        while True:
            try:
                return await self.say_once(message, answer)
            except CentreAwayError as error:
                why = str(error)
            except RefusedError as refused:
                if refused.refusal != Refusal.UNAVAILABLE:
                    raise
                why = str(refused)
            assert clock() < end, f"the account of {self.name} is locked: {why}"
            await asyncio.sleep(AGAIN)

    async def say_once(self, message: SignUp | SignOn | Ask, answer: type[MessageT]) -> MessageT:
        """Raises RefusedError, CentreAwayError."""
        asked = ask(self.running.certificate, Service.METERING, message.octets(), self.random)
        return read(answer, asked.open(await self.asker.ask(asked.sealed)).body)


@dataclass(frozen=True, slots=True)
class Deal:
    """What was asked and answered."""

    order: Order
    answer: Answer

    @property
    def indicia(self) -> tuple[Indicated, ...]:
        """Of a frank."""
        return self.answer.indicia if isinstance(self.answer, Franked) else ()


@dataclass
class Account:
    """`deals`: all that was answered."""

    mailer: PatientMailer
    payment: Payment
    refill: Refill | None
    random: random.Random
    deals: list[Deal] = field(default_factory=list)
    registers: Registers = field(default_factory=lambda: Registers(0, 0, 0, 0, 0, 0))
    # By the tokens: of pieces that may still be given back.
    unused: list[Indicated] = field(default_factory=list)

    async def work(self, stopping: asyncio.Event) -> None:
        """Until it is time to reckon; then nothing is left open."""
        while not stopping.is_set():
            await self.deal(self._order())
            await asyncio.sleep(self.random.random() * REST)

    async def deal(self, order: Order) -> None:
        """One thing, done once."""
        chance = self.random.random()
        if chance < TWICE:
            await self._twice(order)
        elif chance < TWICE + HURRIED:
            await self._hurriedly(order)
        else:
            self._note(order, await self._asked(order))

    async def frank(self, *amounts: int) -> None:
        """However much is on the meter: no account is locked."""
        left = self.registers.descending
        if self.payment != Payment.PER_USE and self.refill is None and left < sum(amounts):
            await self.deal(self.mailer.load_request(200))
        order = self.mailer.frank_request(*amounts)
        self._note(order, await self._asked(order))

    def of(self, kind: type[Answer]) -> list[Deal]:
        """Deals of a kind."""
        return [deal for deal in self.deals if isinstance(deal.answer, kind)]

    async def _twice(self, order: Order) -> None:
        """Said two times at once."""
        first, second = await asyncio.gather(self._asked(order), self._asked(order))
        assert first == second, "one request, two answers"
        self._note(order, first)

    async def _hurriedly(self, order: Order) -> None:
        """Given up for something else, where there is no answer soon; he comes back to it."""
        answer = await self._asked_once(order)
        if answer is None:
            between = self._small_order()
            self._note(between, await self._asked(between))
            answer = await self._asked(order)
        self._note(order, answer)

    async def _asked_once(self, order: Order) -> Answer | None:
        try:
            async with asyncio.timeout(IMPATIENCE):
                return await self.mailer.say_once(Ask(authenticated(self.mailer.key, order)), _answer_of(order))
        except (TimeoutError, CentreAwayError):
            return None
        except RefusedError as refused:
            if refused.refusal != Refusal.UNAVAILABLE:
                raise
            return None

    async def _asked(self, order: Order) -> Answer:
        return await self.mailer.say(Ask(authenticated(self.mailer.key, order)), _answer_of(order))

    def _note(self, order: Order, answer: Answer) -> None:
        self.deals.append(Deal(order, answer))
        self.unused += self.deals[-1].indicia
        if answer.registers.counter > self.registers.counter:
            self.registers = answer.registers

    def _order(self) -> Order:
        mailer, left, number = self.mailer, self.registers.descending, self.random.randrange
        can_frank = self.payment == Payment.PER_USE or self.refill is not None or left >= ENOUGH
        ways: list[Order] = []
        if can_frank:
            franks = [[number(1, DEAREST + 1) for _ in range(number(1, 4))] for _ in range(3)]
            ways += [mailer.frank_request(*amounts) for amounts in franks]
        if self.payment == Payment.PREPAID and self.refill is None:
            ways.append(mailer.load_request(number(100, 400)))
            if left > ENOUGH + 50:
                ways.append(mailer.refund_request(number(1, 50)))
            if self.unused and number(4) == 0:
                return mailer.refund_request(unused=self.unused.pop(number(len(self.unused))))
        if self.payment == Payment.POSTPAID and self.registers.owed < MOST_OWED:
            ways.append(mailer.load_request(number(100, 400)))
        return self.random.choice(ways) if ways else mailer.load_request(300)

    def _small_order(self) -> Order:
        """Which is always possible, whatever became of the one before."""
        if self.payment == Payment.PER_USE or self.refill is not None or self.registers.descending >= ENOUGH:
            return self.mailer.frank_request(1)
        return self.mailer.load_request(5)


def given_back(deal: Deal) -> int:
    """What an indicium that was given back was worth; 0 of money."""
    unused = deal.order.unused if isinstance(deal.order, RefundRequest) else None
    return read(Indicium, unused.indicium).amount if unused is not None else 0


def _answer_of(order: Order) -> type[Answer]:
    if isinstance(order, FrankRequest):
        return Franked
    return Loaded if isinstance(order, LoadRequest) else Refunded
