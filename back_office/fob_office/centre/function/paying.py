"""Money onto a meter (M29): it is charged or owed, then the meter box takes the fund record. Each number once."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from fob_office.centre.bus.passes import Kind
from fob_office.centre.commands.authentication import PermitRefill
from fob_office.centre.commands.meter import Act, Changed, Load
from fob_office.centre.commands.payment import Charge
from fob_office.centre.commands.transaction import FundOwed, FundPaid
from fob_office.centre.function.changing import Changing, Do, Held, Request
from fob_office.centre.function.peers import Peers
from fob_office.centre.function.refusing import refused
from fob_protocol.cose import mac0, sign1
from fob_protocol.cose.cbor import Value, encode
from fob_protocol.metering.kinds import Payment
from fob_protocol.metering.records import UserRecord
from fob_protocol.metering.vouchers import Receipt
from fob_protocol.office.hashing import digest
from fob_protocol.office.message import read
from fob_protocol.office.refusals import Refusal

# Gives the mailer's permission for a load that is paid afterwards.
Permit = Callable[[Held], Awaitable[bytes | None]]


class _EnoughError(Exception):
    """Another load, which had to be ended first, brought what was missing."""


@dataclass(frozen=True, slots=True)
class Paying:
    """Of one function server. `deposit`: the least at once."""

    peers: Peers
    changing: Changing
    deposit: int

    async def load(self, request: Request, amount: int, permit: Permit) -> bytes:
        """What the mailer asked for. Raises BusRefusedError, RuleBrokenError."""
        if amount < self.deposit:
            raise refused(Refusal.PAYMENT_REFUSED, f"at least {self.deposit} at once")

        async def do(held: Held) -> Changed:
            permission = await permit(held)
            if mailer(held).payment == Payment.POSTPAID:
                return await self._owe(held, request, permission)
            return await self._pay(held, request, amount)

        return await self.changing.change(request, do)

    async def refill(self, held: Held) -> None:
        """By the rule in the mailer's record, once for each record of the meter. Raises as `load`."""
        record = held.record
        if not _is_low(held):
            return
        request = derived("fob/1 refill", record.serial, record.registers.counter)

        async def do(now: Held) -> Changed:
            if not _is_low(now):
                raise _EnoughError
            # An authentication box says whose rule this is, or staff could write another amount.
            asked = PermitRefill(now.user, record.serial, request.digest)
            permitted = await self.peers.any(Kind.AUTHENTICATION, asked)
            user = mailer(now)
            if user.payment != Payment.POSTPAID and user.refill is not None:
                return await self._pay(now, request, user.refill.amount)
            return await self._owe(now, request, permitted.permission)

        await self._load_until_enough(request, do)

    async def pay_per_use(self, held: Held, frank: bytes, amount: int) -> None:
        """What is missing for a request (its digest) of this amount. Raises as `load`."""
        # Of this record: what was loaded for it before may have gone for another frank meanwhile.
        record = held.record
        request = derived("fob/1 per use", record.serial, [frank, record.registers.counter])

        async def do(now: Held) -> Changed:
            missing = amount - now.record.registers.descending
            if missing <= 0:
                raise _EnoughError
            return await self._pay(now, request, missing)

        if amount > record.registers.descending:
            await self._load_until_enough(request, do)

    async def settle(self, held: Held) -> None:
        """What is owed, paid. Raises as `load`."""
        record = held.record
        if record.registers.owed == 0:
            return
        request = derived("fob/1 settlement", record.serial, record.registers.counter)

        async def do(now: Held) -> Changed:
            if now.record.registers.owed == 0:
                raise _EnoughError
            return await self._pay(now, request, now.record.registers.owed, is_settlement=True)

        await self._load_until_enough(request, do)

    async def _load_until_enough(self, request: Request, do: Do) -> None:
        with suppress(_EnoughError):
            await self.changing.change(request, do)

    async def _owe(self, held: Held, request: Request, permission: bytes | None) -> Changed:
        fund = await self.peers.any(Kind.TRANSACTION, FundOwed(permission or b"", held.record.funds + 1))
        act = Act(request.digest, request.id, None)
        return await self.peers.owner(request.serial, Load(held.meter, fund.fund, act))

    async def _pay(self, held: Held, request: Request, amount: int, *, is_settlement: bool = False) -> Changed:
        """Of whoever paid first under this number, which may be another request: `Changing.change` ends that one."""
        # Nobody's card is charged by what staff wrote into the database.
        await self.changing.check(held)
        record = held.record
        charge = Charge(
            account=record.account,
            serial=record.serial,
            number=record.funds + 1,
            amount=amount,
            request=request.digest,
            request_id=request.id,
            is_settlement=is_settlement,
        )
        signed = (await self.peers.any(Kind.PAYMENT, charge)).receipt
        receipt = read(Receipt, sign1.unverified_payload(signed))
        fund = await self.peers.any(Kind.TRANSACTION, FundPaid(signed))
        act = Act(receipt.request, receipt.reference, None)
        return await self.peers.owner(request.serial, Load(held.meter, fund.fund, act))


def mailer(held: Held) -> UserRecord:
    """Unchecked: an authentication box checks it when it is asked for permission."""
    return read(UserRecord, mac0.unchecked_payload(held.user))


def _is_low(held: Held) -> bool:
    rule = mailer(held).refill
    return rule is not None and held.record.registers.descending < rule.below


def derived(what: str, serial: str, of: Value) -> Request:
    """A request that follows from another one, or from a record: the same each time it is made."""
    octets = digest(encode([what, serial, of]))
    return Request(octets[:16], octets, serial)
