"""What has to hold once all is settled: asked of the provider's book, the meters, the log, the post and the mailers."""

import io
import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Final

from fob_log_verify.main import main as verify_log
from fob_office.centre.bus.passes import Kind
from fob_office.centre.commands.database import FetchWarnings
from fob_office.centre.operating.auditing import audit_centre
from fob_office.centre.operating.log import export_log, newest_checkpoint
from fob_office.centre.operating.meters import GENUINE, settle, show_meter
from fob_office.centre.operating.operator import Operator, operating
from fob_office.centre.payment.process import FILE
from fob_office.centre.postal.asking import Post
from fob_office.centre.postal.verifying import OnPiece, Outcome
from fob_office.surroundings import SYSTEM
from fob_protocol.metering.answers import Franked, Loaded, Refunded
from fob_protocol.metering.kinds import Deed, Payment
from fob_protocol.metering.log.entry import Kind as Leaf
from fob_protocol.metering.parts import read_parts
from fob_protocol.metering.requests import FrankRequest, LoadRequest, Piece, RefundRequest
from fob_protocol.metering.transaction import TransactionRecord, unverified_transaction
from fob_protocol.metering.values import Indicated
from support.audits import silent
from support.log_entries import ENTRY_LIMIT, read_entry
from support.running_centre import RunningCentre
from support.soaked_account import REFILL, Account, Deal, given_back
from support.soaked_office import until
from support.soaked_phone import SoakedPhone

# Checkpoints that a witness keeps: the newest, against which the next export is held.
KEPT: Final = 5
# What is owed is charged from here on.
SETTLED: Final = 2_000


class Reckoning:
    """`checked` counts indicia that the post found genuine."""

    def __init__(self, centre: RunningCentre, folder: Path) -> None:
        self.checked = 0
        self.is_done = 0
        self._centre = centre
        self._folder = folder
        self._checkpoints: list[Path] = []
        self._judged: dict[str, int] = {}

    async def reckon(self, accounts: Sequence[Account], phone: SoakedPhone | None) -> None:
        """Nobody asks for anything meanwhile. Raises AssertionError."""
        async with operating(self._centre.folder, SYSTEM) as operator:
            for account in accounts:
                await self._judge_new(operator, account)
            transactions = await self._log(operator)
            for account in accounts:
                serial = account.mailer.serial
                check_log(account, [one for one in transactions if one.serial == serial])
                await self._check_money(account)
                if account.registers.owed > SETTLED:
                    await settle(operator, serial)
                    await self._check_money(account)
            if phone is not None:
                await self._check_phone(operator, phone, transactions)
            # Nobody takes a crash for staff.
            found = (await operator.any(Kind.DATABASE, FetchWarnings(0))).warnings
            assert not found, found
            audited = await audit_centre(operator, silent)
            assert (audited.findings.shown, audited.is_compared) == ([], True)
        self.is_done += 1

    async def _judge_new(self, operator: Operator, account: Account) -> None:
        """By the post, which notes nothing."""
        name = account.mailer.name
        deals = account.deals[self._judged.get(name, 0) :]
        self._judged[name] = len(account.deals)
        back = {deal.order.unused for deal in account.deals if isinstance(deal.order, RefundRequest)}
        await self._judge(operator, [one for deal in deals for one in deal.indicia], back)

    async def _judge(self, operator: Operator, shown: Sequence[Indicated], back: set[Indicated | None]) -> None:
        post = Post(operator.peers, operator.now, is_noted=False, run=b"soak")
        for one in shown:
            verdict = await post.verify(one, OnPiece())
            expected = Outcome.REFUNDED if one in back else Outcome.GENUINE
            assert verdict.outcome is expected, (verdict, expected)
            self.checked += 1

    async def _log(self, operator: Operator) -> list[TransactionRecord]:
        """All transactions of the exported log, which holds against each checkpoint that was kept."""
        exported = self._folder / "log"
        with exported.open("wb") as file:
            await export_log(operator, file, lambda _: None)
        said = io.StringIO()
        with redirect_stdout(said), redirect_stderr(said):
            status = verify_log([str(exported), *map(str, self._checkpoints)])
        assert status == 0, said.getvalue()
        newest = await newest_checkpoint(operator)
        if newest is not None:
            kept = self._folder / f"checkpoint-{self.is_done}"
            kept.write_bytes(newest[0])
            self._checkpoints = [*self._checkpoints[1 - KEPT :], kept]
        with exported.open("rb") as opened:
            _, *leaves = read_parts(opened, ENTRY_LIMIT)
        entries = [entry for entry in map(read_entry, leaves) if entry.kind == Leaf.TRANSACTION_RECORD]
        return [unverified_transaction(entry.content) for entry in entries]

    async def _check_money(self, account: Account) -> None:
        """The law of meters, the provider's book, and what the mailer was answered."""
        refunds = sum(_amount(deal) for deal in account.of(Refunded) if not given_back(deal))
        serial = account.mailer.serial
        # Function servers pay back what went out of a meter, by and by.
        await until(lambda: self._paid(serial)[1] == refunds, lambda: f"paid back {self._paid(serial)[1]} of {refunds}")
        registers = (await account.mailer.about()).registers
        account.registers = registers
        charged, _ = self._paid(serial)
        credited = sum(given_back(deal) for deal in account.of(Refunded))
        franked = [piece.amount for deal in account.of(Franked) for piece in _pieces(deal)]
        assert registers.is_lawful, registers
        assert (registers.ascending, registers.pieces) == (sum(franked), len(franked)), (account.mailer.name, registers)
        _check_over(account, charged - refunds - (registers.loads - credited - registers.owed))
        if account.payment == Payment.PER_USE:
            assert registers.descending == 0, registers
        elif account.refill is None:
            loads = sum(_amount(deal) for deal in account.of(Loaded))
            assert registers.loads == loads + credited - refunds, (registers, loads, credited, refunds)

    async def _check_phone(
        self, operator: Operator, phone: SoakedPhone, transactions: Sequence[TransactionRecord]
    ) -> None:
        """Each batch was franked whole and once; phone, computer and data centre know of the same pieces."""
        meter = phone.meter()
        serial = str(meter["serial"])
        assert not meter["fault"], meter
        shown = await show_meter(operator, serial)
        registers = shown.meter.registers
        assert shown.checked == GENUINE
        own = [one for one in transactions if one.serial == serial]
        franked = {one.counter: one for one in own if one.deed == Deed.FRANK}
        kept = phone.kept()
        assert {one["counter"] for one in kept} == set(franked)
        pieces = Counter(dict.fromkeys(phone.jobs, 0))
        for one in kept:
            pieces[one["job"]] += one["pieces"]
        assert pieces == phone.jobs
        charged, paid_back = self._paid(serial)
        assert registers.is_lawful
        assert (registers.loads, paid_back) == (charged, 0), (registers, charged)
        amount = sum(one.amount for one in franked.values())
        assert (registers.ascending, registers.pieces) == (amount, sum(pieces.values()))
        assert (meter["ascending"], meter["descending"]) == (registers.ascending, registers.descending), meter
        new = [one for counter, one in franked.items() if counter > self._judged.get(serial, 0)]
        await self._judge(operator, [indicated for one in new for indicated in one.indicia], set())
        self._judged[serial] = max(franked, default=0)

    def _paid(self, serial: str) -> tuple[int, int]:
        """Charged and paid back."""
        with closing(sqlite3.connect(self._centre.folder / "payment-1" / FILE)) as book:
            amounts = [amount for (amount,) in book.execute("SELECT amount FROM payments WHERE serial = ?", (serial,))]
        return sum(amount for amount in amounts if amount > 0), -sum(amount for amount in amounts if amount < 0)


