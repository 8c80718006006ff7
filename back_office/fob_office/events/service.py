"""Writing and reading the audit log."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from fob_office.events.tables import Event
from fob_office.paging import PAGE

# So many are looked at before what a device may cause again and again is written once more.
LATEST: Final = 1000
# No event has this id, or a higher one.
ENDLESS: Final = (1 << 53) - 1


def record(session: Session, time: int, who: str, what: str, about: str) -> None:
    """In the transaction of what was done: both are there, or neither."""
    session.add(Event(time=time, who=who, what=what, about=about))


def record_unless_there(session: Session, time: int, who: str, what: str, about: str) -> None:
    """Not again when it stands among the latest: who asks and asks fills no log."""
    latest = select(Event.what, Event.about, Event.who).order_by(Event.id.desc()).limit(LATEST)
    if (what, about, who) not in {(event.what, event.about, event.who) for event in session.execute(latest)}:
        record(session, time, who, what, about)


def latest_about(session: Session, what: str) -> list[str]:
    """With what this was done, of the latest events."""
    latest = select(Event.what, Event.about).order_by(Event.id.desc()).limit(LATEST)
    return [event.about for event in session.execute(latest) if event.what == what]


def events_after(session: Session, last: int, count: int = PAGE) -> Sequence[Event]:
    """Those behind the id `last`, oldest first."""
    return session.scalars(select(Event).where(Event.id > last).order_by(Event.id).limit(count)).all()


def events_before(session: Session, first: int = ENDLESS, count: int = PAGE) -> Sequence[Event]:
    """Those before the id `first`, newest first."""
    return session.scalars(select(Event).where(Event.id < first).order_by(Event.id.desc()).limit(count)).all()
