"""Versions that are held and were never added: they need no validation, which an operator may not have meant."""

from collections.abc import Iterable
from typing import Final

import structlog
from sqlalchemy.orm import Session

from fob_office.distribution.tables import Holder
from fob_office.events.service import latest_about, record
from fob_office.office import Office
from fob_office.programs.programs import newest_version
from fob_protocol.cose.headers import key_id
from fob_protocol.office.component import words
from fob_protocol.office.message import Version

HELD: Final = "held, and never added"
log = structlog.get_logger(__name__)


def tell_of_unknown(session: Session, office: Office, holder: Holder, unknown: Iterable[tuple[str, Version]]) -> None:
    """A line of log for each holder; of a program one event, whatever versions somebody makes up.

    Of a program that the office has in no version there is nothing to say: it is not to be validated here.
    """
    for name, version in sorted(unknown):
        if newest_version(session, name) is None:
            continue
        log.warning(
            "version was never added",
            program=name,
            version=words(version),
            holder=key_id(holder.key).hex(),
            clause="V5",
        )
        if not any(about.startswith(f"{name} ") for about in latest_about(session, HELD)):
            record(session, office.now(), "office", HELD, f"{name} {words(version)}")
