"""Money onto a meter (M29): it is charged or owed, then the meter box takes the fund record. Each number once."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.bus.passes import Kind
from fob_office.centre.commands.authentication import PermitRefill
from fob_office.centre.commands.meter import Act, Changed, Load, SayDue
from fob_office.centre.commands.payment import Charge, FetchPaid
from fob_office.centre.commands.transaction import FundOwed, FundPaid, OrderCharge
from fob_office.centre.following import PER_USE, REFILL, SETTLEMENT, derived_digest
from fob_office.centre.function.changing import Changing, Do
from fob_office.centre.function.held import Held, Request, own_request
from fob_office.centre.function.peers import Peers
from fob_office.centre.function.refusing import refused
from fob_office.centre.pieces import Resolved
from fob_office.centre.words import Word
from fob_protocol.cose import sign1
from fob_protocol.cose.cbor import Value
from fob_protocol.metering.amounts import amount_words
from fob_protocol.metering.kinds import Payment
from fob_protocol.metering.records import MeterRecord, Refill
from fob_protocol.metering.vouchers import Receipt
from fob_protocol.office.message import read
from fob_protocol.office.refusals import Refusal

# Gives the mailer's permission for a load that is paid afterwards.
Permit = Callable[[Held], Awaitable[bytes | None]]


@dataclass(frozen=True, slots=True)
class _Asked:
    """By whose permission money is taken: null for what is owed.

    `below`: of a refill; `request_id`: of a load; `pieces`: of a frank.
    """

    permission: bytes | None
    below: int | None = None
    request_id: bytes | None = None
    pieces: bytes | None = None


class _NotDueError(Exception):
    """After another change, which had to be ended first, this is not to be taken: who asked looks again."""


@dataclass(frozen=True, slots=True)
class Paying:
    """Of one function server. `deposit`: the least at once."""

    peers: Peers
    changing: Changing
    deposit: int

    async def load(self, request: Request, amount: int, permit: Permit) -> bytes:
        """What the mailer asked for. Raises BusRefusedError, RuleBrokenError."""
        is_owed = False

        async def do(held: Held) -> Changed:
            nonlocal is_owed
            if amount < self.deposit:
                least = amount_words(held.record.value_kind, self.deposit)
                raise refused(Refusal.PAYMENT_REFUSED, f"at least {least} at once")
            permission = await permit(held)
            is_owed = held.mailer.payment == Payment.POSTPAID
            if is_owed:
                return await self._owe(held, request, _Asked(permission))
            return await self._pay(held, request, _Asked(permission, None, request.id))

        async def taken(number: int) -> Do | None:
            return None if is_owed else await self._taken(request, number)

        return await self.changing.change(request, do, taken)

    async def refill(self, held: Held, needed: int = 0) -> None:
        """By the rule in the mailer's record, once for each record of the meter. Raises as `load`.

        A rule whose amount is less than the deposit is not carried out: nobody has permitted more. Nor is one for a
        frank (`needed`) that is refused even with it; what was taken before comes in first, for whatever it was.
        """
        record, rule = held.record, held.mailer.refill
        if rule is None or not is_low(record, rule):
            return
        if rule.amount < self.deposit:
            wanted, least = (amount_words(record.value_kind, one) for one in (rule.amount, self.deposit))
            why = f"no refill of {wanted}: at least {least} at once"
            raise refused(Refusal.INSUFFICIENT_FUNDS, why)
        if _is_short(record, rule, needed):
            if await self._bring_in_next(record):
                return
            raise refused(Refusal.INSUFFICIENT_FUNDS, _short_words(record, rule, needed))
        request = derived(REFILL, record.serial, record.registers.counter)

        async def do(now: Held) -> Changed:
            if not is_low(now.record, now.mailer.refill) or _is_short(now.record, now.mailer.refill, needed):
                raise _NotDueError
            # An authentication box says whose rule this is, or staff could write another amount.
            asked = PermitRefill(now.user, record.serial, record.registers.counter)
            permitted = await self.peers.any(Kind.AUTHENTICATION, asked)
            user = now.mailer
            by_rule = _Asked(permitted.permission, None if user.refill is None else user.refill.below)
            if user.payment == Payment.POSTPAID:
                return await self._owe(now, request, by_rule)
            return await self._pay(now, request, by_rule)

        await self._load_if_due(request, do)

    async def pay_per_use(self, held: Held, frank: bytes, pieces: Resolved, permission: bytes) -> None:
        """What is missing for a request (its digest) for these pieces, and its permission. Raises as `load`."""
        # Of this record: what was loaded for it before may have gone for another frank meanwhile.
        record = held.record
        request = derived(PER_USE, record.serial, [frank, record.registers.counter])

        async def do(now: Held) -> Changed:
            if pieces.amount <= now.record.registers.descending:
                raise _NotDueError
            return await self._pay(now, request, _Asked(permission, pieces=pieces.octets))

        if pieces.amount > record.registers.descending:
            await self._load_if_due(request, do)

    async def settle(self, held: Held) -> None:
        """What is owed, paid, and what signing up costs. Raises as `load`."""
        record = held.record
        if _is_settled(record):
            return
        request = derived(SETTLEMENT, record.serial, record.registers.counter)

        async def do(now: Held) -> Changed:
            if _is_settled(now.record):
                raise _NotDueError
            return await self._pay(now, request, _Asked(None))

        await self._load_if_due(request, do)

    async def brought_in(self, held: Held) -> Changed | None:
        """What was taken under the next number, and cut off, onto the meter. Raises as `load`."""
        asked = FetchPaid(held.record.serial, held.record.funds + 1)
        signed = (await self.peers.any(Kind.PAYMENT, asked)).receipt
        return None if signed is None else await self._fund(held, signed)

    async def _bring_in_next(self, record: MeterRecord) -> bool:
        """The same, beside what is under way; whether there was such a thing. Raises as `bring_in`."""
        asked = FetchPaid(record.serial, record.funds + 1)
        signed = (await self.peers.any(Kind.PAYMENT, asked)).receipt
        if signed is not None:
            await self.bring_in(signed)
        return signed is not None

    async def _taken(self, request: Request, number: int) -> Do | None:
        """What was taken for this request, and cut off. Raises BusRefusedError, CoseError, OfficeError."""
        signed = (await self.peers.any(Kind.PAYMENT, FetchPaid(request.serial, number))).receipt
        if signed is None or read(Receipt, sign1.unverified_payload(signed)).request_digest != request.digest:
            return None
        return lambda held: self._fund(held, signed)

    async def bring_in(self, signed: bytes) -> bytes | None:
        """Money that was taken, as a receipt says, onto its meter, where it is not: the answer to who asked for it.

        None: it is there, and no journal says so. Raises as `load`, CoseError, OfficeError.
        """
        receipt = read(Receipt, sign1.unverified_payload(signed))

        async def do(now: Held) -> Changed:
            if now.record.funds >= receipt.number:
                raise _NotDueError
            return await self._fund(now, signed)

        with suppress(_NotDueError):
            request = Request(receipt.request_id, receipt.request_digest, receipt.serial)
            return await self.changing.change(request, do, brings_in=True)
        return None

    async def _load_if_due(self, request: Request, do: Do) -> None:
        with suppress(_NotDueError):
            await self.changing.change(request, do)

    async def _owe(self, held: Held, request: Request, asked: "_Asked") -> Changed:
        due = (await self.peers.owner(request.serial, SayDue(held.meter, None))).due
        owed = FundOwed(due, asked.permission or b"", asked.below)
        fund = await self.peers.any(Kind.TRANSACTION, owed)
        act = Act(request.digest, request.id, None)
        return await self.peers.owner(request.serial, Load(held.meter, fund.fund, act))

    async def _pay(self, held: Held, request: Request, asked: "_Asked") -> Changed:
        """Of whoever paid first under this number, which may be another request: `Changing.change` ends that one."""
        # Nobody's card is charged by what staff wrote into the database.
        try:
            due = (await self.peers.owner(request.serial, SayDue(held.meter, asked.pieces))).due
        except BusRefusedError as error:
            if error.word == Word.STOPPED and (brought := await self.brought_in(held)) is not None:
                return brought
            raise
        order = OrderCharge(due, asked.permission, asked.below, asked.request_id)
        ordered = (await self.peers.any(Kind.TRANSACTION, order)).order
        return await self._fund(held, (await self.peers.any(Kind.PAYMENT, Charge(ordered))).receipt)

    async def _fund(self, held: Held, signed: bytes) -> Changed:
        receipt = read(Receipt, sign1.unverified_payload(signed))
        fund = await self.peers.any(Kind.TRANSACTION, FundPaid(signed))
        act = Act(receipt.request_digest, receipt.request_id, None)
        return await self.peers.owner(held.record.serial, Load(held.meter, fund.fund, act))


def is_low(record: MeterRecord, rule: Refill | None) -> bool:
    """Whether a refill is due."""
    return rule is not None and record.registers.descending < rule.below


def _is_short(record: MeterRecord, rule: Refill | None, needed: int) -> bool:
    """Also after a refill."""
    return rule is not None and record.registers.descending + rule.amount < needed


def _short_words(record: MeterRecord, rule: Refill, needed: int) -> str:
    there, brings, all_of_it = (
        amount_words(record.value_kind, amount) for amount in (record.registers.descending, rule.amount, needed)
    )
    return f"{there} are there, a refill brings {brings}; {all_of_it} are needed"


def _is_settled(record: MeterRecord) -> bool:
    return record.registers.owed == 0 and record.fee == 0


def derived(what: str, serial: str, of: Value) -> Request:
    """A request that follows from another one, or from a record: the same each time it is made."""
    return own_request(derived_digest(what, serial, of), serial)
