"""What the journal tells, counted since the daemon started."""

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from fob_daemon.control.grant_reports import Granted, Revoked
from fob_daemon.control.interface import Ask, ControlEvent, LogEntry, Settled
from fob_daemon.control.office_reports import IntegrityChange, Relayed

# Upper bounds in seconds: below a second how fast the link is, above it how long a person thinks.
BUCKETS: Final = (0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

# Of a copy (docs/protocol.md, section 4.3). What else a device calls it is one label.
COPY_STATES: Final = frozenset({"valid", "needs-none", "waiting", "not-validated", "invalid", "cloned", "disabled"})
OTHER: Final = "other"


@dataclass(slots=True)
class Times:
    """A histogram: `counts` for each of BUCKETS and for what took longer, `total` in seconds."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    total: float = 0.0

    def add(self, seconds: float) -> None:
        """One more."""
        self.counts[bisect_left(BUCKETS, seconds)] += 1
        self.total += seconds

    def merge(self, other: "Times") -> None:
        """All of another's."""
        self.counts = [ours + theirs for ours, theirs in zip(self.counts, other.counts, strict=True)]
        self.total += other.total


@dataclass(slots=True)
class Tally:
    """Numbers by device: few devices, a dozen operations and the CKRs bound how many there are.

    `uses` by device, operation and result; `times` by device and operation; by device how many requests waited for
    its person (`prompts`), and how often a yes was remembered (`grants`) and taken back (`revocations`). Of
    questions to the office: `relayed` by device and result, `relay_times` by device. `copies` by device and state:
    how often a copy of a program came to stand so.
    """

    uses: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    times: dict[tuple[str, str], Times] = field(default_factory=dict)
    prompts: Counter[str] = field(default_factory=Counter)
    grants: Counter[str] = field(default_factory=Counter)
    revocations: Counter[str] = field(default_factory=Counter)
    relayed: Counter[tuple[str, str]] = field(default_factory=Counter)
    relay_times: dict[str, Times] = field(default_factory=dict)
    copies: Counter[tuple[str, str]] = field(default_factory=Counter)
    # Those on a screen now: a request may be asked about more than once.
    _asked: set[tuple[str, int]] = field(default_factory=set)

    def rename(self, old: str, new: str) -> None:
        """A device has another name, and its numbers go on under that."""
        if old == new:
            return
        for labels in [labels for labels in self.uses if labels[0] == old]:
            self.uses[new, labels[1], labels[2]] += self.uses.pop(labels)
        for device, operation in [labels for labels in self.times if labels[0] == old]:
            self.times.setdefault((new, operation), Times()).merge(self.times.pop((device, operation)))
        for device, result in [labels for labels in self.relayed if labels[0] == old]:
            self.relayed[new, result] += self.relayed.pop((device, result))
        for device, state in [labels for labels in self.copies if labels[0] == old]:
            self.copies[new, state] += self.copies.pop((device, state))
        if old in self.relay_times:
            self.relay_times.setdefault(new, Times()).merge(self.relay_times.pop(old))
        for counts in (self.prompts, self.grants, self.revocations):
            if old in counts:
                counts[new] += counts.pop(old)
        self._asked = {(new if device == old else device, request) for device, request in self._asked}

    def hear(self, event: ControlEvent) -> None:
        """Count what happened."""
        match event:
            case LogEntry(device=device, operation=operation, result=result, milliseconds=milliseconds):
                self.uses[device, operation, result] += 1
                self.times.setdefault((device, operation), Times()).add(milliseconds / 1000)
            case Ask(device=device, request=request):
                self.prompts[device] += (device, request) not in self._asked
                self._asked.add((device, request))
            case Settled(device=device, request=request):
                self._asked.discard((device, request))
            case Granted(device=device):
                self.grants[device] += 1
            case Revoked(device=device):
                self.revocations[device] += 1
            case IntegrityChange(device=device, state=state):
                self.copies[device, state if state in COPY_STATES else OTHER] += 1
            case Relayed(device=device, result=result, seconds=seconds):
                self.relayed[device, result] += 1
                self.relay_times.setdefault(device, Times()).add(seconds)
