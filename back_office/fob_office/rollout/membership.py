"""Which devices are given the release of a rollout, and what it did there."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from sqlalchemy import and_, bindparam, select, update
from sqlalchemy.orm import Session

from fob_office.components.service import dependents_of, set_state
from fob_office.components.tables import ReleaseState, SignedRelease
from fob_office.devices.tables import Device, DeviceState
from fob_office.events.service import record
from fob_office.orders.tables import Option
from fob_office.rollout.groups import group_of
from fob_office.rollout.states import ACTIVE, TRANSITIONS, MemberState, RolloutState, Step
from fob_office.rollout.tables import Plan, Rollout, RolloutGroup, RolloutMember
from fob_protocol.office.limits import ROLLOUT_SAMPLE
from fob_protocol.office.message import read

_PERCENT: Final = 100
# Of a hundred thousand serials, so many are in memory at a time.
_IN_HAND: Final = 1000

# Every device that asks is asked of them: the statement is made once.
_ACTIVE_ROLLOUTS: Final = (
    select(
        Rollout.name, Rollout.release, Rollout.state, Rollout.started, Rollout.salt, Rollout.shares,
        RolloutMember.number, RolloutMember.state,
    )
    .outerjoin(
        RolloutMember, and_(RolloutMember.rollout == Rollout.name, RolloutMember.device == bindparam("device"))
    )
    .where(Rollout.state.in_(ACTIVE))
)  # fmt: skip


class ChangedError(Exception):
    """A rollout was paused, stopped or finished since it was looked at: look again."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A release that a rollout lets a device have. `is_new`: it was not offered it before."""

    rollout: str
    number: int
    is_new: bool


def offers_for(session: Session, device: Device) -> dict[int, Offer]:
    """By release: what rollouts let this device have now. Who failed is not offered it again."""
    offers: dict[int, Offer] = {}
    rows = session.execute(_ACTIVE_ROLLOUTS, {"device": device.id})
    for name, release, state, started, salt, plan, number, standing in rows:
        if standing is None:
            own = group_of(salt, device.serial, _plan(plan).shares)
            if state == RolloutState.RUNNING and own <= started:
                offers[release] = Offer(name, own, is_new=True)
        elif standing != MemberState.FAILED:
            offers[release] = Offer(name, number, is_new=False)
    return offers


@lru_cache(maxsize=256)
def _plan(octets: bytes) -> Plan:
    return read(Plan, octets)


def enter_members(session: Session, device: Device, offers: Iterable[Offer]) -> None:
    """In the transaction that grants it. Raises ChangedError: somebody has paused it in the meantime."""
    for offer in sorted((one for one in offers if one.is_new), key=lambda one: one.rollout):
        rollout = locked(session, offer.rollout)
        if rollout.state != RolloutState.RUNNING or offer.number > rollout.started:
            raise ChangedError
        session.add(
            RolloutMember(rollout=offer.rollout, device=device.id, number=offer.number, state=MemberState.OFFERED)
        )
        group = session.get_one(RolloutGroup, (offer.rollout, offer.number))
        group.offered += 1
        session.flush()


def enter_outcome(
    session: Session, device: int, releases: Iterable[int], outcome: MemberState, now: int, reason: str = ""
) -> None:  # fmt: skip
    """What a device reports of a set with these releases; counted once for each rollout."""
    names = (
        select(Rollout.name)
        .join(RolloutMember)
        .where(Rollout.release.in_(list(releases)), RolloutMember.device == device)
        .order_by(Rollout.name)
    )
    for name in session.scalars(names).all():
        rollout = locked(session, name)
        change = (
            update(RolloutMember)
            .where(
                RolloutMember.rollout == name,
                RolloutMember.device == device,
                RolloutMember.state == MemberState.OFFERED,
            )
            .values(state=outcome, reason=reason, reported=now)
            .returning(RolloutMember.number)
        )
        number = session.scalars(change).one_or_none()
        if number is not None:
            group = session.get_one(RolloutGroup, (name, number))
            _count(group, outcome)
            _judge(session, rollout, group, now)
            session.flush()


