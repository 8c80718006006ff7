"""What the mailers of a soak ask for, and what each answer makes of their accounts."""

import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from fob_protocol.metering.answers import Franked, Loaded, Refunded, SignedUp
from fob_protocol.metering.indicium import Indicium
from fob_protocol.metering.kinds import Payment
from fob_protocol.metering.records import Refill
from fob_protocol.metering.requests import Ask, SignOn, authenticated
from fob_protocol.metering.values import Indicated, Registers
from fob_protocol.office.message import Message, read
from support.mailers import Mailer


@dataclass
class Account:
    """A mailer, and all that he was answered."""

    mailer: Mailer
    payment: Payment
    refill: Refill | None
    indicia: list[Indicated] = field(default_factory=list)
    franked: int = 0
    pieces: int = 0
    asked_loads: int = 0
    refunds: int = 0
    credits: int = 0
    was_late: bool = False
    registers: Registers = field(default_factory=lambda: Registers(0, 0, 0, 0, 0, 0))


@dataclass(frozen=True)
class Said:
    """The octets of a request, and what its answer does to the account."""

    message: Ask | SignOn
    answer: type[Message]
    does: "Does"
    undoes: "Callable[[], None]"


Does = Callable[[Message], Coroutine[Any, Any, None]]


def _nothing() -> None:
    """To be undone."""


class Wishes:
    """At random, among what an account can have. `check` looks at what was franked for one."""

    def __init__(
        self,
        random: random.Random,
        check: Callable[[Account, tuple[Indicated, ...]], Coroutine[Any, Any, None]],
    ) -> None:
        self._random = random
        self._check = check

    def any(self, account: Account) -> Said:
        """What he may ask for now."""
        left = account.registers.descending
        ways: list[Callable[[Account], Said]] = [self._sign_on] if self._random.random() < 0.1 else []
        if account.payment == Payment.PER_USE or account.refill is not None or left >= 90:
            amounts = [self._random.randrange(1, 30) for _ in range(self._random.randrange(1, 4))]
            ways += [lambda account: self.frank(account, *amounts)] * 3
        if account.payment == Payment.PREPAID:
            ways.append(lambda account: self.load(account, self._random.randrange(100, 400)))
            if account.indicia:
                ways.append(self._credit)
            if left > 50:
                ways.append(lambda account: self._refund(account, self._random.randrange(1, 50)))
        if account.payment == Payment.POSTPAID and account.registers.owed < 4_000:
            ways.append(lambda account: self.load(account, self._random.randrange(100, 400)))
        if not ways:
            return self.load(account, 300)
        return self._random.choice(ways)(account)

    def another(self, account: Account) -> Said:
        """That is always possible."""
        if account.payment == Payment.PREPAID and account.registers.descending >= 90 and self._random.random() < 0.5:
            return self._refund(account, self._random.randrange(1, 50))
        if account.payment == Payment.POSTPAID and account.registers.owed < 4_000:
            return self.load(account, 5)
        if account.payment == Payment.PER_USE or account.refill is not None or account.registers.descending >= 90:
            return self.frank(account, 1)
        return self.load(account, 5)

    def frank(self, account: Account, *amounts: int) -> Said:
        """One piece for each amount."""

        async def does(answer: Message) -> None:
            assert isinstance(answer, Franked)
            await self._check(account, answer.indicia)
            account.indicia += answer.indicia
            account.franked += sum(amounts)
            account.pieces += len(amounts)
            account.registers = answer.registers

        return self._asked(account, account.mailer.frank_request(*amounts), Franked, does)

    def load(self, account: Account, amount: int) -> Said:
        """Money."""

        async def does(answer: Message) -> None:
            assert isinstance(answer, Loaded)
            account.asked_loads += amount
            account.registers = answer.registers

        return self._asked(account, account.mailer.load_request(amount), Loaded, does)

    def _refund(self, account: Account, amount: int) -> Said:
        async def does(answer: Message) -> None:
            assert isinstance(answer, Refunded)
            account.refunds += amount
            account.registers = answer.registers

        return self._asked(account, account.mailer.refund_request(amount), Refunded, does)

    def _credit(self, account: Account) -> Said:
        unused = account.indicia.pop(self._random.randrange(len(account.indicia)))

        def undoes() -> None:
            account.indicia.append(unused)

        async def does(answer: Message) -> None:
            assert isinstance(answer, Refunded)
            account.credits += read(Indicium, unused.indicium).amount
            account.registers = answer.registers

        return self._asked(account, account.mailer.refund_request(unused=unused), Refunded, does, undoes)

    def _sign_on(self, account: Account) -> Said:
        async def does(answer: Message) -> None:
            assert isinstance(answer, SignedUp)
            account.mailer.keep(answer)

        return Said(account.mailer.sign_on_request(), SignedUp, does, _nothing)

    def _asked(
        self, account: Account, request: Any, answer: type[Message], does: Does, undoes: Callable[[], None] = _nothing
    ) -> Said:
        return Said(Ask(authenticated(account.mailer.key, request)), answer, does, undoes)
