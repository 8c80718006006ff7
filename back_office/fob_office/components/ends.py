"""Releases that devices hold by order, and that can be given no more, or not for long."""

from collections.abc import Iterator
from typing import Final

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from fob_office.components.candidates import release_of
from fob_office.components.tables import ReleaseState, SignedRelease
from fob_office.issuer.lists import DAY
from fob_office.orders.tables import Option
from fob_office.servers.identity import certificate_of
from fob_office.servers.service import newest_keys, sign_anew
from fob_office.servers.tables import Server, ServerKeys
from fob_protocol.office.component import words

# As for what the issuer signed: time to build a new version.
NOTICE_DAYS: Final = 30
LIST_ENDS: Final = "fob-office component ends"


def ending_releases(session: Session, now: int) -> list[str]:
    """A sentence for each, with what helps: of every component that was ordered, the newest that is for everybody."""
    return list(_sentences(session, now))


def ending_in_short(session: Session, now: int) -> list[str]:
    """For whoever asks: how many, and no names."""
    count = len(ending_releases(session, now))
    return [f"ordered components whose release ends, or was revoked: {count}: {LIST_ENDS}"] if count else []


def _sentences(session: Session, now: int) -> Iterator[str]:
    newest = (
        select(SignedRelease.component, func.max(SignedRelease.version).label("version"))
        .where(SignedRelease.state == ReleaseState.AVAILABLE)
        .group_by(SignedRelease.component)
        .subquery()
    )
    query = (
        select(SignedRelease, ServerKeys, Server.least_epoch)
        .join(newest, (newest.c.component == SignedRelease.component) & (newest.c.version == SignedRelease.version))
        .join(ServerKeys)
        .join(Server)
        .where(exists().where(Option.component == SignedRelease.component))
        .order_by(SignedRelease.component)
    )
    for row, keys, least in session.execute(query):
        release = release_of(row.signed)
        what = f"{release.id} {words(release.version)}"
        new = f"fob-office component add --id {release.id}    (a higher version)"
        certified = certificate_of(keys).not_after
        if row.epoch < least:
            yield f"the keys that signed {what} are revoked: {_signed_anew(session, row.server)}"
        elif release.until <= certified and release.until - now < NOTICE_DAYS * DAY:
            yield f"{what} {_when(release.until - now)}: {new}"
        elif certified - now < NOTICE_DAYS * DAY:
            end = _when(certified - now)
            yield f"the certificate of the keys that signed {what} {end}: {_signed_anew(session, row.server)}"


def _signed_anew(session: Session, server: str) -> str:
    return sign_anew(newest_keys(session, server))


def _when(left: int) -> str:
    return f"ends in {left // DAY} days" if left > 0 else "is over"
