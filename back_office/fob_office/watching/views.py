"""Rules, findings and usage as an operator sees them."""

import json
from typing import cast

from pydantic import BaseModel, ConfigDict, Field

from fob_office.distribution.tables import Copy
from fob_office.watching.parameters import Severity, Told
from fob_office.watching.rules import RULES, Numbers, RuleName, sentence
from fob_office.watching.settings import Change, Setting
from fob_office.watching.tables import Finding
from fob_office.watching.usage import Usage
from fob_office.words import Hex16, Name


class RuleView(BaseModel):
    """One rule, as it stands for a program or for all that have no own one."""

    rule: RuleName
    program: str | None = Field(description="null: all.", examples=["postage-rates"])
    on: bool
    severity: Severity
    parameters: Told
    looks_for: str = Field(examples=["many validations in a short time"])


class ChangedRule(BaseModel):
    """What is left out stays as it is, parameters too."""

    model_config = ConfigDict(extra="forbid", strict=True)

    program: Name | None = Field(default=None, description="Only for this one.")
    on: bool | None = None
    severity: Severity | None = None
    parameters: Told

    def change(self) -> Change:
        """As the service has it."""
        told = self.parameters.model_dump(include=self.parameters.model_fields_set)
        return Change(self.parameters.rule, self.program, self.on, self.severity, told)


class FindingView(BaseModel):
    """One finding. Times are seconds since 1970."""

    id: int = Field(examples=[1])
    number: Hex16 = Field(description="Of the copy.")
    program: str = Field(examples=["postage-rates"])
    rule: RuleName
    severity: Severity
    first: int
    last: int
    times: int = Field(description="How often it was found.", examples=[1])
    why: str = Field(examples=["101 validations in 3600 seconds; up to 100 are usual"])
    numbers: Numbers = Field(description="Those of the last time.")
    acknowledged: int | None = Field(description="When an operator saw it; null: it is open.")
    acknowledged_by: str | None = Field(examples=["monitoring"])


class UsageDayView(BaseModel):
    """A day on which the copy was used."""

    date: str = Field(description="UTC.", examples=["2026-11-21"])
    lines: int = Field(description="Of the usage log.", examples=[3])
    hours: list[int] = Field(description="Lines in each hour.", examples=[[0] * 24])


class UsageView(BaseModel):
    """How a copy was used in the last 28 days."""

    number: Hex16
    program: str = Field(examples=["postage-rates"])
    days: list[UsageDayView]


def rule_view(setting: Setting) -> RuleView:
    """One line."""
    return RuleView(
        rule=setting.rule, program=setting.program, on=setting.is_on, severity=setting.severity,
        parameters=setting.parameters, looks_for=RULES[setting.rule].looks_for,
    )  # fmt: skip


def finding_view(finding: Finding, copy: Copy) -> FindingView:
    """One line."""
    rule, numbers = cast(RuleName, finding.rule), json.loads(finding.numbers)
    return FindingView(
        id=finding.id, number=copy.number.hex(), program=copy.program, rule=rule,
        severity=cast(Severity, finding.severity), first=finding.first, last=finding.last, times=finding.times,
        why=sentence(rule, numbers), numbers=numbers, acknowledged=finding.acknowledged,
        acknowledged_by=finding.acknowledged_by,
    )  # fmt: skip


def usage_view(copy: Copy, usage: Usage) -> UsageView:
    """Days without use are left out."""
    days = [
        UsageDayView(date=usage.date(position).isoformat(), lines=sum(hours), hours=list(hours))
        for position, hours in enumerate(usage.days)
        if any(hours)
    ]
    return UsageView(number=copy.number.hex(), program=copy.program, days=days)
