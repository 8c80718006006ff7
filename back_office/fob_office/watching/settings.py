"""How each rule stands: as an operator has said for the program, or for all, or as it is at first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import select
from sqlalchemy.orm import Session

from fob_office.errors import NotFoundError, OperatorError
from fob_office.events.service import record
from fob_office.office import Office
from fob_office.programs.programs import newest_version
from fob_office.watching.parameters import TOLD, AnyParameters, OddHours, Severity
from fob_office.watching.rules import RULES, RuleName
from fob_office.watching.tables import EVERY_PROGRAM, UsageRule

LIST: Final = "fob-office usage rules"


@dataclass(frozen=True, slots=True)
class Setting:
    """Of a rule; `program` is None where it holds for all that have no own one."""

    rule: RuleName
    program: str | None
    is_on: bool
    severity: Severity
    parameters: AnyParameters


@dataclass(frozen=True, slots=True)
class Change:
    """`told`: parameters by name. What is None or not told stays as it is."""

    rule: RuleName
    program: str | None
    is_on: bool | None
    severity: Severity | None
    told: dict[str, Any]


def settings_for(session: Session, program: str) -> dict[RuleName, Setting]:
    """All rules as they stand for a program."""
    return _settings(session, (EVERY_PROGRAM, program))


def all_settings(session: Session) -> list[Setting]:
    """Each rule as it stands for all, and behind it those programs' for which it stands otherwise."""
    general = _settings(session, (EVERY_PROGRAM,))
    rows = session.scalars(
        select(UsageRule).where(UsageRule.program != EVERY_PROGRAM).order_by(UsageRule.program)
    ).all()
    return [one for rule, setting in general.items() for one in (setting, *_own(rule, rows))]


def change_rule(office: Office, change: Change, who: str) -> Setting:
    """Raises OperatorError: no such program or time zone."""
    with office.database.write() as session:
        if change.program is not None and newest_version(session, change.program) is None:
            why = "it was never added"
            raise NotFoundError(f"there is no program {change.program}", why, "fob-office component list")
        old = settings_for(session, change.program or EVERY_PROGRAM)[change.rule]
        parameters = old.parameters.model_copy(update=change.told)
        _check_zone(parameters)
        setting = Setting(
            change.rule, change.program, old.is_on if change.is_on is None else change.is_on,
            change.severity or old.severity, parameters,
        )  # fmt: skip
        session.merge(_row(setting))
        record(session, office.now(), who, "usage rule changed", _called(change.rule, change.program))
    return setting


def reset_rule(office: Office, rule: RuleName, program: str | None, who: str) -> Setting:
    """As it is for all programs; without a program as it was at first. Raises NotFoundError: nobody changed it."""
    with office.database.write() as session:
        row = session.get(UsageRule, (program or EVERY_PROGRAM, rule))
        if row is None:
            raise NotFoundError(f"{_called(rule, program)} was not reset", "nobody has changed it", LIST)
        session.delete(row)
        session.flush()
        record(session, office.now(), who, "usage rule reset", _called(rule, program))
        return settings_for(session, program or EVERY_PROGRAM)[rule]


def _settings(session: Session, programs: Sequence[str]) -> dict[RuleName, Setting]:
    """What stands for the last of these goes before the others."""
    rows = session.scalars(select(UsageRule).where(UsageRule.program.in_(programs))).all()
    said = {(row.program, row.rule): row for row in rows}
    found = {rule: Setting(rule, None, one.is_on, one.severity, one.parameters) for rule, one in RULES.items()}
    for program in programs:
        found |= {rule: _setting(said[program, rule]) for rule in RULES if (program, rule) in said}
    return found


def _own(rule: RuleName, rows: Sequence[UsageRule]) -> list[Setting]:
    return [_setting(row) for row in rows if row.rule == rule]


def _setting(row: UsageRule) -> Setting:
    rule, severity = cast(RuleName, row.rule), cast(Severity, row.severity)
    return Setting(rule, row.program or None, row.is_on, severity, TOLD.validate_json(row.parameters))


def _row(setting: Setting) -> UsageRule:
    return UsageRule(
        program=setting.program or EVERY_PROGRAM, rule=setting.rule, is_on=setting.is_on, severity=setting.severity,
        parameters=setting.parameters.model_dump_json(),
    )  # fmt: skip


def _called(rule: RuleName, program: str | None) -> str:
    return rule if program is None else f"{rule} {program}"


def _check_zone(parameters: AnyParameters) -> None:
    if not isinstance(parameters, OddHours):
        return
    try:
        ZoneInfo(parameters.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        why = f"this machine knows no time zone {parameters.zone}"
        raise OperatorError("the rule was not changed", why, "timedatectl list-timezones") from None