def check_log(account: Account, transactions: Sequence[TransactionRecord]) -> None:
    """One transaction for each request that was answered, and for none that was not. Raises AssertionError."""
    name = account.mailer.name
    times = Counter(one.request_id for one in transactions)
    assert not [request.hex() for request, count in times.items() if count > 1], f"{name}: done twice"
    found = {one.request_id: one for one in transactions}
    assert len({deal.order.request_id for deal in account.deals}) == len(account.deals)
    for deal in account.deals:
        one = found[deal.order.request_id]
        assert one == unverified_transaction(deal.answer.transaction), name
        # That of an indicium that was given back names it too.
        assert one.indicia == deal.indicia or given_back(deal), f"{name}: other tokens were answered than were made"
    count = Counter(one.deed for one in transactions)
    assert count[Deed.FRANK] == len(account.of(Franked)), f"{name}: a debit without a token"
    given = sum(1 for deal in account.of(Refunded) if given_back(deal))
    assert (count[Deed.CREDIT], count[Deed.REFUND]) == (given, len(account.of(Refunded)) - given), name
    if account.refill is None and account.payment != Payment.PER_USE:
        assert count[Deed.LOAD] == len(account.of(Loaded)), name


def _check_over(account: Account, over: int) -> None:
    """A refill that was charged, and cut before it was loaded, is ended when the next one is due."""
    assert over == 0 or (account.refill is not None and over == REFILL.amount), (account.mailer.name, over)


def _pieces(deal: Deal) -> Sequence[Piece]:
    return deal.order.pieces if isinstance(deal.order, FrankRequest) else ()


def _amount(deal: Deal) -> int:
    return (deal.order.amount or 0) if isinstance(deal.order, LoadRequest | RefundRequest) else 0
