"""A payment provider of play money, that keeps its word as a real one has to."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeAlias, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection

from fob_office.centre.commands.payment import PayBack
from fob_office.centre.database.grouping import Group, Outcome, alone
from fob_office.centre.payment.interface import PaymentRefusedError
from fob_office.centre.payment.ledger import Terms, Wanted, came_in, open_receipts, paid, pay
from fob_office.database.session import Database
from fob_office.surroundings import Surroundings
from fob_protocol.metering.vouchers import ChargeOrder, Receipt

ResultT = TypeVar("ResultT")

_Work: TypeAlias = Callable[[Connection], Any]


class EmulatedProvider:
    """A Payments. `key` signs receipts. Operators see and change its cards by `cards`; `close` it."""

    def __init__(self, database: Database, key: Ed25519PrivateKey, surroundings: Surroundings, terms: Terms) -> None:
        self._key = key
        self._surroundings = surroundings
        self._terms = terms
        self._database = database
        self._group = Group[_Work](database.write, _each)

    def __repr__(self) -> str:
        return "EmulatedProvider()"

    async def charge(self, asked: ChargeOrder) -> bytes:
        """Take money. Raises PaymentRefusedError, BusRefusedError UNAVAILABLE."""
        now = self._surroundings.clock()
        receipt = Receipt(
            asked.request_digest, asked.serial, asked.number, asked.amount, asked.is_settlement, asked.request_id, now,
            asked.account, asked.fee,
        )  # fmt: skip
        return await self._pay(asked.account, receipt)

    async def pay_back(self, asked: PayBack) -> bytes:
        """Give money back. Raises PaymentRefusedError, BusRefusedError UNAVAILABLE."""
        now = self._surroundings.clock()
        receipt = Receipt(
            asked.request_digest, asked.serial, asked.number, -asked.amount, False, asked.request_id, now, asked.account
        )
        return await self._pay(asked.account, receipt)

    async def paid(self, serial: str, number: int) -> bytes | None:
        """Receipt of what was taken under a number. Raises BusRefusedError UNAVAILABLE."""
        return await self.do(partial(paid, serial=serial, number=number, is_back=False))

    async def open(self, after: tuple[str, int], until: int) -> Sequence[bytes]:
        """Receipts of what has not come in. Raises BusRefusedError UNAVAILABLE."""
        return await self.do(partial(open_receipts, after=after, until=until))

    async def came_in(self, serial: str, request_id: bytes, amount: int) -> bool:
        """Whether there is such a payment. Raises BusRefusedError UNAVAILABLE."""
        return await self.do(partial(came_in, serial=serial, request_id=request_id, amount=amount))

    async def do(self, work: Callable[[Connection], ResultT]) -> ResultT:
        """Of the ledger, between payments."""
        result: ResultT = await self._group.do(work)
        return result

    def close(self) -> None:
        """What was begun is ended first."""
        self._group.close()
        self._database.close()

    async def _pay(self, account: bytes, said: Receipt) -> bytes:
        wanted = Wanted(
            account, said.serial, said.number, said.amount + said.fee, said.request_id, said.time, said.request_digest
        )
        receipt = partial(said.signed, self._key)
        return await self.do(partial(pay, wanted=wanted, terms=self._terms, receipt=receipt))


def _each(connection: Connection, jobs: Sequence[_Work]) -> Sequence[Outcome]:
    return [alone(connection, job, PaymentRefusedError) for job in jobs]
