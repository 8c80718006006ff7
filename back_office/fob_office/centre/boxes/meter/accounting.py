"""Step d of the transaction: what a change does to registers, limits and state (M24, M29, M31).

A record gives a record; nothing is read or written. Freshness, time and epoch stay those of the record before.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from msgspec.structs import replace

from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.clocks import is_to_come
from fob_office.centre.words import Word
from fob_protocol.metering.amounts import amount_words
from fob_protocol.metering.kinds import Deed, MeterState
from fob_protocol.metering.limits import DAY
from fob_protocol.metering.records import Limits, MeterRecord
from fob_protocol.metering.values import Registers
from fob_protocol.metering.vouchers import FundRecord, KeyOrder
from fob_protocol.office.limits import COUNT_LIMIT

# As the record's elements are bounded.

# By an operator's word: from which states, to which.
_STATES: Final = {
    Deed.STOP: (frozenset((MeterState.ACTIVE, MeterState.STOPPED)), MeterState.STOPPED),
    Deed.RESUME: (frozenset((MeterState.ACTIVE, MeterState.STOPPED)), MeterState.ACTIVE),
    Deed.WITHDRAW: (frozenset(MeterState), MeterState.WITHDRAWN),
}
# Behind "the meter is stopped", which is what the word means.
_NOT_ACTIVE: Final = {MeterState.STOPPED: "the meter is stopped", MeterState.WITHDRAWN: "it is withdrawn"}


def franked(record: MeterRecord, amounts: Sequence[int], now: int) -> MeterRecord:
    """Postage for pieces. Raises BusRefusedError STOPPED, OVER_LIMIT, INSUFFICIENT_FUNDS."""
    limits = limits_after(record, amounts, now)
    total = sum(amounts)
    registers = record.registers
    # Last: who hears this may charge a card for what is missing.
    if total > registers.descending:
        there, needed = _words(record, registers.descending), _words(record, total)
        raise BusRefusedError(Word.INSUFFICIENT_FUNDS, f"{there} are there; {needed} are needed")
    moved = replace(
        registers,
        ascending=registers.ascending + total,
        descending=registers.descending - total,
        pieces=registers.pieces + len(amounts),
    )
    return _counted(record, moved, limits=limits)


def limits_after(record: MeterRecord, amounts: Sequence[int], now: int) -> Limits:
    """The limits, these pieces counted, whatever money is there. Raises BusRefusedError STOPPED, OVER_LIMIT."""
    check_active(record)
    limits = record.limits
    if max(amounts) > limits.piece:
        raise BusRefusedError(Word.OVER_LIMIT, f"at most {_words(record, limits.piece)} for a piece")
    # A clock that was put back gives no second day.
    day = max(limits.day, now // DAY)
    spent = (limits.spent if day == limits.day else 0) + sum(amounts)
    if spent > limits.daily:
        most = f"at most {_words(record, limits.daily)} for a day"
        raise BusRefusedError(Word.OVER_LIMIT, most + _until(limits, now))
    return replace(limits, spent=spent, day=day)


def _until(limits: Limits, now: int) -> str:
    """Behind the limit of a day: how long one lasts for which a clock that was ahead has counted."""
    if not is_to_come(limits, now):
        return ""
    return f"; all days until {datetime.fromtimestamp(limits.day * DAY, UTC):%Y-%m-%d} are one"


def loaded(record: MeterRecord, fund: FundRecord) -> MeterRecord:
    """Money that came, or will. Raises BusRefusedError TAMPERING, STOPPED, OVER_LIMIT."""
    if fund.receipt is None:
        _check_state(record, MeterState.ACTIVE)
    # What was taken of the mailer before the meter was stopped or withdrawn is his: from here it can go back.
    _check_fund(record, fund)
    if fund.amount == 0:
        raise BusRefusedError(Word.TAMPERING, "a load of nothing")
    registers = record.registers
    owed = registers.owed + (fund.amount if fund.receipt is None else 0)
    if owed > max(record.limits.credit, registers.owed):
        raise BusRefusedError(Word.OVER_LIMIT, f"at most {_words(record, record.limits.credit)} may be owed")
    moved = replace(
        registers,
        descending=registers.descending + fund.amount,
        loads=registers.loads + fund.amount,
        owed=owed,
    )
    return _funded(record, moved, fund)


def settled(record: MeterRecord, fund: FundRecord) -> MeterRecord:
    """What was owed, paid. Raises BusRefusedError TAMPERING, OVER_LIMIT."""
    _check_fund(record, fund)
    registers = record.registers
    if fund.receipt is None:
        raise BusRefusedError(Word.TAMPERING, "a settlement that nobody paid")
    if fund.amount > registers.owed:
        raise BusRefusedError(Word.OVER_LIMIT, f"{_words(record, registers.owed)} are owed")
    return _funded(record, replace(registers, owed=registers.owed - fund.amount), fund)


def refunded(record: MeterRecord, amount: int) -> MeterRecord:
    """Money back, of what was paid. Raises BusRefusedError STOPPED, INSUFFICIENT_FUNDS."""
    _check_state(record, MeterState.ACTIVE, MeterState.WITHDRAWN)
    registers = record.registers
    paid = registers.descending - registers.owed
    if not 0 < amount <= paid:
        raise BusRefusedError(Word.INSUFFICIENT_FUNDS, f"{_words(record, max(paid, 0))} can be given back")
    moved = replace(registers, descending=registers.descending - amount, loads=registers.loads - amount)
    return _counted(record, moved)


def credited(record: MeterRecord, amount: int) -> MeterRecord:
    """An indicium of this amount, given back. Raises BusRefusedError STOPPED."""
    _check_state(record, MeterState.ACTIVE, MeterState.WITHDRAWN)
    registers = record.registers
    moved = replace(registers, descending=registers.descending + amount, loads=registers.loads + amount)
    return _counted(record, moved)


def obeyed(record: MeterRecord, order: KeyOrder, now: int) -> MeterRecord:
    """What an operator wants of the meter whose record has this counter.

    Raises BusRefusedError STALE, TAMPERING, STOPPED.
    """
    if order.counter != record.registers.counter:
        raise BusRefusedError(Word.STALE, "the order is for another record of this meter")
    if order.deed == Deed.CHANGE and order.limits is not None:
        # What was spent today stays spent; what was spent by a clock that was ahead, too: from now on that was today.
        day = now // DAY if is_to_come(record.limits, now) else record.limits.day
        limits = replace(order.limits, spent=record.limits.spent, day=day)
        return _counted(record, record.registers, limits=limits)
    if order.deed not in _STATES or order.limits is not None:
        raise BusRefusedError(Word.TAMPERING, "no such order")
    states, state = _STATES[order.deed]
    _check_state(record, *states)
    return _counted(record, record.registers, state=state)


def check_active(record: MeterRecord) -> None:
    """Money is taken for no other meter. Raises BusRefusedError STOPPED."""
    _check_state(record, MeterState.ACTIVE)


def _words(record: MeterRecord, amount: int) -> str:
    """As the mailer writes it."""
    return amount_words(record.value_kind, amount)


def _check_state(record: MeterRecord, *states: MeterState) -> None:
    if record.state not in states:
        raise BusRefusedError(Word.STOPPED, _NOT_ACTIVE[record.state])


def _check_fund(record: MeterRecord, fund: FundRecord) -> None:
    """An old receipt loads nothing again, and none is left out; the first that is paid has the fee, once (M30).

    What is owed has the counter of the record that it goes onto: numbers are of what was taken, each of which comes in.
    """
    due_number = record.registers.counter if fund.receipt is None else record.funds + 1
    if fund.number != due_number:
        raise BusRefusedError(Word.TAMPERING, f"fund record {fund.number}, where {due_number} is next")
    due = 0 if fund.receipt is None else record.fee
    if fund.fee != due:
        raise BusRefusedError(Word.TAMPERING, f"{fund.fee} for signing up, where {due} are due")


def _funded(record: MeterRecord, registers: Registers, fund: FundRecord) -> MeterRecord:
    funds = record.funds if fund.receipt is None else fund.number
    return replace(_counted(record, registers, funds=funds), fee=record.fee - fund.fee)


def _counted(
    record: MeterRecord,
    registers: Registers,
    *,
    state: MeterState | None = None,
    funds: int | None = None,
    limits: Limits | None = None,
) -> MeterRecord:
    counted = replace(registers, counter=registers.counter + 1)
    if not counted.is_lawful:
        raise BusRefusedError(Word.TAMPERING, "the registers break the law of meters")
    if max(counted.loads, counted.ascending) > COUNT_LIMIT:
        raise BusRefusedError(Word.OVER_LIMIT, "the registers hold no more")
    return replace(
        record,
        registers=counted,
        state=record.state if state is None else state,
        funds=record.funds if funds is None else funds,
        limits=record.limits if limits is None else limits,
    )
