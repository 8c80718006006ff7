"""What rules there are, and what an operator may set of each: the same over HTTP, on the command line and when stored.

All bounds keep a rule's cost at a line small, whatever an operator says.
"""

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from fob_office.words import WHOLE

# Of a copy's usage so many days are looked at: four weeks show the days of the week.
DAYS_LOOKED_AT: Final = 28
# A copy that has been quiet for so many days is not looked at any more.
QUIET_LIMIT: Final = 60
# More lines than these are not counted.
COUNT_LIMIT: Final = 2000

Severity = Literal["notice", "warning", "alarm"]
Seconds = Annotated[int, Field(ge=60, le=7 * 86_400, description="Until now."), WHOLE]
Hour = Annotated[int, Field(ge=0, le=23), WHOLE]


class Parameters(BaseModel):
    """Of one rule."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class TooOften(Parameters):
    """More validations than `validations` in `seconds`."""

    rule: Literal["too-often"]
    validations: Annotated[int, Field(ge=1, le=COUNT_LIMIT // 2, description="So many are usual."), WHOLE] = 100
    seconds: Seconds = 3600


class OddHours(Parameters):
    """A validation outside the hours from `begin` to before `end` of a time zone; equal ones are a whole day."""

    rule: Literal["odd-hours"]
    begin: Annotated[Hour, Field(description="The first usual hour.")] = 6
    end: Annotated[Hour, Field(description="The first one that is unusual again.")] = 22
    zone: Annotated[
        str, Field(max_length=64, pattern=r"^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$", description="IANA's name.")
    ] = "UTC"


class NewHours(Parameters):
    """A validation at an hour (UTC, or one before or after) at which the copy was used on few days of the last 28."""

    rule: Literal["new-hours"]
    days: Annotated[int, Field(ge=2, le=DAYS_LOOKED_AT, description="Days of use before its hours count."), WHOLE] = 14
    percent: Annotated[int, Field(ge=1, le=50, description="Of these days; fewer are few."), WHOLE] = 5


class Silent(Parameters):
    """A copy that was used on each of `daily` days (UTC), and then on none for `days`."""

    rule: Literal["silent"]
    days: Annotated[int, Field(ge=1, le=QUIET_LIMIT, description="Whole days without use."), WHOLE] = 3
    daily: Annotated[int, Field(ge=1, le=DAYS_LOOKED_AT, description="Days in a row before."), WHOLE] = 7


class ManyFailures(Parameters):
    """More refusals than `refusals` in `seconds`: late, stale, out of sequence, IV used, or another server's."""

    rule: Literal["many-failures"]
    refusals: Annotated[int, Field(ge=0, le=COUNT_LIMIT // 2, description="So many are usual."), WHOLE] = 5
    seconds: Seconds = 3600


class Leap(Parameters):
    """The holder's date and time (DT) and the office's are more than `seconds` apart."""

    rule: Literal["leap"]
    seconds: Annotated[int, Field(ge=1, le=86_400, description="So many are usual, either way."), WHOLE] = 120


class FleetOutlier(Parameters):
    """On a day that is over (UTC) a copy was used more than `times` the median of its program's copies of that day."""

    rule: Literal["fleet-outlier"]
    times: Annotated[int, Field(ge=2, le=1000, description="The median."), WHOLE] = 10
    copies: Annotated[int, Field(ge=3, le=1_000_000, description="With fewer in use there is no median."), WHOLE] = 10


AnyParameters = TooOften | OddHours | NewHours | Silent | ManyFailures | Leap | FleetOutlier
Told = Annotated[AnyParameters, Field(discriminator="rule")]
TOLD: Final[TypeAdapter[AnyParameters]] = TypeAdapter(Told)
