"""What an operator does with copies (V16): each change is one conditional UPDATE."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, case, select, update
from sqlalchemy.orm import Session

from fob_office.distribution.barring import bar_others, enable_others, has_cloned_other, reissue_others
from fob_office.distribution.tables import Copy, Holder
from fob_office.errors import NotFoundError, OperatorError
from fob_office.events.service import record
from fob_office.office import Office
from fob_office.paging import PAGE
from fob_office.validation.sequence import is_out_of_sequence
from fob_protocol.integrity.validation import State

LIST: Final = "fob-office copy list"


@dataclass(frozen=True, slots=True)
class Which:
    """Of the copies those of a program, in a state, of a holder's key; None is any.

    `is_current`: those that no other one has taken the place of, or those that one has.
    `out_of_sequence`: those that were refused so since that time (0: ever) and since their last VAL_OK.
    """

    program: str | None = None
    state: State | None = None
    holder: bytes | None = None
    out_of_sequence: int | None = None
    is_current: bool | None = None


def _why_not(row: Copy) -> tuple[str, str]:
    state = State(row.state).name.lower() if row.is_current else "replaced"
    return f"it is {state}, or so already", f"fob-office copy show {row.number.hex()}"


@dataclass(frozen=True, slots=True)
class Change:
    """`what` is for the events, `values` what a copy gets that `may_be`, `others` what comes of its holder's others.

    `why_not` says why a copy was not changed, and what helps.
    """

    what: str
    may_be: ColumnElement[bool]
    values: dict[str, Any]
    why_not: Callable[[Copy], tuple[str, str]] = _why_not
    others: Callable[[Session, Copy], None] | None = None


def copy_of(session: Session, number: bytes) -> Copy:
    """Raises NotFoundError."""
    row = session.scalars(select(Copy).where(Copy.number == number)).one_or_none()
    if row is None:
        raise NotFoundError("there is no such copy", f"nobody was given {number.hex()}", LIST)
    return row


def copies_after(session: Session, last: int, which: Which, count: int = PAGE) -> Sequence[Copy]:
    """Those behind a row's id, oldest first."""
    query = select(Copy).where(Copy.id > last).order_by(Copy.id).limit(count)
    if which.program is not None:
        query = query.where(Copy.program == which.program)
    if which.state is not None:
        query = query.where(Copy.state == which.state)
    if which.is_current is not None:
        query = query.where(Copy.is_current.is_(which.is_current))
    if which.holder is not None:
        holder = select(Holder.id).where(Holder.key == which.holder).scalar_subquery()
        query = query.where(Copy.holder == holder)
    if which.out_of_sequence is not None:
        query = query.where(is_out_of_sequence(which.out_of_sequence))
    return session.scalars(query).all()


def current_of(session: Session, key: bytes) -> Sequence[Copy]:
    """All that a holder has now, by program."""
    holder = select(Holder.id).where(Holder.key == key).scalar_subquery()
    query = select(Copy).where(Copy.holder == holder, Copy.is_current)
    return session.scalars(query.order_by(Copy.program, Copy.version)).all()


def disable(office: Office, number: bytes, who: str) -> None:
    """Its next request has that verdict, and so has its holder's of other versions. An earlier reissue is taken back.

    Raises OperatorError: it is refused already.
    """
    may_be = Copy.is_current & ((Copy.state == State.VALID) | Copy.is_reissued)
    state = case((Copy.state == State.VALID, State.DISABLED), else_=Copy.state)
    change = Change("copy disabled", may_be, {"state": state, "is_reissued": False}, others=bar_others)
    _change(office, number, change, who)


def enable(office: Office, number: bytes, who: str) -> None:
    """A disabled one, and those that were disabled with it, as they were.

    Raises OperatorError: it is another state's, or another one is in its place, or one of another version is cloned.
    """
    may_be = (Copy.state == State.DISABLED) & Copy.is_current & ~has_cloned_other()
    values = {"state": State.VALID, "is_reissued": False}
    _change(office, number, Change("copy enabled", may_be, values, _why_not_enabled, enable_others), who)


def reissue(office: Office, number: bytes, who: str) -> None:
    """The holder of a flagged one gets another one when it asks next, of whatever version.

    Raises OperatorError: it is valid, so that its holder asks for no other; another one is in its place already.
    """
    may_be = Copy.is_current & ~Copy.is_reissued & (Copy.state != State.VALID)
    change = Change("copy reissued", may_be, {"is_reissued": True}, _why_not_reissued, reissue_others)
    _change(office, number, change, who)


def resynchronise(office: Office, number: bytes, who: str) -> None:
    """Its holder's next request says what its numbers and its identifier are, after the office lost some.

    Raises OperatorError: it is not valid.
    """
    may_be = (Copy.state == State.VALID) & ~Copy.is_resynchronised
    _change(office, number, Change("copy resynchronised", may_be, {"is_resynchronised": True}), who)


def resynchronise_all(office: Office, program: str | None, since: int, who: str) -> int:
    """All that are out of sequence, PAGE of them in one transaction, so that devices are answered between. How many."""
    which = Which(program, out_of_sequence=since)
    last = done = 0
    while True:
        with office.database.write() as session:
            rows = copies_after(session, last, which)
            for row in rows:
                row.is_resynchronised = True
                record(session, office.now(), who, "copy resynchronised", row.number.hex())
        done += len(rows)
        if len(rows) < PAGE:
            return done
        last = rows[-1].id


def _change(office: Office, number: bytes, change: Change, who: str) -> None:
    with office.database.write() as session:
        changing = update(Copy).where(Copy.number == number, change.may_be).values(change.values).returning(Copy)
        row = session.scalars(changing).one_or_none()
        if row is None:
            why, remedy = change.why_not(copy_of(session, number))
            raise OperatorError("the copy was not changed", why, remedy)
        if change.others is not None:
            change.others(session, row)
        record(session, office.now(), who, change.what, number.hex())


def _why_not_reissued(row: Copy) -> tuple[str, str]:
    """A valid one is known by its holder, who would never hear that there may be another."""
    if row.state != State.VALID:
        return _why_not(row)
    return (
        "it is valid: its holder keeps it, and asks for no other",
        f"fob-office copy disable {row.number.hex()}, and reissue it then",
    )


def _why_not_enabled(row: Copy) -> tuple[str, str]:
    if row.state != State.DISABLED or not row.is_current:
        return _why_not(row)
    return (
        "its holder's copy of another version is cloned",
        f"fob-office copy list --standing cloned --program {row.program}",
    )
