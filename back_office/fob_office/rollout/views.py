"""Rollouts as an operator sees and plans them."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from fob_office.components.tables import SignedRelease
from fob_office.components.versions import unpack
from fob_office.components.views import VersionText
from fob_office.rollout.membership import failures_of, shares_of
from fob_office.rollout.service import ENOUGH, SHARES, THRESHOLD, Course, groups_of, rollout_of
from fob_office.rollout.states import RolloutState
from fob_office.rollout.tables import Rollout
from fob_office.words import WHOLE, Name
from fob_protocol.office.component import words

GROUPS_LIMIT = 16
# So many are shown: reasons repeat themselves.
FAILURES = 20
Percent = Annotated[int, Field(ge=0, le=100), WHOLE]


class GroupView(BaseModel):
    """How one group fares, in devices."""

    number: int = Field(examples=[1])
    share: int = Field(description="Percent of all devices that it reaches, with those before.", examples=[10])
    started: bool
    devices: int = Field(description="In it, counted when it started.", examples=[100])
    offered: int = Field(examples=[100])
    confirmed: int = Field(examples=[90])
    failed: int = Field(examples=[1])


class RolloutView(BaseModel):
    """One rollout."""

    name: str = Field(examples=["rates-2"])
    component: str = Field(examples=["postage-rates"])
    version: str = Field(examples=["2.0.0"])
    state: str = Field(description="`draft`, `running`, `paused`, `stopped` or `done`.", examples=["running"])
    threshold: int = Field(description="Percent of failed reports above which it pauses.", examples=[10])
    enough: int = Field(description="Percent of a group that reports before the next starts.", examples=[90])
    automatic: bool = Field(description="Groups start by themselves.")
    paused_by: str | None = Field(
        description="An operator, or what reports said; null while it is not paused.", examples=["operator"]
    )
    groups: list[GroupView]


class FailureView(BaseModel):
    """A device at which it failed."""

    serial: str = Field(examples=["M-0001"])
    reason: str = Field(description="By the name of docs/office-protocol.md.", examples=["out-of-tries"])
    time: int = Field(description="When it said so: seconds since 1970.")


class RolloutDetails(RolloutView):
    """With the devices at which it failed last."""

    failures: list[FailureView] = Field(description=f"The newest first, {FAILURES} at most.")


class NewRollout(BaseModel):
    """Of a release that is staged."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Name
    component: Name
    version: VersionText
    groups: list[Percent] = Field(default=list(SHARES), min_length=1, max_length=GROUPS_LIMIT)
    threshold: Percent = THRESHOLD
    enough: Percent = ENOUGH
    automatic: bool = False

    def course(self) -> Course:
        """How it goes on."""
        return Course(tuple(self.groups), self.threshold, self.enough, self.automatic)


class StartRequest(BaseModel):
    """The first group, or the next one."""

    model_config = ConfigDict(extra="forbid", strict=True)

    anyway: bool = Field(default=False, description="Also before the group before has reported.")


class StopView(BaseModel):
    """What is given out instead."""

    replaced_by: str | None = Field(description="The version before, under this number; null: there is none.")
    rollout: RolloutView


def rollout_view(session: Session, name: str) -> RolloutView:
    """Raises NotFoundError."""
    return _view(session, rollout_of(session, name))


def rollout_details(session: Session, name: str) -> RolloutDetails:
    """Raises NotFoundError."""
    failures = [
        FailureView(serial=serial, reason=reason, time=time)
        for serial, reason, time in failures_of(session, name, FAILURES)
    ]
    return RolloutDetails(**rollout_view(session, name).model_dump(), failures=failures)


def rollout_views(session: Session) -> list[RolloutView]:
    """All of them, by name."""
    return [_view(session, rollout) for rollout in session.scalars(select(Rollout).order_by(Rollout.name))]


def _view(session: Session, rollout: Rollout) -> RolloutView:
    release = session.get_one(SignedRelease, rollout.release)
    groups = zip(groups_of(session, rollout.name), shares_of(rollout), strict=True)
    return RolloutView(
        name=rollout.name, component=release.component, version=words(unpack(release.version)),
        state=RolloutState(rollout.state).name.lower(), threshold=rollout.threshold, enough=rollout.enough,
        automatic=rollout.automatic, paused_by=_paused_by(rollout),
        groups=[
            GroupView(
                number=group.number, share=share, started=group.number <= rollout.started, devices=group.devices,
                offered=group.offered, confirmed=group.confirmed, failed=group.failed,
            )
            for group, share in groups
        ],
    )  # fmt: skip


def _paused_by(rollout: Rollout) -> str | None:
    return rollout.paused_by if rollout.state == RolloutState.PAUSED else None
