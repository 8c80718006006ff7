"""Logging in with a token, and out. A session is worth what its token is: revoked, it opens nothing."""

import base64
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import delete, select

from fob_office.database.erasing import erase_some
from fob_office.events.service import record
from fob_office.office import Office
from fob_office.operators.service import find_token
from fob_office.operators.tables import OperatorToken
from fob_office.page.tables import OperatorSession
from fob_protocol.office.hashing import digest, is_same

# Seconds; a working day.
SESSION_TIME: Final = 8 * 3600
# Of a cookie: as strong as a token.
_COOKIE_SIZE: Final = 32
_CSRF: Final = b"fob-office form "


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who looks. `form` is what each of this session's forms sends along: no other page can know it."""

    name: str
    may_change: bool
    form: str = field(repr=False)

    def has_sent(self, form: str) -> bool:
        """Whether a form is this session's."""
        return is_same(self.form.encode(), form.encode())


def log_in(office: Office, token: str) -> str | None:
    """A new cookie; None when that is no token."""
    with office.database.write() as session:
        found = find_token(session, token)
        if found is None:
            return None
        cookie = base64.urlsafe_b64encode(office.surroundings.random(_COOKIE_SIZE)).decode().rstrip("=")
        until = office.now() + SESSION_TIME
        session.add(OperatorSession(digest=digest(cookie.encode()), token=found.digest, until=until))
        erase_some(session, OperatorSession, OperatorSession.until, office.now())
        record(session, office.now(), found.name, "logged in to the page", "")
    return cookie


def visitor_of(office: Office, cookie: str) -> Visitor | None:
    """Whose cookie it is; None: nobody's, or it is over."""
    query = (
        select(OperatorToken)
        .join(OperatorSession, OperatorSession.token == OperatorToken.digest)
        .where(OperatorSession.digest == digest(cookie.encode()), OperatorSession.until > office.now())
    )
    with office.database.read() as session:
        found = session.scalars(query).one_or_none()
    return None if found is None else Visitor(found.name, found.may_change, digest(_CSRF + cookie.encode()).hex())


def log_out(office: Office, cookie: str) -> None:
    """It opens nothing any more."""
    with office.database.write() as session:
        session.execute(delete(OperatorSession).where(OperatorSession.digest == digest(cookie.encode())))
