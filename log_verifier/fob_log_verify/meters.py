"""What the transactions of each meter have to be one after another, as far as anybody can see without a key.

One small object is kept for each meter, whatever number of transactions it has.
"""

from dataclasses import dataclass
from typing import Final

from fob_log_verify.findings import Finding, Outcome
from fob_log_verify.franked import Franked
from fob_log_verify.recoveries import Recovery
from fob_log_verify.transactions import Deed, Transaction

_FIRST_COUNTER: Final = 1


@dataclass(slots=True)
class _Gap:
    """Counters that were passed over, from `begin` to before `end`."""

    begin: int
    end: int
    finding: Finding


@dataclass(slots=True)
class _Meter:
    """After its newest transaction. `number`: of this meter, in the order of their first transactions."""

    number: int
    counter: int
    ascending: int
    loads: int
    pieces: int
    record: bytes
    gap: _Gap | None = None
    has_paid_fee: bool = False


class Meters:
    """All meters of a log. `franked` is told which of their transactions are not there."""

    def __init__(self, franked: Franked) -> None:
        self._meters: dict[str, _Meter] = {}
        self._franked = franked

    def __len__(self) -> int:
        return len(self._meters)

    def number_of(self, serial: str) -> int:
        """Of a meter that had a transaction."""
        return self._meters[serial].number

    def follow(self, place: int, transaction: Transaction) -> Finding | None:
        """What is wrong with the next transaction, which stands at this place of the log. Raises UnreadableError."""
        meter = self._meters.get(transaction.serial)
        if meter is None:
            return self._begin(place, transaction)
        if transaction.counter <= meter.counter:
            return _repeated(place, meter, transaction)
        finding = _finding(place, meter, transaction)
        if transaction.counter > meter.counter + 1:
            missing = f"{transaction.serial} goes from {meter.counter} to {transaction.counter}"
            finding = Finding(place, Outcome.DELETED, f"{missing}: what is between is not there")
            self._miss(meter, _Gap(meter.counter + 1, transaction.counter, finding))
        meter.counter, meter.ascending, meter.pieces = transaction.counter, transaction.ascending, transaction.pieces
        meter.loads, meter.record = transaction.loads, transaction.after
        meter.has_paid_fee |= transaction.fee > 0
        return finding

    def recovered(self, place: int, note: Recovery) -> None:
        """A note says why the newest transaction of this meter does not follow: it stands behind it."""
        meter = self._meters.get(note.of) if note.kind == "meter" else None
        if meter is None or meter.gap is None or (meter.gap.begin, meter.gap.end) != (note.before + 1, note.after):
            return
        finding = meter.gap.finding
        if finding.outcome is Outcome.DELETED:
            finding.outcome = Outcome.RECOVERED
            finding.why += f"; note at entry {place}: the database was put back; ask the operator"

    def _begin(self, place: int, transaction: Transaction) -> Finding | None:
        counter, serial = transaction.counter, transaction.serial
        number = len(self._meters)
        meter = _Meter(number, counter, transaction.ascending, transaction.loads, transaction.pieces, transaction.after)
        self._meters[serial] = meter
        if transaction.deed != Deed.CREATE or transaction.before is not None:
            finding = Finding(place, Outcome.DELETED, f"{serial} begins at {counter}: how it came to be is not there")
            self._miss(meter, _Gap(0, counter, finding))
            return finding
        if counter != _FIRST_COUNTER:
            why = f"{serial} is created with counter {counter}; the first record of a meter has {_FIRST_COUNTER}"
            return Finding(place, Outcome.UNLAWFUL, why)
        registers = transaction.ascending, transaction.descending, transaction.loads, transaction.pieces
        if any(registers) or transaction.fee:
            return Finding(place, Outcome.UNLAWFUL, f"{serial} begins with something in its registers")
        return None

    def _miss(self, meter: _Meter, gap: _Gap) -> None:
        meter.gap = gap
        self._franked.miss(meter.number, gap.begin, gap.end)


def _repeated(place: int, meter: _Meter, transaction: Transaction) -> Finding:
    """A counter that is not the next one: it was passed over, or it was there already."""
    name = transaction.name
    if meter.gap is not None and meter.gap.begin <= transaction.counter < meter.gap.end:
        earlier = meter.gap.finding
        earlier.outcome = Outcome.SWAPPED
        earlier.why = f"{name} comes later, at {place}"
        return Finding(place, Outcome.SWAPPED, f"{name} comes behind {meter.counter}")
    return Finding(place, Outcome.PUT_BACK, f"{name} was there before; {meter.counter} is its newest")


def _finding(place: int, meter: _Meter, transaction: Transaction) -> Finding | None:
    """Of a transaction that is the next one."""
    name = transaction.name
    if transaction.before != meter.record:
        return Finding(place, Outcome.BROKEN_CHAIN, f"{name} does not begin with the record that the one before left")
    if transaction.deed == Deed.CREATE:
        return Finding(place, Outcome.UNLAWFUL, f"{name}: it was created before")
    if transaction.ascending + transaction.descending != transaction.loads:
        return Finding(place, Outcome.UNLAWFUL, f"{name}: ascending and descending are not what was loaded")
    if (transaction.ascending, transaction.loads) != _due(meter, transaction):
        return Finding(place, Outcome.UNLAWFUL, f"{name}: its registers do not follow from those before and its amount")
    if transaction.pieces != _pieces_due(meter, transaction):
        return Finding(place, Outcome.UNLAWFUL, f"{name}: the pieces that it counts are not those of its indicia")
    if transaction.fee and transaction.deed not in (Deed.LOAD, Deed.SETTLE):
        return Finding(place, Outcome.UNLAWFUL, f"{name}: something was taken for signing up, and nothing paid")
    if transaction.fee and meter.has_paid_fee:
        return Finding(place, Outcome.UNLAWFUL, f"{name}: signing up was paid for before")
    return None


def _due(meter: _Meter, transaction: Transaction) -> tuple[int, int]:
    """What the ascending register and the sum of loads have to be."""
    match transaction.deed:
        case Deed.LOAD | Deed.CREDIT:
            return meter.ascending, meter.loads + transaction.amount
        case Deed.REFUND:
            return meter.ascending, meter.loads - transaction.amount
        case Deed.FRANK:
            return meter.ascending + transaction.amount, meter.loads
    return meter.ascending, meter.loads


def _pieces_due(meter: _Meter, transaction: Transaction) -> int:
    return meter.pieces + (len(transaction.indicia) if transaction.deed == Deed.FRANK else 0)
