"""The first page: what there is, what was found, what ends soon."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fob_office.components.ends import ending_releases
from fob_office.devices.tables import Device
from fob_office.distribution.tables import Copy
from fob_office.issuer.ends import soon_over
from fob_office.office import Office
from fob_office.orders.tables import Order
from fob_office.rollout.views import RolloutView, rollout_views
from fob_office.watching.findings import Which, count_open, findings_after
from fob_office.watching.views import FindingView, finding_view
from fob_protocol.integrity.validation import State

STATES: Final = tuple(state.name.lower() for state in State)
# Findings and rollouts that are shown; findings that are counted.
_SHOWN: Final = 5
COUNTED: Final = 1000
_OVER: Final = ("stopped", "done")


@dataclass(frozen=True, slots=True)
class ProgramLine:
    """Current copies of a program by state, in the order of STATES; `replaced`: others are in the place of these."""

    program: str
    counts: tuple[int, ...]
    replaced: int = 0

    @property
    def copies(self) -> int:
        """All that are current."""
        return sum(self.counts)


@dataclass(frozen=True, slots=True)
class Overview:
    """`open_findings`: as many as there are, up to COUNTED."""

    devices: int
    orders: int
    states: tuple[tuple[str, int], ...]
    programs: tuple[ProgramLine, ...]
    rollouts: tuple[RolloutView, ...]
    open_findings: int
    findings: tuple[FindingView, ...]
    ends: tuple[str, ...]


def overview(session: Session, office: Office) -> Overview:
    """What takes longer with more copies is counted in an index."""
    programs = program_lines(session)
    totals = map(sum, zip(*(line.counts for line in programs), strict=True)) if programs else [0] * len(STATES)
    rollouts = [rollout for rollout in rollout_views(session) if rollout.state not in _OVER]
    found = findings_after(session, 0, Which(is_open=True), _SHOWN)
    return Overview(
        session.scalar(select(func.count(Device.id))) or 0,
        session.scalar(select(func.count(Order.device))) or 0,
        tuple(zip(STATES, totals, strict=True)),
        programs,
        tuple(rollouts[:_SHOWN]),
        count_open(session, COUNTED),
        tuple(finding_view(*one) for one in found),
        (*soon_over(session, office), *ending_releases(session, office.now())),
    )


def program_lines(session: Session, program: str | None = None) -> tuple[ProgramLine, ...]:
    """By name; of one, or of all that there are copies of."""
    kinds = (Copy.program, Copy.is_current, Copy.state)
    query = select(*kinds, func.count(Copy.id)).group_by(*kinds)
    if program is not None:
        query = query.where(Copy.program == program)
    current: defaultdict[str, Counter[int]] = defaultdict(Counter)
    replaced: Counter[str] = Counter()
    for name, is_current, state, count in session.execute(query):
        current[name][state] += count if is_current else 0
        replaced[name] += 0 if is_current else count
    return tuple(
        ProgramLine(name, tuple(counts[state] for state in State), replaced[name])
        for name, counts in sorted(current.items())
    )
