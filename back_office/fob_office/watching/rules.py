"""The rules as they are until an operator says otherwise, and how each one's findings read."""

from dataclasses import dataclass
from typing import Final, Literal

from fob_office.watching.parameters import (
    AnyParameters,
    FleetOutlier,
    Leap,
    ManyFailures,
    NewHours,
    OddHours,
    Severity,
    Silent,
    TooOften,
)

RuleName = Literal["too-often", "odd-hours", "new-hours", "silent", "many-failures", "leap", "fleet-outlier"]
# What made a finding, by name: what was counted, and what the rule was at that time.
Numbers = dict[str, int | str]


@dataclass(frozen=True, slots=True)
class Rule:
    """`looks_for` and `sentence` are for people; the numbers of a finding are put into the sentence."""

    parameters: AnyParameters
    severity: Severity
    is_on: bool
    looks_for: str
    sentence: str


RULES: Final[dict[RuleName, Rule]] = {
    "too-often": Rule(
        TooOften(rule="too-often"), "warning", True,
        "many validations in a short time",
        "{counted} validations in {seconds} seconds; up to {validations} are usual",
    ),
    # The office does not know when its people work.
    "odd-hours": Rule(
        OddHours(rule="odd-hours"), "notice", False,
        "use outside given hours",
        "used at {hour} o'clock ({zone}); usual is {begin} to {end}",
    ),
    "new-hours": Rule(
        NewHours(rule="new-hours"), "notice", True,
        "use at an hour that is new for the copy",
        "used at {hour} o'clock (UTC), as on {counted} of {days} days before",
    ),
    "silent": Rule(
        Silent(rule="silent"), "warning", True,
        "a copy that was used daily and is used no more",
        "not used for {counted} days, after {daily} days in a row",
    ),
    "many-failures": Rule(
        ManyFailures(rule="many-failures"), "warning", True,
        "many refusals in a short time",
        "{counted} refusals in {seconds} seconds; up to {refusals} are usual",
    ),
    "leap": Rule(
        Leap(rule="leap"), "notice", True,
        "a holder whose clock is wrong",
        "its holder's clock is {counted} seconds {direction}; up to {seconds} are usual",
    ),
    "fleet-outlier": Rule(
        FleetOutlier(rule="fleet-outlier"), "warning", True,
        "a copy that is used far more than others of its program",
        "{counted} validations on {day}; half of the {copies} copies in use had {median} at most",
    ),
}  # fmt: skip


def sentence(rule: RuleName, numbers: Numbers) -> str:
    """For people."""
    return RULES[rule].sentence.format_map(numbers)
