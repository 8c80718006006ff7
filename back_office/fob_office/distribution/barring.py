"""A cloned or disabled copy bars its holder from the whole program, in every version, until it is reissued (V16)."""

from collections.abc import Collection, Sequence
from typing import Final

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import Session, aliased

from fob_office.distribution.tables import Copy
from fob_protocol.integrity.validation import State

# What another version does not heal; what is invalid it may.
BARRING: Final = (State.CLONED, State.DISABLED)


def barring_copies(session: Session, holder: int, programs: Collection[str]) -> list[Copy]:
    """Those that bar their holder from these programs. Nobody flags or disables another one meanwhile."""
    return [row for row in _held(session, holder) if row.program in programs and _bars(row)]


def barring_one(session: Session, holder: int, programs: Collection[str]) -> dict[str, Copy]:
    """Of these programs those from which their holder is barred, each with the newest copy that does it."""
    query = select(Copy).where(
        Copy.holder == holder, Copy.is_current, Copy.program.in_(programs), Copy.state.in_(BARRING), ~Copy.is_reissued
    )
    return {row.program: row for row in session.scalars(query.order_by(Copy.id))} if programs else {}


def bar_others(session: Session, row: Copy) -> None:
    """Its holder's good copies of other versions are good no more. Said when `row` is taken and flagged."""
    for other in _others(session, row):
        if other.state == State.VALID:
            other.state = State.DISABLED


def reissue_others(session: Session, row: Copy) -> None:
    """They bar no more: the word is about holder and program."""
    for other in _others(session, row):
        other.is_reissued = other.is_reissued or _bars(other)


def enable_others(session: Session, row: Copy) -> None:
    """Those that were disabled with it are as they were."""
    for other in _others(session, row):
        if other.state == State.DISABLED and _bars(other):
            other.state = State.VALID


def has_cloned_other() -> ColumnElement[bool]:
    """Of a row that is changed: its holder's copy of another version is cloned, and not reissued."""
    other = aliased(Copy)
    is_other = (other.holder == Copy.holder) & (other.program == Copy.program) & (other.id != Copy.id)
    return exists().where(is_other, other.is_current, other.state == State.CLONED, ~other.is_reissued)


def _bars(row: Copy) -> bool:
    return row.state in BARRING and not row.is_reissued


def _others(session: Session, row: Copy) -> list[Copy]:
    return [one for one in _held(session, row.holder) if one.program == row.program and one.id != row.id]


def _held(session: Session, holder: int) -> Sequence[Copy]:
    """All that a holder has now, taken in one order: some dozens at most."""
    query = select(Copy).where(Copy.holder == holder, Copy.is_current).order_by(Copy.program, Copy.version)
    return session.scalars(query.with_for_update().execution_options(populate_existing=True)).all()
