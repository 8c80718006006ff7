"""One walk through a log: its root, its checkpoints and its records."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Final

from fob_log_verify.batches import judge_indicia
from fob_log_verify.cbor import CborError, read
from fob_log_verify.checkpoints import Checkpoint, Verdict, Witnesses
from fob_log_verify.findings import Finding, Findings, Outcome
from fob_log_verify.franked import Franked
from fob_log_verify.kept import KeptLog
from fob_log_verify.log_file import LogFile
from fob_log_verify.merkle import Tree
from fob_log_verify.meters import Meters
from fob_log_verify.payouts import Payouts
from fob_log_verify.pieces import Pieces, read_scan
from fob_log_verify.recoveries import Recoveries
from fob_log_verify.requests import Requests
from fob_log_verify.sign1 import Keys, take_apart
from fob_log_verify.transactions import Deed, Transaction, read_transaction
from fob_log_verify.warnings import Warnings

_LABEL: Final = "fob/1 transaction record"
_TRANSACTION: Final = 1
_SCAN: Final = 4
_NOTE: Final = 5
_KINDS: Final = range(1, 6)


@dataclass(frozen=True, slots=True)
class Result:
    """What there is to say. `trusts_itself`: the keys are those that the log lists, for nobody gave others.

    `difference`: the first place at which a kept export is another; None also where none was given. `is_compared`: with
    something that somebody kept.
    """

    origin: str
    size: int
    root: bytes
    transactions: int
    meters: int
    scans: int
    warnings: Warnings
    recoveries: Recoveries
    trusts_itself: bool
    findings: Findings
    verdicts: Sequence[Verdict]
    difference: Finding | None
    is_compared: bool

    @property
    def is_well(self) -> bool:
        """Whether nothing was found."""
        is_same = self.findings.count == 0 and self.difference is None
        return is_same and all(verdict.outcome is Outcome.AGREES for verdict in self.verdicts)


@dataclass(frozen=True, slots=True)
class Witnessed:
    """What the log is held against. `keys` are trusted instead of the log's own, where there are any."""

    checkpoints: Sequence[Checkpoint]
    keys: Sequence[bytes] = ()
    kept: LogFile | None = None


def verify(log: LogFile, witnessed: Witnessed, tell: Callable[[int], None]) -> Result:
    """Read all of it; `tell` hears how far it has come. Raises UnreadableError."""
    keys = Keys(witnessed.keys or log.keys)
    with ExitStack() as stack:
        return _verified(log, witnessed, tell, keys, _Records(keys, stack))


def _verified(
    log: LogFile, witnessed: Witnessed, tell: Callable[[int], None], keys: Keys, records: "_Records"
) -> Result:
    witnesses = Witnesses(witnessed.checkpoints, log.origin, keys)
    kept = None if witnessed.kept is None else KeptLog(witnessed.kept, log.origin)
    tree, findings = Tree(), Findings()
    witnesses.see(0, tree.root())
    for place, entry in enumerate(log.entries()):
        tree.add(entry)
        if (finding := records.look_at(place, entry)) is not None:
            findings.add(finding)
        if kept is not None:
            kept.compare(place, entry)
        if tree.size in witnesses.sizes:
            witnesses.see(tree.size, tree.root())
        tell(log.position)
    if kept is not None:
        kept.end(tree.size)
    difference = None if kept is None else kept.finding
    verdicts = [
        _explained(verdict, records.recoveries) for verdict in witnesses.verdicts(tree.size, findings, difference)
    ]
    return Result(
        log.origin,
        tree.size,
        tree.root(),
        records.transactions,
        len(records.meters),
        records.pieces.scans,
        records.warnings,
        records.recoveries,
        not witnessed.keys,
        findings,
        verdicts,
        difference,
        bool(witnessed.checkpoints) or kept is not None,
    )


def _explained(verdict: Verdict, recoveries: Recoveries) -> Verdict:
    """Of a checkpoint from a part of the log that, as an order in it says, was lost with a backup that was put back."""
    if verdict.outcome in (Outcome.AGREES, Outcome.NOT_SIGNED, Outcome.OTHER_LOG):
        return verdict
    order = recoveries.order_over(verdict.checkpoint.size)
    if order is None:
        return verdict
    why = f"{verdict.why}; order at entry {order.place}: the database was put back, and {order.words}; ask the operator"
    return replace(verdict, why=why)


class _Records:
    """The records that can be read without a secret: those of transactions, scans, and notes."""

    def __init__(self, keys: Keys, stack: ExitStack) -> None:
        """What they have to remember goes with the stack. Raises UnreadableError."""
        self._keys = keys
        self.pieces = stack.enter_context(Pieces())
        self._payouts = stack.enter_context(Payouts())
        self._franked = stack.enter_context(Franked())
        self._requests = stack.enter_context(Requests())
        self.meters = Meters(self._franked)
        self.warnings = Warnings()
        self.recoveries = Recoveries()
        self.transactions = 0

    def look_at(self, place: int, entry: bytes) -> Finding | None:
        """What is wrong with an entry. Raises UnreadableError."""
        try:
            kind, content = _taken_apart(entry)
            if kind == _TRANSACTION:
                return self._transaction(place, content)
            if kind == _SCAN:
                return self.pieces.scan(place, read_scan(content))
            if kind == _NOTE:
                self.warnings.look_at(place, content)
                if (note := self.recoveries.look_at(place, content)) is not None:
                    self.meters.recovered(place, note)
                return self._payouts.look_at(place, content)
        except CborError as error:
            return Finding(place, Outcome.CHANGED, f"it cannot be read: {error}")
        return None

    def _transaction(self, place: int, content: bytes) -> Finding | None:
        """Raises CborError."""
        signed = take_apart(content)
        transaction = read_transaction(signed.payload)
        if not self._keys.signed(_LABEL, signed):
            return Finding(place, Outcome.CHANGED, "none of the log's keys signed it as it is")
        self.transactions += 1
        # Each of them looks and remembers, whatever the others found; the first one is told.
        found = [self.meters.follow(place, transaction), judge_indicia(place, transaction)]
        meter = self.meters.number_of(transaction.serial)
        unfounded = self._franked.look_at(place, meter, transaction)
        # Who gives back what is another meter's, or nobody's, spoils it for nobody.
        found += [unfounded] if unfounded is not None else self._given_back(place, transaction)
        found.append(self._requests.look_at(place, meter, transaction))
        return next(filter(None, found), None)

    def _given_back(self, place: int, transaction: Transaction) -> list[Finding | None]:
        if transaction.deed != Deed.CREDIT:
            return []
        return [self.pieces.give_back(place, one.digest, transaction.name) for one in transaction.indicia]


def _taken_apart(entry: bytes) -> tuple[int, bytes]:
    """Kind and content. Raises CborError."""
    match read(entry):
        case [1, int(kind), bytes(content)] if kind in _KINDS and content:
            return kind, content
    raise CborError("kind and content are due")
