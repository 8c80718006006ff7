"""How a registration goes from one standing to the next; each step is one conditional change."""

from sqlalchemy import ColumnElement, Update, and_, delete, func, not_, or_, select, update
from sqlalchemy.orm import Session

from fob_office.registration.tables import Registration, Standing


def is_forgotten(row: Registration, now: int) -> bool:
    """It was not confirmed in time; whether it is erased already makes no difference."""
    return row.confirm_by is not None and row.confirm_by < now


def live(session: Session, server: str, user_code: bytes, now: int, *, lock: bool = False) -> Registration | None:
    """A registration that a session may be held with. `lock`: nobody else changes it in this transaction."""
    row = session.get(Registration, user_code, with_for_update=lock or None)
    if row is None or row.server != server or row.standing == Standing.REVOKED or is_forgotten(row, now):
        return None
    return row


def make_room(session: Session, new: Registration, now: int) -> None:
    """Erase what a new registration takes the place of: what its device had begun, and what nobody confirmed in time.

    The same request is left alone: somebody is answering it in this moment, and only one of them shall.
    """
    here = Registration.server == new.server
    # Only what is pending has this time. Told so, or in both cases with one statement, a database may look at all that
    # is pending or over, where it shall look for one name.
    is_over = func.coalesce(Registration.confirm_by, now) < now
    own = and_(here, Registration.device == new.device, Registration.standing == Standing.PENDING)
    session.execute(delete(Registration).where(own, or_(Registration.request != new.request, is_over)))
    session.execute(delete(Registration).where(here, Registration.name_key == new.name_key, is_over))


def is_taken(session: Session, new: Registration) -> bool:
    """Whether somebody else has the name. It spares a failed insert; what makes a name one person's is the constraint.

    What this device itself has begun does not count: it was made room of, or is being done in this moment.
    """
    own = and_(Registration.device == new.device, Registration.standing == Standing.PENDING)
    holder = select(Registration.user_code).where(
        Registration.server == new.server, Registration.name_key == new.name_key, not_(own)
    )
    return session.scalars(holder).one_or_none() is not None


def confirm(session: Session, row: Registration, now: int) -> bool:
    """By its first session: the server's secret is forgotten, and what the device had here before ends (R18, R26).

    `row` is locked. False: it was confirmed before.
    """
    if row.standing != Standing.PENDING:
        return False
    others = and_(
        Registration.server == row.server, Registration.device == row.device,
        Registration.standing == Standing.CONFIRMED,
    )  # fmt: skip
    # Its name is free again: a device holds one name that is confirmed, and one that it has begun with.
    session.execute(_end(others).values(name_key=None))
    row.standing, row.confirm_by, row.ssk2 = Standing.CONFIRMED, None, None
    session.flush()
    return True


def revoke(session: Session, user_code: bytes) -> bool:
    """For ever: its secrets are erased. The name stays taken until it is freed. False: it was revoked before."""
    this = and_(Registration.user_code == user_code, Registration.standing != Standing.REVOKED)
    return session.scalars(_end(this).returning(Registration.user_code)).one_or_none() is not None


def free_name(session: Session, user_code: bytes) -> bool:
    """Somebody else may have it. False: it is not revoked, or free already."""
    this = and_(
        Registration.user_code == user_code, Registration.standing == Standing.REVOKED,
        Registration.name_key.is_not(None),
    )  # fmt: skip
    change = update(Registration).where(this).values(name_key=None).returning(Registration.user_code)
    return session.scalars(change).one_or_none() is not None


def _end(which: ColumnElement[bool]) -> Update:
    change = update(Registration).where(which)
    return change.values(standing=Standing.REVOKED, confirm_by=None, ssk2=None, authentication_key=None)
