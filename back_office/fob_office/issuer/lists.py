"""Revocation lists: each says all that was ever revoked, and has a number above the last one's (R27)."""

from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fob_office.errors import OperatorError
from fob_office.issuer.tables import SignedList
from fob_office.servers.tables import Server
from fob_protocol.cose import sign1
from fob_protocol.office.certificate import RevocationList
from fob_protocol.office.message import read

DAY: Final = 86_400
# A device takes no older one for good, so somebody has to make a new one in time: `run` and /healthz say so before.
LIST_DAYS: Final = 400


def sign_list(
    session: Session, issuer: Ed25519PrivateKey, now: int, days: int = LIST_DAYS, at_least: int = 0
) -> RevocationList:  # fmt: skip
    """A new list of what is revoked now. Flushed: another one of the same number makes it fail (IntegrityError)."""
    # The number first: whoever revoked something in between has taken it, or is seen below.
    number = max(at_least, 1 + (session.scalar(select(func.max(SignedList.number))) or 0))
    revoked = session.scalars(select(Server).where(Server.least_epoch > 0))
    epochs = {server.name: server.least_epoch for server in revoked}
    new = RevocationList(number, now, now + days * DAY, epochs)
    session.add(SignedList(number=number, issued=new.issued, until=new.until, signed=new.signed(issuer)))
    session.flush()
    return new


def latest_list(session: Session) -> SignedList:
    """The one to give out. Raises OperatorError before the first one."""
    found = session.scalars(select(SignedList).order_by(SignedList.number.desc()).limit(1)).one_or_none()
    if found is None:
        raise OperatorError("there is no revocation list", "the issuer has signed none", "fob-office issuer renew-list")
    return found


def unsaid(session: Session) -> list[str]:
    """Servers with keys that are revoked here and not by the list that devices are given, so by name.

    An office that was put back has taken up what is revoked from another list than its newest, or from one of the
    same number. Raises OperatorError before the first list.
    """
    said = read(RevocationList, sign1.unverified_payload(latest_list(session).signed)).epochs
    revoked = session.scalars(select(Server).where(Server.least_epoch > 0).order_by(Server.name))
    return [server.name for server in revoked if server.least_epoch > said.get(server.name, 0)]
