"""Rules about what does not come: silence, and a day that is over. Somebody looks once in a while, a few at a time."""

from datetime import UTC, datetime
from typing import Final

from sqlalchemy import func, select, union
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from fob_office.components.tables import SignedRelease
from fob_office.database.engine import POSTGRESQL
from fob_office.distribution.tables import Copy
from fob_office.office import Office
from fob_office.programs.tables import StoredInstallation
from fob_office.watching.counting import DAY
from fob_office.watching.findings import Found, find, newest_finding
from fob_office.watching.parameters import QUIET_LIMIT, FleetOutlier, Silent
from fob_office.watching.rules import Numbers
from fob_office.watching.settings import Setting, settings_for
from fob_office.watching.tables import LastUse, UsageDay, WatchedProgram
from fob_protocol.integrity.validation import State

# Copies in one transaction, so that nobody waits long; and transactions in one look.
BATCH: Final = 100
BATCHES: Final = 50
# Of one program on one day: a rule that finds more than these is set wrong.
OUTLIERS_LIMIT: Final = 100


def look(office: Office) -> list[Found]:
    """At all that is due: what is new. What is too much for one time is there the next time."""
    new: list[Found] = []
    for _ in range(BATCHES):
        count, found = _look_at_quiet(office)
        new += found
        if count < BATCH:
            break
    return new + [found for program in _programs_due(office) for found in _look_at_day(office, program)]


def _look_at_quiet(office: Office) -> tuple[int, list[Found]]:
    """Copies that were not used on the last day: how many, and who is silent. Who somebody is busy with is used."""
    now = office.now()
    due = select(LastUse, Copy).join(Copy, Copy.id == LastUse.copy).where(LastUse.due <= now // DAY)
    due = due.order_by(LastUse.due).limit(BATCH)
    with office.database.read() as session:
        if session.execute(due.limit(1)).first() is None:
            return 0, []
    with office.database.write() as session:
        rows = session.execute(due.with_for_update(of=Copy, skip_locked=True)).all()
        settings = {program: settings_for(session, program)["silent"] for program in {row[1].program for row in rows}}
        looked = [_look_at_copy(session, last, copy, settings[copy.program], now) for last, copy in rows]
    return len(rows), [found for found in looked if found is not None]


def _look_at_copy(session: Session, last: LastUse, copy: Copy, setting: Setting, now: int) -> Found | None:
    """What ends this: that it is used again, that it is found, that it cannot be used, or that it is long ago."""
    quiet, rule = now // DAY - last.day - 1, setting.parameters
    if copy.state != State.VALID or quiet > QUIET_LIMIT:
        last.due = None
        return None
    if not setting.is_on or not isinstance(rule, Silent) or quiet < rule.days:
        last.due = now // DAY + 1
        return None
    last.due = None
    if not _was_daily(session, last, rule.daily):
        return None
    numbers: Numbers = {"counted": quiet, "days": rule.days, "daily": rule.daily}
    found = Found(copy, "silent", setting.severity, now, numbers)
    return found if find(session, found, newest_finding(session, copy.id, "silent")) else None


def _was_daily(session: Session, last: LastUse, days: int) -> bool:
    query = select(func.count()).select_from(UsageDay).where(
        UsageDay.copy == last.copy, UsageDay.day > last.day - days, UsageDay.day <= last.day
    )  # fmt: skip
    return session.scalar(query) == days


def _programs_due(office: Office) -> list[str]:
    """Those for which nobody has looked at yesterday."""
    yesterday = office.now() // DAY - 1
    names = union(select(SignedRelease.component), select(StoredInstallation.name))
    with office.database.read() as session:
        done = set(session.scalars(select(WatchedProgram.program).where(WatchedProgram.day >= yesterday)))
        return sorted(set(session.scalars(names)) - done)


def _look_at_day(office: Office, program: str) -> list[Found]:
    """Once, whoever comes at the same time: who is new."""
    now = office.now()
    yesterday = now // DAY - 1
    with office.database.write() as session:
        setting = settings_for(session, program)["fleet-outlier"]
        rule = setting.parameters
        is_taken = _take_day(session, program, yesterday)
        if not is_taken or not setting.is_on or not isinstance(rule, FleetOutlier):
            return []
        outliers = [
            Found(copy, "fleet-outlier", setting.severity, now, numbers)
            for copy, numbers in _outliers(session, program, yesterday, rule)
        ]
        return [one for one in outliers if find(session, one, newest_finding(session, one.copy.id, one.rule))]


def _take_day(session: Session, program: str, day: int) -> bool:
    insert = postgresql.insert if session.get_bind().dialect.name == POSTGRESQL else sqlite.insert
    taken = insert(WatchedProgram).values(program=program, day=day).on_conflict_do_update(
        index_elements=[WatchedProgram.program], set_={"day": day}, where=WatchedProgram.day < day
    )  # fmt: skip
    return session.scalars(taken.returning(WatchedProgram.program)).one_or_none() is not None


def _outliers(session: Session, program: str, day: int, rule: FleetOutlier) -> list[tuple[Copy, Numbers]]:
    """Most used first. The median is exact; of an even number the lower one of the two in the middle."""
    of_day = (UsageDay.program == program, UsageDay.day == day)
    copies = session.scalar(select(func.count()).select_from(UsageDay).where(*of_day)) or 0
    if copies < rule.copies:
        return []
    middle = select(UsageDay.lines).where(*of_day).order_by(UsageDay.lines).offset((copies - 1) // 2).limit(1)
    median = session.scalars(middle).one()
    query = select(Copy, UsageDay.lines).join(UsageDay, UsageDay.copy == Copy.id)
    query = query.where(*of_day, UsageDay.lines > rule.times * median).order_by(UsageDay.lines.desc())
    date = datetime.fromtimestamp(day * DAY, UTC).date().isoformat()
    return [
        (copy, {"counted": lines, "median": median, "copies": copies, "times": rule.times, "day": date})
        for copy, lines in session.execute(query.limit(OUTLIERS_LIMIT))
    ]
