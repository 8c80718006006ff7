"""The transaction, in its order (M20; docs/meter-protocol.md, section 5). Nothing is changed by what is refused."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import msgspec
import structlog
from msgspec.structs import replace

from fob_office.centre.boxes import codes
from fob_office.centre.boxes.meter import accounting, tokens
from fob_office.centre.boxes.meter.changes import change_of
from fob_office.centre.boxes.meter.freshness import Found, compare, fresh_value, is_of
from fob_office.centre.boxes.meter.keeping import Keeper
from fob_office.centre.boxes.meter.points import CrashPoint, Reached
from fob_office.centre.boxes.meter.shelf import Shelf
from fob_office.centre.boxes.meter.standing import (
    CREDITS,
    STANDINGS,
    Standing,
    credit_key,
    read_standing,
    rows_of,
    standing_key,
)
from fob_office.centre.boxes.meter.tokens import TokenKey
from fob_office.centre.boxes.meter.verifying import Asked, Verified, Verifier
from fob_office.centre.boxes.turns import Turns
from fob_office.centre.boxes.vault import Vault
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.bus.passes import Pass
from fob_office.centre.commands.meter import (
    Act,
    Begin,
    Changed,
    Credit,
    DueSaid,
    Frank,
    LastChange,
    Load,
    Look,
    Looked,
    Obey,
    Refund,
    SayDue,
    TokensVerified,
    VerifyTokens,
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
    """Answers function servers, post and operators about the meters that this box owns."""

    def __init__(
        self, vault: Vault, store: Shelf, keeper: Keeper, surroundings: Surroundings, reached: Reached
    ) -> None:
        self._vault = vault
        self._verifier = Verifier(vault)
        self._store = store
        self._keeper = keeper
        self._surroundings = surroundings
        self._reached = reached
        self._turns = Turns()

    async def begin(self, peer: Pass, command: Begin) -> Changed:
        """A new meter, once for each serial."""
        now = self._surroundings.clock()
        order = self._verifier.meter_order(command.order, command.act)
        wanted = Wanted(command.act, Deed.CREATE, command.order, now)
        async with self._turns.of(order.serial):
            await self._keeper.ready(order.serial)
            standing = self._standing(order.serial)
            if standing is not None:
                if not is_of(standing, command.act, Deed.CREATE):
                    # A steel box that was put back gives out its serials again, which `status` finds.
                    why = "the meter was begun already, by another order, as a steel box that was put back makes it"
                    raise await self._tampering(order.serial, with_next(why, "status"))
                return await self._again(order.serial, standing)
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
            if self._is_given_back(indicium):
                raise BusRefusedError(Word.NO_REFUND, "it was given back before")
            return Draft(accounting.credited(record, amount), amount, (indicium,))

        return await self._change(given, wanted, draft)

    async def obey(self, peer: Pass, command: Obey) -> Changed:
        """What an operator wants."""
        given, now = self._given(command.record)
        order = self._verifier.key_order(command.order, given.record)
        wanted = Wanted(command.act, order.deed, command.order, now)
        return await self._change(given, wanted, lambda key: Draft(accounting.obeyed(given.record, order, now), 0))

    async def look(self, peer: Pass, command: Look) -> Looked:
        """Whether a record is the newest, and whose tokens are its meter's (M26)."""
        given = self._verifier.record(command.record)
        record = given.record
        async with self._turns.of(record.serial):
            await self._keeper.ready(record.serial)
            await self._check_newest(self._standing(record.serial), given)
            await self._keeper.confirm(record.serial)
            key = tokens.unwrap(self._vault, record)
            return Looked(tuple(tokens.genuine(key, record, made) is not None for made in command.tokens))

    async def say_due(self, peer: Pass, command: SayDue) -> DueSaid:
        """For a transaction box: so nothing is charged but by the newest record, of a meter that is active.

        Nor for pieces that this meter would not frank, had it the money.
        """
        given, now = self._given(command.record)
        record = given.record
        async with self._turns.of(record.serial):
            await self._keeper.ready(record.serial)
            await self._check_newest(self._standing(record.serial), given)
            await self._keeper.confirm(record.serial)
            accounting.check_active(record)
            if command.pieces is not None:
                _check_pieces(record, command.pieces, now)
            return DueSaid(self._verifier.due(record, command.pieces, now))

    async def verify_tokens(self, peer: Pass, command: VerifyTokens) -> TokensVerified:
        """Whose tokens are a meter's, owned here or not (M15, M26)."""
        record = self._verifier.record(command.record).record
        key = tokens.unwrap(self._vault, record)
        indicia = [tokens.genuine(key, record, made) for made in command.tokens]
        return TokensVerified(tuple(each is not None for each in indicia), tuple(map(self._is_given_back, indicia)))

    async def last_change(self, peer: Pass, command: LastChange) -> Changed:
        """The standing of a meter."""
        async with self._turns.of(command.serial):
            await self._keeper.ready(command.serial)
            standing = self._standing(command.serial)
            if standing is None:
                await self._keeper.confirm_unseen(command.serial)
                raise BusRefusedError(Word.NO_METER, f"{command.serial} was never begun")
            return await self._again(command.serial, standing)

    def _given(self, signed: bytes) -> tuple[Verified, int]:
        """Step a, as far as it is about the record; and the time."""
        return self._verifier.record(signed), self._surroundings.clock()

    async def _change(self, given: Verified, wanted: Wanted, draft: Callable[[TokenKey], Draft]) -> Changed:
        """Steps b to h."""
        serial = given.record.serial
        async with self._turns.of(serial):
            await self._keeper.ready(serial)
            standing = self._standing(serial)
            if standing is not None and _is_again(standing, given, wanted):
                return await self._again(serial, standing)
            await self._check_newest(standing, given)
            key = tokens.unwrap(self._vault, given.record)
            return await self._do(wanted, given.signed_digest, draft(key), key)

    async def _check_newest(self, standing: Standing | None, given: Verified) -> None:
        """Step b. Raises BusRefusedError BEHIND, TAMPERING; EPOCH_ROLLBACK: by the key of a month before (M11)."""
        serial = given.record.serial
        if standing is None:
            await self._keeper.confirm_unseen(serial)
            raise await self._tampering(serial, "this box has never seen the meter")
        match compare(standing, given):
            case Found.BEFORE:
                changed = await self._again(serial, standing)
                data = msgspec.msgpack.encode(changed)
                raise BusRefusedError(Word.BEHIND, "the change after this record is not stored", data)
            case Found.WRONG:
                told = f"record {given.record.registers.counter}, where {standing.counter} is the newest"
                is_rolled_back = given.record.epoch < read(MeterRecord, standing.record).epoch
                raise await self._tampering(serial, told, Word.EPOCH_ROLLBACK if is_rolled_back else Word.TAMPERING)

    async def _do(self, wanted: Wanted, before: bytes | None, draft: Draft, key: TokenKey) -> Changed:
        """Steps e to h. Nothing is awaited between the look at the standing and the order to write the next one."""
        after = replace(
            draft.record,
            freshness=fresh_value(draft.record.freshness.kind, self._surroundings.random, wanted.now),
            last=wanted.act.request,
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
        changed = self._made(standing, after, draft.indicia, key)
        self._verifier.remember(standing.record, after)
        self._reached(CrashPoint.BEFORE_H)
        return changed

    def _made(self, standing: Standing, after: MeterRecord, indicia: tuple[Indicium, ...], key: TokenKey) -> Changed:
        """Steps f and g: always the same of one standing."""
        record = self._verifier.sign(standing.record, after.serial, after.epoch)
        made = tokens.with_tokens(key, indicia, standing.indicia)
        return Changed(
            act=standing.act,
            deed=standing.deed,
            amount=standing.amount,
            before=standing.before,
            record=record,
            indicia=made,
            time=standing.time,
            voucher=standing.voucher,
            change=change_of(self._vault, standing, after, record, made),
        )

    async def _again(self, serial: str, standing: Standing) -> Changed:
        """What was answered, or would have been."""
        await self._keeper.confirm(serial)
        after = read(MeterRecord, standing.record)
        indicia = tuple(read(Indicium, octets) for octets in standing.indicia)
        return self._made(standing, after, indicia, tokens.unwrap(self._vault, after))

    async def _tampering(self, serial: str, why: str, word: Word = Word.TAMPERING) -> BusRefusedError:
        """Unless this box has lost the meter to another one, and cannot know."""
        await self._keeper.confirm(serial)
        log.warning("a record that should not have come", serial=serial, why=why)
        return BusRefusedError(word, f"{serial}: {why}")

    def _is_given_back(self, indicium: Indicium | None) -> bool:
        if indicium is None:
            return False
        # An empty row is of a credit that was taken back.
        return bool(self._store.get(CREDITS, credit_key(indicium.serial, indicium.counter, indicium.piece)))

    def _standing(self, serial: str) -> Standing | None:
        octets = self._store.get(STANDINGS, standing_key(serial))
        return read_standing(octets) if octets else None


def _is_again(standing: Standing, given: Verified, wanted: Wanted) -> bool:
    return is_of(standing, wanted.act, wanted.deed) and compare(standing, given) is not Found.WRONG


def _check_pieces(record: MeterRecord, octets: bytes, now: int) -> None:
    """But for the money they could be franked. Raises BusRefusedError OVER_LIMIT, MALFORMED."""
    pieces = tokens.read_pieces(octets)
    accounting.limits_after(record, [piece.amount for piece in pieces], now)
    tokens.indicia_of(pieces, record, record, now)


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
        last=order.request,
        time=now,
        epoch=epoch_of(now),
        fee=order.fee,
    )
