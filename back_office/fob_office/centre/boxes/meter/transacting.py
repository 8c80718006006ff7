"""The transaction, in its order (M20; docs/meter-protocol.md, section 5). Nothing is changed by what is refused."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import structlog
from msgspec.structs import replace

from fob_office.centre.boxes import codes
from fob_office.centre.boxes.meter import accounting, tokens
from fob_office.centre.boxes.meter.freshness import Found, compare, fresh_value, is_of
from fob_office.centre.boxes.meter.keeping import Keeper
from fob_office.centre.boxes.meter.knowing import Knowing
from fob_office.centre.boxes.meter.points import CrashPoint, Reached
from fob_office.centre.boxes.meter.standing import (
    Standing,
    rows_of,
)
from fob_office.centre.boxes.meter.tokens import TokenKey
from fob_office.centre.boxes.meter.verifying import Asked, Verified, Verifier
from fob_office.centre.boxes.vault import Vault
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.bus.passes import Pass
from fob_office.centre.commands.meter import (
    Act,
    Begin,
    Changed,
    Credit,
    Frank,
    Load,
    Obey,
    Refund,
)
from fob_office.centre.next_step import with_next
from fob_office.centre.words import Word
from fob_office.surroundings import Surroundings
from fob_protocol.metering.epochs import epoch_of
from fob_protocol.metering.indicium import Indicium
from fob_protocol.metering.kinds import Deed, MeterState
from fob_protocol.metering.records import Fresh, MeterRecord
from fob_protocol.metering.values import Indicated, Registers
from fob_protocol.metering.vouchers import MeterOrder
from fob_protocol.office.errors import OfficeError
from fob_protocol.office.hashing import digest
from fob_protocol.office.message import read

log = structlog.get_logger(__name__)


class Draft(NamedTuple):
    """What step d gives: the record with its new content, what it is about, and the indicia, which have no tokens."""

    record: MeterRecord
    amount: int
    indicia: tuple[Indicium, ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """A change that was asked for at a time, and `voucher`, which permits it."""

    act: Act
    deed: Deed
    voucher: bytes
    now: int


class Transactions:
    """Changes meters that this box owns, for function servers."""

    def __init__(
        self,
        vault: Vault,
        verifier: Verifier,
        keeper: Keeper,
        knowing: Knowing,
        surroundings: Surroundings,
        reached: Reached,
    ) -> None:
        self._vault = vault
        self._verifier = verifier
        self._keeper = keeper
        self._knowing = knowing
        self._surroundings = surroundings
        self._reached = reached

    async def begin(self, peer: Pass, command: Begin) -> Changed:
        """A new meter, once for each serial."""
        now = self._surroundings.clock()
        order = self._verifier.meter_order(command.order, command.act)
        wanted = Wanted(command.act, Deed.CREATE, command.order, now)
        async with self._knowing.turns.of(order.serial):
            await self._keeper.ready(order.serial)
            standing = self._knowing.standing(order.serial)
            if standing is not None:
                if not is_of(standing, command.act, Deed.CREATE):
                    # A steel box that was put back gives out its serials again, which `status` finds.
                    why = "the meter was begun already, by another order, as a steel box that was put back makes it"
                    raise await self._knowing.tampering(order.serial, with_next(why, "status"))
                return await self._knowing.again(order.serial, standing)
            first = _first(order, now)
            key = tokens.unwrap(self._vault, first)
            return await self._do(wanted, None, Draft(first, 0), key)

    async def frank(self, peer: Pass, command: Frank) -> Changed:
        """All pieces, or none."""
        given, now = self._given(command.record)
        wanted = Wanted(command.act, Deed.FRANK, command.permission, now)
        pieces = tokens.read_pieces(command.pieces)
        amounts = [piece.amount for piece in pieces]
        total = sum(amounts)
        asked = Asked(command.act, Deed.FRANK, total, digest(command.pieces))
        self._verifier.permission(command.permission, given.record, asked, now)

        def draft(key: TokenKey) -> Draft:
            after = accounting.franked(given.record, amounts, now)
            return Draft(after, total, tokens.indicia_of(pieces, given.record, after, now))

        return await self._change(given, wanted, draft)

    async def load(self, peer: Pass, command: Load) -> Changed:
        """Money that came, or a settlement."""
        given, now = self._given(command.record)
        record = given.record
        fund = self._verifier.fund(command.fund, record, command.act)
        deed, does = (Deed.SETTLE, accounting.settled) if fund.is_settlement else (Deed.LOAD, accounting.loaded)
        wanted = Wanted(command.act, deed, command.fund, now)
        return await self._change(given, wanted, lambda key: Draft(does(record, fund), fund.amount))

    async def refund(self, peer: Pass, command: Refund) -> Changed:
        """Money back."""
        given, now = self._given(command.record)
        wanted = Wanted(command.act, Deed.REFUND, command.permission, now)
        asked = Asked(command.act, Deed.REFUND, None, None)
        amount = self._verifier.permission(command.permission, given.record, asked, now).amount
        return await self._change(given, wanted, lambda key: Draft(accounting.refunded(given.record, amount), amount))

    async def credit(self, peer: Pass, command: Credit) -> Changed:
        """An indicium that was not used, given back."""
        given, now = self._given(command.record)
        record, unused = given.record, command.unused
        wanted = Wanted(command.act, Deed.CREDIT, command.permission, now)
        try:
            amount = read(Indicium, unused.indicium).amount
        except OfficeError as error:
            raise BusRefusedError(Word.NO_REFUND, f"no indicium: {error}") from None
        shown = digest(Indicated(unused.indicium, unused.token).octets())
        self._verifier.permission(command.permission, record, Asked(command.act, Deed.CREDIT, amount, shown), now)

        def draft(key: TokenKey) -> Draft:
            indicium = tokens.genuine(key, record, unused)
            if indicium is None:
                raise BusRefusedError(Word.NO_REFUND, "this meter made no such indicium")
            if self._knowing.is_given_back(indicium):
                raise BusRefusedError(Word.NO_REFUND, "it was given back before")
            return Draft(accounting.credited(record, amount), amount, (indicium,))

        return await self._change(given, wanted, draft)

    async def obey(self, peer: Pass, command: Obey) -> Changed:
        """What an operator wants."""
        given, now = self._given(command.record)
        order = self._verifier.key_order(command.order, given.record)
        wanted = Wanted(command.act, order.deed, command.order, now)
        return await self._change(given, wanted, lambda key: Draft(accounting.obeyed(given.record, order, now), 0))

    def _given(self, signed: bytes) -> tuple[Verified, int]:
        """Step a, as far as it is about the record; and the time."""
        return self._verifier.record(signed), self._surroundings.clock()

    async def _change(self, given: Verified, wanted: Wanted, draft: Callable[[TokenKey], Draft]) -> Changed:
        """Steps b to h."""
        serial = given.record.serial
        async with self._knowing.turns.of(serial):
            await self._keeper.ready(serial)
            standing = self._knowing.standing(serial)
            if standing is not None and _is_again(standing, given, wanted):
                return await self._knowing.again(serial, standing)
            await self._knowing.check_newest(standing, given)
            key = tokens.unwrap(self._vault, given.record)
            return await self._do(wanted, given.signed_digest, draft(key), key)

    async def _do(self, wanted: Wanted, before: bytes | None, draft: Draft, key: TokenKey) -> Changed:
        """Steps e to h. Nothing is awaited between the look at the standing and the order to write the next one."""
        after = replace(
            draft.record,
            freshness=fresh_value(draft.record.freshness.kind, self._surroundings.random, wanted.now),
            last=wanted.act.request_digest,
            time=wanted.now,
            epoch=codes.epoch_after(draft.record.epoch, wanted.now),
        )
        standing = Standing(
            view=self._keeper.view,
            counter=after.registers.counter,
            run=self._keeper.run,
            act=wanted.act,
            deed=wanted.deed,
            amount=draft.amount,
            before=before,
            record=after.octets(),
            indicia=tuple(indicium.octets() for indicium in draft.indicia),
            time=wanted.now,
            voucher=wanted.voucher,
        )
        self._reached(CrashPoint.BEFORE_E)
        await self._keeper.keep(after.serial, rows_of(after.serial, standing))
        self._reached(CrashPoint.AFTER_E)
        changed = self._knowing.made(standing, after, draft.indicia, key)
        self._verifier.remember(standing.record, after)
        self._reached(CrashPoint.BEFORE_H)
        return changed


def _is_again(standing: Standing, given: Verified, wanted: Wanted) -> bool:
    return is_of(standing, wanted.act, wanted.deed) and compare(standing, given) is not Found.WRONG


def _first(order: MeterOrder, now: int) -> MeterRecord:
    """The first record of a meter."""
    return MeterRecord(
        serial=order.serial,
        account=order.account,
        value_kind=order.value_kind,
        state=MeterState.ACTIVE,
        registers=Registers(1, 0, 0, 0, 0, 0),
        freshness=Fresh(order.freshness, None, None),
        funds=0,
        limits=order.limits,
        key_version=order.key_version,
        token_key=order.token_key,
        last=order.request_digest,
        time=now,
        epoch=epoch_of(now),
        fee=order.fee,
    )
