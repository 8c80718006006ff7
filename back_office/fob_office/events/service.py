"""Writing and reading the audit log."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from fob_office.events.tables import Event

# So many in one answer.
PAGE: Final = 100


def record(session: Session, time: int, who: str, what: str, about: str) -> None:
    """In the transaction of what was done: both are there, or neither."""
    session.add(Event(time=time, who=who, what=what, about=about))


def events_after(session: Session, last: int, count: int = PAGE) -> Sequence[Event]:
    """Those behind the id `last`, oldest first."""
    return session.scalars(select(Event).where(Event.id > last).order_by(Event.id).limit(count)).all()
