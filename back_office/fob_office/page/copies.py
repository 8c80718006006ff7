"""The page of a copy: who holds it, how it was used, what was asked, what was found."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from fob_office.devices.tables import Device
from fob_office.distribution.effect import when_it_asks
from fob_office.distribution.keeping import record_of
from fob_office.distribution.operating import copy_of
from fob_office.distribution.tables import Copy, Holder
from fob_office.distribution.views import CopyDetails, copy_details
from fob_office.office import Office
from fob_office.page.pictures import Picture, whole
from fob_office.validation.log import Line
from fob_office.validation.tables import KeptProof, Validation
from fob_office.validation.views import ValidationView, validation_view
from fob_office.watching.tables import Finding
from fob_office.watching.usage import usages
from fob_office.watching.views import FindingView, finding_view

# Validations and findings on the page, newest first.
SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class CopyPage:
    """`device` is what its holder's owner calls it; `has_proof`: that it was cloned; `asks`: when its holder does."""

    copy: CopyDetails
    device: str | None
    picture: Picture
    validations: tuple[ValidationView, ...]
    findings: tuple[FindingView, ...]
    has_proof: bool
    asks: str


def copy_page(session: Session, office: Office, number: bytes) -> CopyPage:
    """Raises NotFoundError."""
    copy = copy_of(session, number)
    title = select(Device.title).join(Holder, Holder.key == Device.signing_key).where(Holder.id == copy.holder)
    return CopyPage(
        copy_details(session, copy),
        session.scalars(title).one_or_none(),
        whole(usages(session, [copy.id], office.now())[copy.id]),
        tuple(validation_view(office, line) for line in _newest_lines(session, copy)),
        tuple(finding_view(finding, copy) for finding in _newest_findings(session, copy)),
        session.get(KeptProof, copy.id) is not None,
        when_it_asks(record_of(copy).policy),
    )


def _newest_lines(session: Session, copy: Copy) -> list[Line]:
    key = session.scalars(select(Holder.key).where(Holder.id == copy.holder)).one()
    query = select(Validation).where(Validation.copy == copy.id).order_by(Validation.id.desc()).limit(SHOWN)
    return [Line(line, copy, key) for line in session.scalars(query)]


def _newest_findings(session: Session, copy: Copy) -> Sequence[Finding]:
    query = select(Finding).where(Finding.copy == copy.id).order_by(Finding.id.desc()).limit(SHOWN)
    return session.scalars(query).all()