def failures_of(session: Session, name: str, count: int) -> Sequence[tuple[str, str, int]]:
    """The devices at which it failed last: serial, reason, and when they said so."""
    query = (
        select(Device.serial, RolloutMember.reason, RolloutMember.reported)
        .join(Device, Device.id == RolloutMember.device)
        .where(RolloutMember.rollout == name, RolloutMember.state == MemberState.FAILED)
        .order_by(RolloutMember.reported.desc())
        .limit(count)
    )
    return [(serial, reason or "", reported or 0) for serial, reason, reported in session.execute(query)]


def locked(session: Session, name: str) -> Rollout:
    """A rollout, as it is now, and as it stays until the end of the transaction: all that changes one begins here."""
    query = select(Rollout).where(Rollout.name == name).with_for_update().execution_options(populate_existing=True)
    return session.scalars(query).one()


def shares_of(rollout: Rollout) -> tuple[int, ...]:
    """In percent, rising."""
    return _plan(rollout.shares).shares


def has_reported(session: Session, rollout: Rollout) -> bool:
    """Whether enough of the group that began last has said what became of the release."""
    group = session.get_one(RolloutGroup, (rollout.name, rollout.started))
    return (group.confirmed + group.failed) * _PERCENT >= group.devices * rollout.enough


def _count(group: RolloutGroup, outcome: MemberState) -> None:
    group.judged += 1
    if outcome is MemberState.FAILED:
        group.failed += 1
        group.judged_failed += 1
    else:
        group.confirmed += 1


def _judge(session: Session, rollout: Rollout, group: RolloutGroup, now: int) -> None:
    """Pause it, or let the next group begin."""
    if rollout.state != RolloutState.RUNNING:
        return
    is_sample = group.judged >= ROLLOUT_SAMPLE or group.confirmed + group.failed >= group.devices
    if is_sample and group.judged_failed * _PERCENT > group.judged * rollout.threshold:
        rollout.state = TRANSITIONS[RolloutState.RUNNING, Step.TOO_MANY_FAILED]
        why = f"{group.judged_failed} of {group.judged} failed in group {group.number}"
        rollout.paused_by = f"reports: {why}"
        record(session, now, "reports", f"rollout paused: {why}", rollout.name)
    else:
        advance(session, rollout, now)


def advance(session: Session, rollout: Rollout, now: int) -> None:
    """When the group that began last has reported: the end after the last one, the next one if the plan says so."""
    groups = len(shares_of(rollout))
    while rollout.state == RolloutState.RUNNING and has_reported(session, rollout):
        if rollout.started == groups:
            rollout.state = TRANSITIONS[RolloutState.RUNNING, Step.LAST_GROUP_REPORTED]
            set_state(session, rollout.release, ReleaseState.AVAILABLE)
            record(session, now, "reports", "rollout done: everybody may have it", rollout.name)
        elif rollout.automatic:
            begin_group(session, rollout)
            record(session, now, "plan", f"rollout: group {rollout.started} begins", rollout.name)
        else:
            break


def begin_group(session: Session, rollout: Rollout) -> None:
    """The next one; its devices are counted now."""
    rollout.started += 1
    shares = shares_of(rollout)
    group = session.get_one(RolloutGroup, (rollout.name, rollout.started))
    serials = serials_with(session, rollout.release)
    group.devices = sum(group_of(rollout.salt, serial, shares) == rollout.started for serial in serials)
    session.flush()


def serials_with(session: Session, release: int) -> Iterable[str]:
    """Of the active devices whose sets a release belongs to: ordered, or needed by what is ordered."""
    component = session.get_one(SignedRelease, release).component
    options = select(Option.device).where(Option.component.in_(dependents_of(session, component)))
    serials = select(Device.serial).where(Device.state == DeviceState.ACTIVE, Device.id.in_(options))
    return session.scalars(serials.execution_options(yield_per=_IN_HAND))
