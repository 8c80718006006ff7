"""Operators' tokens: shown once when they are made, and known by their digest since."""

import base64
from collections.abc import Sequence
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from fob_office.errors import NotFoundError, OperatorError, UsageError
from fob_office.events.service import record
from fob_office.office import Office
from fob_office.operators.tables import OperatorToken
from fob_protocol.office.hashing import digest
from fob_protocol.office.limits import TITLE_LIMIT

# Scanners for leaked secrets know tokens by a prefix.
PREFIX: Final = "fob_office_"
# As many octets as SHA-256 is strong: such a token needs no slow hash.
TOKEN_SIZE: Final = 32

LIST: Final = "fob-office token list"


def make_token(office: Office, name: str, *, may_change: bool) -> str:
    """A new token; it stands nowhere else. Raises OperatorError."""
    if not 1 <= len(name) <= TITLE_LIMIT or not name.isprintable():
        raise UsageError("no token was made", f"its name has 1 to {TITLE_LIMIT} printable characters", LIST)
    token = PREFIX + base64.urlsafe_b64encode(office.surroundings.random(TOKEN_SIZE)).decode().rstrip("=")
    with office.database.write() as session:
        row = OperatorToken(name=name, digest=_digest(token), may_change=may_change, created=office.now())
        session.add(row)
        try:
            session.flush()
        except IntegrityError:
            raise OperatorError(f"there is a token '{name}' already", "names are taken once", LIST) from None
        record(session, office.now(), "operator", "token made", name)
    return token


def revoke_token(office: Office, name: str) -> None:
    """From now on it opens nothing. Raises NotFoundError."""
    with office.database.write() as session:
        gone = delete(OperatorToken).where(OperatorToken.name == name).returning(OperatorToken.name)
        if session.scalars(gone).one_or_none() is None:
            raise NotFoundError(f"there is no token '{name}'", "it was never made, or is revoked", LIST)
        record(session, office.now(), "operator", "token revoked", name)


def find_token(session: Session, token: str) -> OperatorToken | None:
    """The row of a token, if it is one. Comparing digests tells nothing about the token."""
    return session.scalars(select(OperatorToken).where(OperatorToken.digest == _digest(token))).one_or_none()


def list_tokens(session: Session) -> Sequence[OperatorToken]:
    """By name."""
    return session.scalars(select(OperatorToken).order_by(OperatorToken.name)).all()


def _digest(token: str) -> bytes:
    return digest(token.encode())
