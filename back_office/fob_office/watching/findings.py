"""Findings: one open one for each copy and rule, until an operator has seen it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from fob_office.distribution.tables import Copy
from fob_office.errors import NotFoundError, OperatorError
from fob_office.events.service import record
from fob_office.office import Office
from fob_office.paging import PAGE
from fob_office.watching.parameters import Severity
from fob_office.watching.rules import Numbers, RuleName
from fob_office.watching.tables import Finding

log = structlog.get_logger(__name__)

LIST: Final = "fob-office usage findings"


@dataclass(frozen=True, slots=True)
class Found:
    """Of a copy, by a rule."""

    copy: Copy
    rule: RuleName
    severity: Severity
    time: int
    numbers: Numbers


@dataclass(frozen=True, slots=True)
class Which:
    """Of the findings those that are open, and of one copy."""

    is_open: bool = False
    copy: bytes | None = None


def newest_finding(session: Session, copy: int, rule: RuleName) -> Finding | None:
    """Of a copy and a rule: the only one that may be open."""
    query = select(Finding).where(Finding.copy == copy, Finding.rule == rule)
    return session.scalars(query.order_by(Finding.id.desc()).limit(1)).one_or_none()


def find(session: Session, found: Found, before: Finding | None) -> bool:
    """Once more, or for the first time since the one `before` (its newest) was acknowledged: then it is a new one."""
    numbers = json.dumps(found.numbers)
    if before is not None and before.acknowledged is None:
        before.last, before.times, before.numbers = found.time, before.times + 1, numbers
        before.severity = found.severity
        return False
    new = Finding(
        copy=found.copy.id, rule=found.rule, severity=found.severity, first=found.time, last=found.time, times=1,
        numbers=numbers,
    )  # fmt: skip
    session.add(new)
    return True


def log_finding(found: Found) -> None:
    """For whoever watches the office's log."""
    log.warning("odd usage", copy=found.copy.number.hex(), program=found.copy.program, rule=found.rule, clause="V20")


def findings_after(session: Session, last: int, which: Which, count: int = PAGE) -> Sequence[tuple[Finding, Copy]]:
    """Those behind an id, oldest first."""
    query = select(Finding, Copy).join(Copy, Copy.id == Finding.copy).where(Finding.id > last)
    if which.is_open:
        query = query.where(Finding.acknowledged.is_(None))
    if which.copy is not None:
        row = select(Copy.id).where(Copy.number == which.copy).scalar_subquery()
        query = query.where(Finding.copy == row)
    rows = session.execute(query.order_by(Finding.id).limit(count))
    return [(finding, copy) for finding, copy in rows]


def finding_of(session: Session, number: int) -> tuple[Finding, Copy]:
    """Raises NotFoundError."""
    found = findings_after(session, number - 1, Which(), 1)
    if not found or found[0][0].id != number:
        raise NotFoundError(f"there is no finding {number}", "nothing was found under that number", LIST)
    return found[0]


def count_open(session: Session, most: int) -> int:
    """At most `most` are counted."""
    some = select(Finding.id).where(Finding.acknowledged.is_(None)).limit(most).subquery()
    return session.scalar(select(func.count()).select_from(some)) or 0


def acknowledge(office: Office, number: int, who: str) -> None:
    """Somebody has seen it. Raises OperatorError: there is none, or it was seen already."""
    with office.database.write() as session:
        seen = update(Finding).where(Finding.id == number, Finding.acknowledged.is_(None))
        seen = seen.values(acknowledged=office.now(), acknowledged_by=who)
        if session.scalars(seen.returning(Finding.id)).one_or_none() is None:
            finding, _ = finding_of(session, number)
            why = f"{finding.acknowledged_by} has done so"
            raise OperatorError(f"finding {number} was not acknowledged", why, f"{LIST} --open")
        record(session, office.now(), who, "finding acknowledged", str(number))
