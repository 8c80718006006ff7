"""What an operator does with rollouts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from fob_office.components.candidates import release_of
from fob_office.components.drafts import DAY, Draft
from fob_office.components.service import content_of, enter_release, highest_version, release_row, set_state
from fob_office.components.tables import ReleaseState, SignedRelease
from fob_office.components.versions import next_above, unpack
from fob_office.errors import NotFoundError, OperatorError
from fob_office.events.service import record
from fob_office.office import Office
from fob_office.rollout.groups import check_shares
from fob_office.rollout.membership import advance, begin_group, has_reported, locked, shares_of
from fob_office.rollout.states import TRANSITIONS, RolloutState, Step
from fob_office.rollout.tables import Plan, Rollout, RolloutGroup
from fob_protocol.office.component import words
from fob_protocol.office.message import Version

LIST: Final = "fob-office rollout list"
SHARES: Final = (1, 10, 50, 100)
THRESHOLD: Final = 10
ENOUGH: Final = 90
SALT_SIZE: Final = 16


@dataclass(frozen=True, slots=True)
class Course:
    """How a rollout goes on. `shares`, `threshold` and `enough` in percent."""

    shares: tuple[int, ...] = SHARES
    threshold: int = THRESHOLD
    enough: int = ENOUGH
    automatic: bool = False


def create_rollout(office: Office, name: str, component: str, version: Version, course: Course, who: str) -> None:
    """Of a release that is staged. Raises OperatorError: it is not, or has a rollout, or the plan makes no sense."""
    if wrong := check_shares(course.shares):
        raise OperatorError(f"rollout {name} was not created", wrong, "fob-office rollout create --groups 1,10,50,100")
    with office.database.write() as session:
        row = release_row(session, component, version)
        if row.state != ReleaseState.STAGED:
            why = f"{component} {words(version)} is {ReleaseState(row.state).name.lower()}, not staged"
            raise OperatorError(f"rollout {name} was not created", why, "fob-office component add --staged")
        session.add(
            Rollout(
                name=name, salt=office.surroundings.random(SALT_SIZE), shares=Plan(course.shares).octets(),
                release=row.id, state=RolloutState.DRAFT, started=0, threshold=course.threshold,
                enough=course.enough, automatic=course.automatic, created=office.now(),
            )
        )  # fmt: skip
        try:
            session.flush()
        except IntegrityError:
            why = f"there is one of this name, or of {component} {words(version)}"
            raise OperatorError(f"rollout {name} was not created", why, LIST) from None
        session.add_all(_group(name, number) for number, _ in enumerate(course.shares, 1))
        record(session, office.now(), who, f"rollout of {component} {words(version)} created", name)


def start_rollout(office: Office, name: str, who: str, *, anyway: bool = False) -> None:
    """The first group, or the next one, when the one before has reported (or `anyway`). Raises OperatorError."""
    with office.database.write() as session:
        rollout = _stepped(session, name, Step.START)
        if rollout.started == len(shares_of(rollout)):
            raise OperatorError(f"no group of {name} was started", "all have begun", f"fob-office rollout show {name}")
        if rollout.started and not anyway and not has_reported(session, rollout):
            why = f"fewer than {rollout.enough} percent of group {rollout.started} have reported"
            raise OperatorError(f"no group of {name} was started", why, f"fob-office rollout start {name} --anyway")
        begin_group(session, rollout)
        record(session, office.now(), who, f"rollout: group {rollout.started} begins", name)
        advance(session, rollout, office.now())


def pause_rollout(office: Office, name: str, who: str) -> None:
    """Nobody new gets it. Raises OperatorError."""
    with office.database.write() as session:
        _stepped(session, name, Step.PAUSE).paused_by = who
        record(session, office.now(), who, "rollout paused", name)


def resume_rollout(office: Office, name: str, who: str) -> None:
    """Go on where it paused; what has failed so far pauses nothing again. Raises OperatorError."""
    with office.database.write() as session:
        rollout = _stepped(session, name, Step.RESUME)
        rollout.paused_by = None
        for group in groups_of(session, name):
            group.judged = group.judged_failed = 0
        record(session, office.now(), who, "rollout resumed", name)
        advance(session, rollout, office.now())


def stop_rollout(office: Office, name: str, who: str) -> Version | None:
    """Nobody gets it any more. The version before is released again, with a number above, and that is given out.

    None: there is no version before, or the release server's keys are elsewhere. Raises OperatorError.
    """
    with office.database.write() as session:
        rollout = _stepped(session, name, Step.STOP)
        stopped = session.get_one(SignedRelease, rollout.release)
        set_state(session, stopped.id, ReleaseState.WITHDRAWN)
        record(session, office.now(), who, "rollout stopped", name)
        try:
            with session.begin_nested():
                return _release_again(session, office, stopped, who)
        except OperatorError:
            # The stop holds; the operator is told that there is no release in its place.
            return None


def rollout_of(session: Session, name: str) -> Rollout:
    """Raises NotFoundError."""
    found = session.get(Rollout, name)
    if found is None:
        raise NotFoundError(f"there is no rollout {name}", "it was never created", LIST)
    return found


def groups_of(session: Session, name: str) -> Sequence[RolloutGroup]:
    """By number."""
    query = select(RolloutGroup).where(RolloutGroup.rollout == name).order_by(RolloutGroup.number)
    return session.scalars(query).all()


def _stepped(session: Session, name: str, step: Step) -> Rollout:
    """A rollout after a step, locked. Raises NotFoundError, OperatorError."""
    rollout_of(session, name)
    rollout = locked(session, name)
    after = TRANSITIONS.get((RolloutState(rollout.state), step))
    if after is None:
        what = f"rollout {name} cannot {step}"
        raise OperatorError(
            what, f"it is {RolloutState(rollout.state).name.lower()}", f"fob-office rollout show {name}"
        )
    rollout.state = after
    session.flush()
    return rollout


def _group(rollout: str, number: int) -> RolloutGroup:
    return RolloutGroup(
        rollout=rollout, number=number, devices=0, offered=0, confirmed=0, failed=0, judged=0, judged_failed=0
    )  # fmt: skip


def _release_again(session: Session, office: Office, stopped: SignedRelease, who: str) -> Version | None:
    """The newest available version below, under a number above all. Raises OperatorError: it cannot be signed here."""
    query = (
        select(SignedRelease)
        .where(
            SignedRelease.component == stopped.component,
            SignedRelease.version < stopped.version,
            SignedRelease.state == ReleaseState.AVAILABLE,
        )
        .order_by(SignedRelease.version.desc())
        .limit(1)
    )
    before = session.scalars(query).one_or_none()
    above = next_above(unpack(highest_version(session, stopped.component)))
    if before is None or above is None:
        return None
    draft = _again(office, session, before, stopped, above)
    enter_release(session, office, draft, who, server=before.server, state=ReleaseState.AVAILABLE)
    return above


def _again(office: Office, session: Session, before: SignedRelease, stopped: SignedRelease, version: Version) -> Draft:
    """What the version before was, with the security counter that devices may have reached meanwhile."""
    release = release_of(before.signed)
    return Draft(
        release.id, version, release.title, release.kind, content_of(session, office, before), release.hardware,
        release.dependencies, release.commands,
        max(release.security_counter, release_of(stopped.signed).security_counter),
        max(1, (release.until - office.now()) // DAY),
    )  # fmt: skip
