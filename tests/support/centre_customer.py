"""What stands between a mailer and a meter box in the tests: a database of one record each, and a way to ask again."""

from dataclasses import dataclass, field
from typing import Any

import msgspec

from fob_office.centre.boxes.separation import Purpose
from fob_office.centre.bus.commands import Command
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.commands.meter import (
    Act,
    Begin,
    Changed,
    Credit,
    Frank,
    Load,
    Look,
    Looked,
    Made,
    Obey,
    Refund,
)
from fob_protocol.cose import mac0
from fob_protocol.cose.labels import Label
from fob_protocol.metering.indicium import Indicium, is_token
from fob_protocol.metering.kinds import Deed, Freshness
from fob_protocol.metering.records import Limits, MeterRecord
from fob_protocol.metering.transaction import TransactionRecord
from fob_protocol.metering.values import Indicated, Registers
from fob_protocol.office.hashing import digest
from fob_protocol.office.message import read
from support.centre_meters import LIMITS, Meters, opened, pieces_of


@dataclass
class Customer:
    """One meter with its place in the database: `record` is the one stored, `done` what was stored by request."""

    world: Meters
    serial: str = "M-1"
    box: str = "meter-1"
    record: bytes = b""
    records: list[bytes] = field(default_factory=list)
    done: dict[bytes, Changed] = field(default_factory=dict)

    @property
    def meter(self) -> MeterRecord:
        """What is stored."""
        return opened(self.record)

    @property
    def registers(self) -> Registers:
        """What is stored."""
        return self.meter.registers

    async def begin(
        self, kind: Freshness = Freshness.COUNTER, limits: Limits = LIMITS, act: Act | None = None
    ) -> Changed:
        act = act or self.world.act()
        return await self.change(Begin(self.world.meter_order(self.serial, act, kind, limits), act))

    async def frank(self, *amounts: int, act: Act | None = None) -> Changed:
        return await self.change(self.frank_command(*amounts, act=act))

    async def load(self, amount: int, *, act: Act | None = None, **how: Any) -> Changed:
        return await self.change(self.load_command(amount, act=act, **how))

    async def refund(self, amount: int) -> Changed:
        return await self.change(self.refund_command(amount))

    async def credit(self, unused: Made) -> Changed:
        return await self.change(self.credit_command(unused))

    async def obey(self, deed: Deed, limits: Limits | None = None) -> Changed:
        order = self.world.key_order(self.serial, self.registers.counter, deed, limits)
        return await self.change(Obey(self.record, order, self.world.act()))

    async def look(self, *made: Made, record: bytes | None = None) -> Looked:
        return await self.world.ask(self.box, Look(self.record if record is None else record, made))

    def frank_command(self, *amounts: int, act: Act | None = None, record: bytes | None = None) -> Frank:
        act = act or self.world.act()
        pieces = pieces_of(*amounts)
        permission = self.world.permission(self.serial, act, Deed.FRANK, sum(amounts), pieces)
        return Frank(self.record if record is None else record, permission, pieces, act)

    def load_command(self, amount: int, *, act: Act | None = None, number: int | None = None, **how: Any) -> Load:
        act = act or self.world.act()
        if number is None:
            number = self.meter.funds + 1 if how.get("is_paid", True) else self.registers.counter
        return Load(self.record, self.world.fund(self.serial, act, number, amount, **how), act)

    def refund_command(self, amount: int, *, act: Act | None = None) -> Refund:
        act = act or self.world.act()
        return Refund(self.record, self.world.permission(self.serial, act, Deed.REFUND, amount), act)

    def credit_command(self, unused: Made, *, act: Act | None = None) -> Credit:
        act = act or self.world.act()
        amount = read(Indicium, unused.indicium).amount
        shown = Indicated(unused.indicium, unused.token).octets()
        permission = self.world.permission(self.serial, act, Deed.CREDIT, amount, shown)
        return Credit(self.record, permission, unused, act)

    async def change(self, command: Command[Changed]) -> Changed:
        """Ask once, and store what is answered."""
        changed = await self.world.ask(self.box, command)
        self.store(changed)
        return changed

    def store(self, changed: Changed) -> None:
        """Step 6: all or nothing; the same once."""
        kept = self.done.get(changed.act.request_digest)
        if kept is not None:
            assert kept == changed, "a request was answered in two ways"
            return
        before = digest(self.record) if self.record else None
        assert changed.before == before, "a record that does not follow the one stored"
        self.done[changed.act.request_digest] = changed
        self.record = changed.record
        self.records.append(changed.record)
        self.check(changed)

    def check(self, changed: Changed) -> None:
        """The law of meters, and no token without a debit."""
        assert self.registers.is_lawful
        assert self.registers.counter == len(self.records)
        loads = sum(_loads(each) for each in self.done.values())
        franked = sum(each.amount for each in self.done.values() if each.deed == Deed.FRANK)
        assert (self.registers.loads, self.registers.ascending) == (loads, franked)
        indicia = [read(Indicium, made.indicium) for made in changed.indicia]
        assert sum(indicium.amount for indicium in indicia) == (changed.amount if indicia else 0)
        key = self.world.token_keys[self.serial]
        assert all(is_token(key, indicium, made.token) for indicium, made in zip(indicia, changed.indicia, strict=True))
        self.check_change(changed)

    def check_change(self, changed: Changed) -> None:
        """What a transaction box will sign is this, to the last element."""
        change = read(TransactionRecord, mac0.unchecked_payload(changed.change))
        assert changed.change == self.world.signed(change, Label.CHANGE, Purpose.CHANGE, self.serial)
        registers, act = self.registers, changed.act
        assert change == TransactionRecord(
            act.request_id, self.serial, Deed(changed.deed), registers.counter, changed.amount, registers.ascending,
            registers.descending, registers.loads, registers.pieces,
            tuple(Indicated(made.indicium, made.token) for made in changed.indicia), act.integrity, changed.time,
            changed.before, digest(changed.record), change.fee,
        )  # fmt: skip


def _loads(changed: Changed) -> int:
    sign = {Deed.LOAD: 1, Deed.CREDIT: 1, Deed.REFUND: -1}
    return sign.get(Deed(changed.deed), 0) * changed.amount


def behind(refused: BusRefusedError) -> Changed:
    """What the box tells with the refusal."""
    assert (refused.word, refused.data is not None) == ("behind", True)
    return msgspec.msgpack.decode(refused.data or b"", type=Changed)
