"""Rules that a line of the usage log can break, looked at in the transaction that adds it.

What a line costs is flat in the number of copies and of lines: a few rows by their keys, and at most COUNT_LIMIT
entries of an index. Whatever is found, the copy goes on: a finding is a reason for a person to look, and no proof.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fob_office.distribution.tables import Copy
from fob_office.validation.tables import Result, Validation
from fob_office.watching.counting import DAY, HOURS, Moment, count_line
from fob_office.watching.findings import Found, find, log_finding, newest_finding
from fob_office.watching.parameters import (
    COUNT_LIMIT,
    DAYS_LOOKED_AT,
    AnyParameters,
    FleetOutlier,
    Leap,
    ManyFailures,
    NewHours,
    OddHours,
    Silent,
    TooOften,
)
from fob_office.watching.rules import Numbers
from fob_office.watching.settings import Setting, settings_for
from fob_office.watching.tables import UsageDay

REFUSED: Final = (
    Result.OTHER_VERIFIER, Result.OUT_OF_SEQUENCE, Result.STALE_CHALLENGE, Result.LATE, Result.IV_USED,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Seen:
    """A line of a copy. `told` is its holder's time (DT)."""

    session: Session
    copy: Copy
    moment: Moment
    told: int
    result: Result


def watch_line(session: Session, copy: Copy, time: int, told: int, result: Result) -> None:
    """Count a line that was just added, and find what is odd about it. The copy's row is taken."""
    session.flush()
    seen = Seen(session, copy, count_line(session, copy, time), told, result)
    for setting in settings_for(session, copy.program).values():
        if setting.is_on:
            _look(seen, setting)


def _look(seen: Seen, setting: Setting) -> None:
    """What an operator has acknowledged counts no more."""
    numbers = _numbers(seen, setting.parameters, 0)
    if numbers is None:
        return
    before = newest_finding(seen.session, seen.copy.id, setting.rule)
    if before is not None and before.acknowledged is not None:
        numbers = _numbers(seen, setting.parameters, before.acknowledged)
    if numbers is not None:
        found = Found(seen.copy, setting.rule, setting.severity, seen.moment.time, numbers)
        if find(seen.session, found, before):
            log_finding(found)


def _numbers(seen: Seen, parameters: AnyParameters, since: int) -> Numbers | None:
    """What a rule finds, looking at nothing up to `since`."""
    match parameters:
        case TooOften():
            return _too_often(seen, parameters, since)
        case OddHours():
            return _odd_hours(seen, parameters)
        case NewHours():
            return _new_hours(seen, parameters)
        case ManyFailures():
            return _many_failures(seen, parameters, since)
        case Leap():
            return _leap(seen, parameters)
        case Silent() | FleetOutlier():
            # No line tells: `rounds`.
            return None


def _too_often(seen: Seen, rule: TooOften, since: int) -> Numbers | None:
    if seen.moment.lines <= rule.validations and seen.moment.time % DAY >= rule.seconds:
        # There were no more all day, which needs no asking.
        return None
    counted = _count(seen, max(seen.moment.time - rule.seconds, since))
    if counted <= rule.validations:
        return None
    return {"counted": counted, "validations": rule.validations, "seconds": rule.seconds}


def _many_failures(seen: Seen, rule: ManyFailures, since: int) -> Numbers | None:
    if seen.result not in REFUSED:
        return None
    counted = _count(seen, max(seen.moment.time - rule.seconds, since), REFUSED)
    if counted <= rule.refusals:
        return None
    return {"counted": counted, "refusals": rule.refusals, "seconds": rule.seconds}


def _odd_hours(seen: Seen, rule: OddHours) -> Numbers | None:
    hour = datetime.fromtimestamp(seen.moment.time, ZoneInfo(rule.zone)).hour
    # From `begin` on, around the clock.
    is_usual = (hour - rule.begin) % 24 < ((rule.end - rule.begin) % 24 or 24)
    return None if is_usual else {"hour": hour, "begin": rule.begin, "end": rule.end, "zone": rule.zone}


def _new_hours(seen: Seen, rule: NewHours) -> Numbers | None:
    """Days before this one, by what was used in this hour, the one before or the one after."""
    if not seen.moment.is_first:
        return None
    today, hour = seen.moment.day, seen.moment.hour
    query = select(UsageDay.hours).where(
        UsageDay.copy == seen.copy.id, UsageDay.day >= today - DAYS_LOOKED_AT, UsageDay.day < today
    )
    days = [HOURS.unpack(hours) for hours in seen.session.scalars(query)]
    near = sum(any(day[(hour + by) % 24] for by in (-1, 0, 1)) for day in days)
    if len(days) < rule.days or near * 100 >= rule.percent * len(days):
        return None
    return {"hour": hour, "counted": near, "days": len(days), "percent": rule.percent}


def _leap(seen: Seen, rule: Leap) -> Numbers | None:
    apart = seen.told - seen.moment.time
    if abs(apart) <= rule.seconds:
        return None
    return {"counted": abs(apart), "direction": "ahead" if apart > 0 else "behind", "seconds": rule.seconds}


def _count(seen: Seen, after: int, results: tuple[Result, ...] = ()) -> int:
    """Of the newest COUNT_LIMIT lines behind a time; only those with these results."""
    # Without results the index alone tells.
    column = Validation.result if results else Validation.id
    some = select(column).where(Validation.copy == seen.copy.id, Validation.time > after)
    newest = some.order_by(Validation.time.desc()).limit(COUNT_LIMIT).subquery()
    query = select(func.count()).select_from(newest)
    if results:
        query = query.where(newest.c.result.in_(results))
    return seen.session.scalar(query) or 0
