"""The usage log: a line for each request, with the integrity value that its holder told (V19)."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from fob_office.distribution.tables import Copy, Holder
from fob_office.office import Office
from fob_office.paging import PAGE
from fob_office.secrets.sealing import Place
from fob_office.validation.rules import Case
from fob_office.validation.tables import Result, Validation


@dataclass(frozen=True, slots=True)
class Line:
    """With its copy, and the public key of who holds that."""

    validation: Validation
    copy: Copy
    key: bytes


def enter_line(session: Session, office: Office, case: Case, result: Result, *, is_used: bool) -> bool:
    """One for each request: what was refused without using its number up may come again, and be more than that.

    Whether there is a line more.
    """
    asked = case.asked
    place = _place(case.copy.id, asked.evidence.program_number, asked.request)
    line = Validation(
        copy=case.copy.id, program_number=asked.evidence.program_number, request=asked.request,
        evidence=asked.signed, time=case.now, result=result, is_used=is_used,
        integrity_value=office.sealer.seal(place, asked.secret.integrity_value),
    )  # fmt: skip
    if is_used or case.used is None or case.used.request != asked.request:
        return _replace(session, line)
    return False


def integrity_value_of(office: Office, line: Validation) -> bytes:
    """The ICV. Raises UnsealError."""
    return office.sealer.unseal(_place(line.copy, line.program_number, line.request), line.integrity_value)


def lines_after(session: Session, last: int, copy: bytes | None, count: int = PAGE) -> list[Line]:
    """Those behind an id, oldest first; of one copy, or of all."""
    query = select(Validation, Copy, Holder.key).join(Copy, Copy.id == Validation.copy).join(Holder)
    if copy is not None:
        row = select(Copy.id).where(Copy.number == copy).scalar_subquery()
        query = query.where(Validation.copy == row)
    rows = session.execute(query.where(Validation.id > last).order_by(Validation.id).limit(count))
    return [Line(*row) for row in rows]


def _replace(session: Session, line: Validation) -> bool:
    """The copy's row is taken: nobody else has a line of it under way."""
    query = select(Validation).where(
        Validation.copy == line.copy, Validation.program_number == line.program_number,
        Validation.request == line.request,
    )  # fmt: skip
    before = session.scalars(query).one_or_none()
    if before is None:
        session.add(line)
        return True
    before.time, before.result, before.is_used = line.time, line.result, line.is_used
    before.evidence, before.integrity_value = line.evidence, line.integrity_value
    return False


def _place(copy: int, number: int, request: bytes) -> Place:
    return Place(Validation.__tablename__, "integrity_value", [copy, number, request])
